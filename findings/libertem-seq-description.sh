#!/bin/sh
# LiberTEM does not open a SEQ file whose description is empty.
#
# On the way: the header of a StreamPix sequence has room for a description of 512 bytes, in UTF-16;
#             nobody has to write one.
# Expected:   the same frames with and without a description.
# Seen:       without one it cannot be decoded, as the text is cut within a character.
# Here:       what is not needed to read the frames is not decoded.
# Versions:   LiberTEM 0.16.0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install libertem==0.16.0 || exit 2

cat >finding.py <<'EOF'
import struct
import warnings

import numpy as np
from libertem.api import Context

warnings.simplefilter("ignore")


def write(path, frames, description):
    header = bytearray(8192)
    struct.pack_into("<I", header, 0, 0xFEED)
    header[4:24] = "Norpix seq".encode("utf-16-le")
    struct.pack_into("<2i", header, 28, 5, 1024)
    text = description.encode("utf-16-le")
    header[36 : 36 + len(text)] = text
    n, height, width = frames.shape
    size = 2 * height * width
    struct.pack_into("<9Id", header, 548, width, height, 16, 16, size, 100, n, 0, size + 8, 1.0)
    with open(path, "wb") as file:
        file.write(header)
        for frame in frames:
            file.write(frame.tobytes() + bytes(8))


frames = np.arange(4 * 6, dtype="u2").reshape(4, 2, 3)
with Context.make_with("inline") as ctx:
    for description in ("scan", ""):
        write("a.seq", frames, description)
        try:
            dataset = ctx.load("seq", path="a.seq", nav_shape=(2, 2))
            print(repr(description), tuple(dataset.shape))
        except Exception as error:
            print(repr(description), type(error).__name__, error)
EOF

cat >expected <<'EOF'
'scan' (2, 2, 2, 3)
'' UnicodeDecodeError 'utf-16-le' codec can't decode byte 0x00 in position 0: truncated data
EOF

venv/bin/python finding.py >seen 2>errors || true
diff expected seen || { cat errors; echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
