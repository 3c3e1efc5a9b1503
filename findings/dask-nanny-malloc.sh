#!/bin/sh
# Dask's workers map and clear the memory of each array of 128 KiB and more anew.
#
# On the way: Python code for each frame of 128 x 128, whose list of pixels takes 128 KiB, was 8 % slower in
#             a worker than in a process of its own, all of it in the kernel of the system.
# Expected:   memory that was freed is used for the next array of that size, as in any other process:
#             glibc, which maps the first such array, raises its limit for mapping when that is freed.
# Seen:       a page fault for each 4 KiB of each array. A nanny sets MALLOC_TRIM_THRESHOLD_ for its
#             worker, so that less memory stays with it, and as soon as any of glibc's limits is set, none
#             of them adapts. By `None` for it in Dask's settings the faults are gone.
# Here:       workers that udfwidgets starts are without it; docs/scaling.md says how others can be.
# Versions:   distributed 2026.8.0, numpy 2.4.6, on Linux with glibc.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install distributed==2026.8.0 numpy==2.4.6 || exit 2

cat >finding.py <<'EOF'
import resource
import sys

import dask.config
import numpy as np
from distributed import Client, LocalCluster

PAGES = 40


def faults():
    """Return how many pages of an array are mapped anew, in the middle of many arrays."""
    for count in (10, 1000):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(count):
            np.ones(4096 * PAGES, "u1")
        found = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return found / count


def in_worker():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        return client.submit(faults).result()


if __name__ == "__main__":
    if sys.argv[2:] == ["unset"]:
        dask.config.set({"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None})
    found = in_worker() if sys.argv[1] == "worker" else faults()
    print(*sys.argv[1:], "nearly all pages" if found > PAGES / 2 else "next to none")
EOF

cat >expected <<'EOF'
alone next to none
worker nearly all pages
worker unset next to none
EOF

for where in alone worker 'worker unset'; do venv/bin/python finding.py $where; done >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
