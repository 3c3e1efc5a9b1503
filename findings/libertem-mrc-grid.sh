#!/bin/sh
# LiberTEM takes the grid of an MRC volume for the shape of its frames.
#
# On the way: an MRC file that is one volume of n sections has n as the third number of its grid, as
#             MRC2014 says of volumes; mrcfile and ncempy write it so.
# Expected:   a stack of n frames.
# Seen:       each frame is taken to have three axes, the whole volume, and reading fails. A file that
#             mrcfile has marked as a stack of images has a grid of 1, and is read.
# Here:       frames have the first two axes, whatever the grid says.
# Versions:   LiberTEM 0.16.0, mrcfile 1.5.4.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    libertem==0.16.0 mrcfile==1.5.4 || exit 2

cat >finding.py <<'EOF'
import warnings

import mrcfile
import numpy as np
from libertem.api import Context
from libertem.udf.sumsigudf import SumSigUDF

warnings.simplefilter("ignore")
frames = np.arange(4 * 6, dtype="u2").reshape(4, 2, 3)
with Context.make_with("inline") as ctx:
    for kind in ("stack", "volume"):
        with mrcfile.new("a.mrc", overwrite=True) as file:
            file.set_data(frames)
            file.set_image_stack() if kind == "stack" else file.set_volume()
        dataset = ctx.load("mrc", path="a.mrc")
        print(kind, tuple(dataset.shape))
        try:
            ctx.run_udf(dataset, SumSigUDF())
        except ValueError as error:
            print(error)
EOF

cat >expected <<'EOF'
stack (4, 2, 3)
volume (4, 4, 2, 3)
cannot assign slice of shape (24,) from input of shape (0,)
EOF

venv/bin/python finding.py >seen 2>errors || true
diff expected seen || { cat errors; echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
