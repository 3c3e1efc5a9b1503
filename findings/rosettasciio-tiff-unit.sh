#!/bin/sh
# RosettaSciIO reads how large a pixel of an ImageJ TIFF file is, and leaves out in which unit.
#
# On the way: ImageJ writes the unit into the description, and how many pixels make one of it into the
#             resolution. tifffile writes such files as well.
# Expected:   0.4 nm, and 0.4 mrad, along each axis.
# Seen:       0.4 of nothing, for all units but 'micron'. So nm are indistinguishable from pixels.
# Here:       micrometres are written as 'micron'; HDF5 files have the unit for hyperspy, too.
# Versions:   rosettasciio 0.15.0, tifffile 2026.3.3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    rosettasciio==0.15.0 tifffile==2026.3.3 || exit 2

cat >finding.py <<'EOF'
import numpy as np
import tifffile
from rsciio.tiff import file_reader

for unit in ("nm", "mrad", "micron"):
    image = np.zeros((2, 3), "f4")
    tifffile.imwrite("a.tif", image, imagej=True, resolution=(2.5, 2.5), metadata={"unit": unit})
    with tifffile.TiffFile("a.tif") as file:
        print("tifffile", file.imagej_metadata["unit"], file.pages[0].tags["XResolution"].value)
    axes = file_reader("a.tif")[0]["axes"]
    print("RosettaSciIO", [(round(float(axis["scale"]), 6), axis["units"]) for axis in axes])
EOF

cat >expected <<'EOF'
tifffile nm (5, 2)
RosettaSciIO [(0.4, None), (0.4, None)]
tifffile mrad (5, 2)
RosettaSciIO [(0.4, None), (0.4, None)]
tifffile micron (5, 2)
RosettaSciIO [(0.4, 'µm'), (0.4, 'µm')]
EOF

PYTHONIOENCODING=utf-8 venv/bin/python finding.py >seen 2>errors || true
diff expected seen || { cat errors; echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
