#!/bin/sh
# LiberTEM: one UDF instance in two runs at the same time mixes their results, without an error.
#
# On the way: the first step of run_udf_iter is looked at, the same UDF instance is used for another
#             scan, and the iteration goes on.
# Expected:   16 for the first scan, 160 for the second.
# Seen:       172 for both: what is merged goes to the buffers of the last run, and the result of that
#             run, which was complete and 160, changes afterwards.
# Here:       each run works on a copy of its own.
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


def pixel(buffers):
    return int(buffers["intensity"].data[0, 0])


with Context.make_with("inline") as ctx:
    ones = np.ones((4, 4, 8, 8), "f4")
    first = ctx.load("memory", data=ones, num_partitions=4, sig_dims=2)
    second = ctx.load("memory", data=10 * ones, num_partitions=4, sig_dims=2)
    udf = SumUDF()
    steps = ctx.run_udf_iter(dataset=first, udf=udf)
    next(steps)
    result = ctx.run_udf(dataset=second, udf=udf)
    print("second, complete:", pixel(result))
    for step in steps:
        pass
    print("first, complete:", pixel(step.buffers[0]))
    print("second, afterwards:", pixel(result))
EOF

cat >expected <<'EOF'
second, complete: 160
first, complete: 172
second, afterwards: 172
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
