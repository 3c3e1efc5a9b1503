#!/bin/sh
# RosettaSciIO reads the pixels of a big-endian DigitalMicrograph file with their bytes swapped.
#
# On the way: a .dm3 or .dm4 file says in its header in which byte order values are stored; files of
#             old Macintosh computers are big-endian.
# Expected:   the pixels, as all other values of the tags are read: shape and calibration are right.
# Seen:       each pixel has its two bytes swapped, without a word. ncempy refuses such files.
# Here:       they are read in the byte order of the header.
# Versions:   rosettasciio 0.15.0, ncempy 1.16.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    rosettasciio==0.15.0 ncempy==1.16 || exit 2

cat >finding.py <<'EOF'
import struct

import numpy as np
from ncempy.io.dm import dmReader
from rsciio.digitalmicrograph import file_reader


def group(*tags):
    return struct.pack(">BBi", 0, 0, len(tags)) + b"".join(
        struct.pack(">BH", 21 if value[:4] == b"%%%%" else 20, len(name)) + name + value
        for name, value in tags
    )


def data(info, content):
    return b"%%%%" + struct.pack(f">i{len(info)}i", len(info), *info) + content


def write(path, pixels, order):
    def number(kind, value):
        return data((kind,), struct.pack(order + {5: "I", 6: "f"}[kind], value))

    axis = (b"", group((b"Origin", number(6, 0)), (b"Scale", number(6, 0.5)), (b"Units", data((20, 4, 0), b""))))
    light = (b"Brightness", axis[1])
    image = group(
        (b"ImageData", group(
            (b"Calibrations", group(light, (b"Dimension", group(axis, axis)))),
            (b"Data", data((20, 4, pixels.size), pixels.astype(order + "u2").tobytes())),
            (b"DataType", number(5, 10)),
            (b"Dimensions", group(*((b"", number(5, n)) for n in pixels.shape[::-1]))),
            (b"PixelDepth", number(5, 2)),
        )),
        (b"ImageTags", group()),
        (b"Name", data((20, 4, 0), b"")),
    )
    source = group((b"ClassName", data((20, 4, 0), b"")), (b"ImageRef", number(5, 0)))
    root = group((b"ImageList", group((b"", image))), (b"ImageSourceList", group((b"", source))))
    with open(path, "wb") as file:
        file.write(struct.pack(">3i", 3, len(root), order == "<") + root + bytes(8))


pixels = np.arange(6, dtype="u2").reshape(2, 3)
for order, name in (("<", "little"), (">", "big")):
    write("a.dm3", pixels, order)
    found = file_reader("a.dm3")[0]
    scales = [float(axis["scale"]) for axis in found["axes"]]
    print(name, "RosettaSciIO", found["data"].ravel().tolist(), scales)
    try:
        print(name, "ncempy", dmReader("a.dm3")["data"].ravel().tolist())
    except OSError as error:
        print(name, "ncempy", error)
EOF

cat >expected <<'EOF'
little RosettaSciIO [0, 1, 2, 3, 4, 5] [0.5, 0.5]
little ncempy [0, 1, 2, 3, 4, 5]
big RosettaSciIO [0, 256, 512, 768, 1024, 1280] [0.5, 0.5]
big ncempy File is not written Little Endian (PC) format and can not be read by this program.
EOF

venv/bin/python finding.py >seen 2>errors || true
diff expected seen || { cat errors; echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
