#!/bin/sh
# HDF5 leaves frames that nothing maps as they were in memory, where mappings overlap.
#
# On the way: a virtual dataset of 8 frames: one source for 0 to 3, another for 2 to 5, none for 6 and 7.
#             The mappings count as many frames as are read.
# Expected:   the fill value, 77, in frames 6 and 7, as when they are read one by one.
# Seen:       whatever was in the array before, here 55.
# Versions:   h5py 3.16.0 with HDF5 2.0.0, numpy 2.4.6.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    h5py==3.16.0 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import h5py
import numpy as np

layout = h5py.VirtualLayout((8, 4, 4), "u2")
for number, first in enumerate((0, 2)):
    with h5py.File(f"{number}.h5", "w") as part:
        part["data"] = np.full((4, 4, 4), number + 1, "u2")
    layout[first : first + 4] = h5py.VirtualSource(f"{number}.h5", "data", (4, 4, 4))
with h5py.File("master.h5", "w") as master:
    master.create_virtual_dataset("data", layout, fillvalue=77)
with h5py.File("master.h5") as master:
    frames = np.full((8, 4, 4), 55, "u2")
    master["data"].read_direct(frames)
    print("one by one:", [int(master["data"][number][0, 0]) for number in range(8)])
    print("at once:   ", frames[:, 0, 0].tolist())
EOF

cat >expected <<'EOF'
one by one: [1, 1, 2, 2, 2, 2, 77, 77]
at once:    [1, 1, 2, 2, 2, 2, 55, 55]
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
