#!/bin/sh
# HDF5 reads a virtual dataset whose source is missing as if it were there, full of fill values.
#
# On the way: a master file with a virtual dataset over two files, as detectors write it; one of them was
#             not copied.
# Expected:   an error that names the file.
# Seen:       frames of zeros, and no error. A mean over them looks like half of the dose.
# Here:       sources are looked for when the dataset is opened.
# Versions:   h5py 3.16.0 with HDF5 2.0.0, numpy 2.4.6.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    h5py==3.16.0 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import os

import h5py
import numpy as np

layout = h5py.VirtualLayout((8, 4, 4), "u2")
for number in (0, 1):
    with h5py.File(f"{number}.h5", "w") as part:
        part["data"] = np.full((4, 4, 4), number + 1, "u2")
    layout[4 * number : 4 * number + 4] = h5py.VirtualSource(f"{number}.h5", "data", (4, 4, 4))
with h5py.File("master.h5", "w") as master:
    master.create_virtual_dataset("data", layout)
os.remove("1.h5")
with h5py.File("master.h5") as master:
    print(h5py.version.hdf5_version, master["data"][:, 0, 0].tolist())
EOF

cat >expected <<'EOF'
2.0.0 [1, 1, 1, 1, 0, 0, 0, 0]
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
