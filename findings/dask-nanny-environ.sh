#!/bin/sh
# A LocalCluster of Dask leaves what it sets for its workers in the environment of who has made it.
#
# On the way: a notebook starts workers of one thread each, and closes them. What is started from it later,
#             or loads its BLAS or OpenMP later, has one thread as well, and Dask's choice for glibc.
# Expected:   the variables are those of the workers, as Dask's documentation of `nanny.environ` has it;
#             the process that makes the cluster stays as it is.
# Seen:       OMP_NUM_THREADS=1, MKL_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1, MALLOC_TRIM_THRESHOLD_=65536
#             and PYTHONHASHSEED=6640 are in os.environ from then on, also after `close()`, and in each
#             process that is started from there.
# Here:       what a cluster of udfwidgets has set is taken out again when its workers have started.
# Versions:   distributed 2026.8.0, on Linux.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install distributed==2026.8.0 || exit 2

cat >finding.py <<'EOF'
import os
import subprocess
import sys

from distributed import LocalCluster

if __name__ == "__main__":
    before = dict(os.environ)
    LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None).close()
    for name in sorted(name for name in set(os.environ) - set(before) if not name.startswith("_")):
        print(name, os.environ[name])
    child = "import os; print('of a child:', os.environ.get('OMP_NUM_THREADS'))"
    subprocess.run([sys.executable, "-c", child], check=True)
EOF

cat >expected <<'EOF'
MALLOC_TRIM_THRESHOLD_ 65536
MKL_NUM_THREADS 1
OMP_NUM_THREADS 1
OPENBLAS_NUM_THREADS 1
PYTHONHASHSEED 6640
of a child: 1
EOF

env -u MALLOC_TRIM_THRESHOLD_ -u MKL_NUM_THREADS -u OMP_NUM_THREADS -u OPENBLAS_NUM_THREADS -u PYTHONHASHSEED \
    venv/bin/python -u finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
