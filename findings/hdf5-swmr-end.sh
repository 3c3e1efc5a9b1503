#!/bin/sh
# HDF5 2 opens a file with swmr=True whose writer has not yet written all that its superblock tells
# of; HDF5 1.14 says "truncated file", though with SWMR a file is made to be read beside its writer.
#
# On the way: a reader that opens a scan in the moment in which its writer flushes: the superblock is
#             on disk before what lies behind it. Here, the file lacks its last bytes for good.
# Expected:   both versions open it, or both say that it is not complete.
# Seen:       1.14.2 raises OSError with and without swmr=True, 2.0.0 only without; with it the
#             dataset has its full shape. Who follows a file with HDF5 1.14 has to try again.
# Versions:   h5py 3.11.0 (HDF5 1.14.2), h5py 3.16.0 (HDF5 2.0.0), numpy 2.2.6.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 3.11.0 3.16.0; do
    python3 -m venv "$version"
    "$version/bin/python" -m pip --quiet --disable-pip-version-check install \
        "h5py==$version" numpy==2.2.6 || exit 2
done

cat >finding.py <<'EOF'
import h5py
import numpy as np

with h5py.File("scan.h5", "w", libver="latest") as file:
    file.create_dataset("frames", data=np.arange(6400.0), maxshape=(None,), chunks=(800,))
with open("scan.h5", "r+b") as file:
    file.truncate(file.seek(0, 2) - 5000)
for swmr in (True, False):
    try:
        with h5py.File("scan.h5", "r", swmr=swmr) as file:
            seen = file["frames"].shape
    except OSError as error:
        seen = "truncated file" if "truncated file" in str(error) else error
    print("HDF5", h5py.version.hdf5_version, f"swmr={swmr}:", seen)
EOF

cat >expected <<'EOF'
HDF5 1.14.2 swmr=True: truncated file
HDF5 1.14.2 swmr=False: truncated file
HDF5 2.0.0 swmr=True: (6400,)
HDF5 2.0.0 swmr=False: truncated file
EOF

for version in 3.11.0 3.16.0; do "$version/bin/python" finding.py; done >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
