#!/bin/sh
# LiberTEM: an intermediate result that is stored becomes the final one.
#
# On the way: run_udf_iter, and a list of what it yields, to see how a sum has formed.
# Expected:   4, 8, 12, 16: one step of the scan after the other.
# Seen:       16, 16, 16, 16 when stored; each step is right while it is looked at.
# Here:       a result that was handed out never changes.
# Versions:   libertem 0.16.0, numpy 2.4.6, inline executor.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    libertem==0.16.0 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import numpy as np
from libertem.api import Context
from libertem.udf.sum import SumUDF


def pixel(step):
    return int(step.buffers[0]["intensity"].data[0, 0])


with Context.make_with("inline") as ctx:
    data = np.ones((4, 4, 8, 8), "f4")
    scan = ctx.load("memory", data=data, num_partitions=4, sig_dims=2)
    print("looked at:", [pixel(step) for step in ctx.run_udf_iter(dataset=scan, udf=SumUDF())])
    stored = list(ctx.run_udf_iter(dataset=scan, udf=SumUDF()))
    print("stored:   ", [pixel(step) for step in stored])
EOF

cat >expected <<'EOF'
looked at: [4, 8, 12, 16]
stored:    [16, 16, 16, 16]
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
