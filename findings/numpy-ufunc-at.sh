#!/bin/sh
# NumPy: ufunc.at writes into arrays that are read-only.
#
# On the way: a function is handed a read-only view of somebody else's frame, as everybody who shares
#             memory does, and counts or corrects with np.add.at(frame, ...) in place of frame[...] += 1.
# Expected:   "assignment destination is read-only", as for the other ways to write.
# Seen:       no error, and the array is changed, for each dtype and each ufunc that was tried.
# Here:       nothing can be done but to hand out copies; docs/migrating.md says so.
# Versions:   numpy 2.4.6.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import numpy as np


def index(frame):
    frame[0] += 1


def out(frame):
    np.add(frame, 1, out=frame)


def at(frame):
    np.add.at(frame, [0], 1)


for dtype in ("uint16", "int64", "float32"):
    for write in (index, out, at):
        frame = np.zeros(3, dtype)
        frame.flags.writeable = False
        try:
            write(frame)
            print(dtype, write.__name__, "wrote", frame.tolist())
        except ValueError as error:
            print(dtype, write.__name__, error)
EOF

cat >expected <<'EOF'
uint16 index assignment destination is read-only
uint16 out output array is read-only
uint16 at wrote [1, 0, 0]
int64 index assignment destination is read-only
int64 out output array is read-only
int64 at wrote [1, 0, 0]
float32 index assignment destination is read-only
float32 out output array is read-only
float32 at wrote [1.0, 0.0, 0.0]
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
