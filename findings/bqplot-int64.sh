#!/bin/sh
# bqplot casts int64 to int32 without a check: counts above 2147483647 are drawn negative.
#
# On the way: a mark that is given an array of int64, as NumPy's sums of integers are.
# Expected:   the values, or an error.
# Seen:       2147483653 is sent as -2147483643, and 2**40 + 7 as 7; nothing warns.
# Versions:   bqplot 0.13.1, ipywidgets 8.1.9, numpy 2.4.6, all sent as Python sends it; no browser.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    bqplot==0.13.1 ipywidgets==8.1.9 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import bqplot
import numpy as np

values = np.array([1, 2**31 + 5, 2**40 + 7])
mark = bqplot.Lines(
    x=np.arange(3.0),
    y=values,
    scales={"x": bqplot.LinearScale(), "y": bqplot.LinearScale()},
)
sent = mark.get_state()["y"]
print(sent["dtype"], np.frombuffer(sent["value"], sent["dtype"]).tolist())
EOF

cat >expected <<'EOF'
int32 [1, -2147483643, 7]
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
