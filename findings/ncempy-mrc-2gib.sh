#!/bin/sh
# ncempy, and LiberTEM with it, opens no MRC file of 2 GiB or more as an array.
#
# On the way: a scan of 65536 frames of 128 x 128 pixels in 16 bits has 2 GiB.
# Expected:   the stack, as mrcfile maps it.
# Seen:       OverflowError. The offset of the pixels is an np.int32, as it is in the header, and NumPy 2
#             calculates the end of the map in the type of the offset; NumPy 1 took a wider one.
# Here:       what headers say is taken as integers of Python.
# Versions:   ncempy 1.16, LiberTEM 0.16.0, mrcfile 1.5.4, NumPy 2.4.6.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    libertem==0.16.0 ncempy==1.16 mrcfile==1.5.4 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import struct
import warnings

import mrcfile
from libertem.api import Context
from ncempy.io.mrc import fileMRC

warnings.simplefilter("ignore")


def write(n_frames):
    head = bytearray(1024)
    struct.pack_into("<10i", head, 0, 128, 128, n_frames, 6, 0, 0, 0, 128, 128, 1)
    struct.pack_into("<3f3f3i", head, 40, 128, 128, 1, 90, 90, 90, 1, 2, 3)
    head[208:216] = b"MAP \x44\x44\0\0"
    with open("a.mrc", "wb") as file:
        file.write(head)
        file.truncate(1024 + 2 * 128 * 128 * n_frames)  # zeros that take no room on a disk


def ncempy():
    with fileMRC("a.mrc") as file:
        return file.getMemmap().shape


def by_mrcfile():
    with mrcfile.mmap("a.mrc", mode="r") as file:
        return file.data.shape


def libertem():
    with Context.make_with("inline") as ctx:
        return tuple(ctx.load("mrc", path="a.mrc").shape)


for n_frames in (65535, 65536):
    write(n_frames)
    for read in (by_mrcfile, ncempy, libertem):
        try:
            print(n_frames, read.__name__, read())
        except Exception as error:
            print(n_frames, read.__name__, type(error).__name__, error)
EOF

cat >expected <<'EOF'
65535 by_mrcfile (65535, 128, 128)
65535 ncempy (65535, 128, 128)
65535 libertem (65535, 128, 128)
65536 by_mrcfile (65536, 128, 128)
65536 ncempy OverflowError Python integer 2147484672 out of bounds for int32
65536 libertem OverflowError Python integer 2147484672 out of bounds for int32
EOF

venv/bin/python finding.py >seen 2>errors || true
diff expected seen || { cat errors; echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
