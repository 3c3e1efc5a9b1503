#!/bin/sh
# bqplot sends uint64 under a name for which its page has no kind of array: nothing is drawn.
#
# On the way: a mark that is given an array of uint64, as NumPy's sums of unsigned integers are.
# Expected:   the values, or an error in Python.
# Seen:       Python sends dtype "uint64"; the table in the page goes from uint8 to uint32, and knows
#             float32 and float64. The figure stays empty.
# Versions:   bqplot 0.13.1, ipywidgets 8.1.9, numpy 2.4.6; the table is read from its JavaScript.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    bqplot==0.13.1 ipywidgets==8.1.9 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import re
import sys
from pathlib import Path

import bqplot
import numpy as np

mark = bqplot.Lines(
    x=np.arange(2.0),
    y=np.array([1, 2], "uint64"),
    scales={"x": bqplot.LinearScale(), "y": bqplot.LinearScale()},
)
page = Path(sys.prefix, "share/jupyter/labextensions/bqplot/static")
tables = [re.search(r"[{](int8:Int8Array,[^}]*)[}]", file.read_text()) for file in page.glob("*.js")]
known = {pair.split(":")[0] for table in tables if table for pair in table[1].split(",")}
print("sent:", mark.get_state()["y"]["dtype"])
print("known:", *sorted(known))
EOF

cat >expected <<'EOF'
sent: uint64
known: float32 float64 int16 int32 int8 uint16 uint32 uint8
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
