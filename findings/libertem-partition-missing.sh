#!/bin/sh
# LiberTEM: a UDF that takes whole partitions cannot be run on a scan that was stopped early.
#
# On the way: a raw file of 20 frames is opened as the scan of 5 x 5 that it was to be, or with a
#             sync_offset, and one UDF adds up its frames one by one, another one by partitions.
# Expected:   the same sums by both, and 0 where there is no frame.
# Seen:       the first one does so; the other one ends with an AssertionError without a word, as soon as
#             a single position has no frame.
# Here:       partitions end where frames are missing; process_partition gets those that are there.
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
from libertem.udf import UDF


class ByFrame(UDF):
    def get_result_buffers(self):
        return {"sums": self.buffer("nav", dtype="float64")}

    def process_frame(self, frame):
        self.results.sums[:] = frame.sum()


class ByPartition(UDF):
    def get_result_buffers(self):
        return {"sums": self.buffer("nav", dtype="float64")}

    def process_partition(self, partition):
        self.results.sums[:] = partition.sum(axis=(1, 2))


np.ones((20, 4, 4), "float32").tofile("scan.raw")
with Context.make_with("inline") as ctx:
    for how in ({"nav_shape": (4, 5)}, {"nav_shape": (5, 5)}, {"nav_shape": (4, 5), "sync_offset": 3}):
        scan = ctx.load("raw", path="scan.raw", dtype="float32", sig_shape=(4, 4), **how)
        for udf in (ByFrame(), ByPartition()):
            try:
                said = ctx.run_udf(dataset=scan, udf=udf)["sums"].data.sum()
            except AssertionError as error:
                said = repr(error)
            print(how, type(udf).__name__, said)
EOF

cat >expected <<'EOF'
{'nav_shape': (4, 5)} ByFrame 320.0
{'nav_shape': (4, 5)} ByPartition 320.0
{'nav_shape': (5, 5)} ByFrame 320.0
{'nav_shape': (5, 5)} ByPartition AssertionError()
{'nav_shape': (4, 5), 'sync_offset': 3} ByFrame 272.0
{'nav_shape': (4, 5), 'sync_offset': 3} ByPartition AssertionError()
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
