"""HDF5: scans in files of this format, whichever program has written them.

```
dataset | growing    a scan that is complete, or still being written
source | arrival     the fastest way that its storage allows | which frames have come
swmr | turned        files that are still written | stacks with the frames along the last axis
chunked | store | virtual | locked   frames out of chunks, chunks by position, virtual, through h5py
chunks | find        where chunks lie, which dataset is the scan
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.dataset.hdf5.growing import GrowingH5DataSet
from udfwidgets.names import further

__all__ = ["GrowingH5DataSet", "H5DataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
