"""HDF5: scans in files of this format, whichever program has written them.

```
dataset | growing    a scan that is complete, or still being written
source | swmr        the fastest way that its storage allows, for each of them
arrival              which frames have come
turned               stacks with the frames along the last axis
chunked              frames put together from chunks
store | locked       reads chunks by their positions, or through h5py
virtual              files behind a virtual dataset
chunks | find        where chunks lie, which dataset is the scan
```
"""

from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.dataset.hdf5.growing import GrowingH5DataSet

__all__ = ["GrowingH5DataSet", "H5DataSet"]
