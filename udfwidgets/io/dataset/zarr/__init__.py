"""Zarr: arrays in chunks, each in a file of its own or in one of a zip.

```
dataset             a scan, whoever has written it
chunks | through    chunks by our own decoders, or all of it by the package zarr
find | layout       which array is the scan | what it says of its chunks
package             the package, where it is installed
files               a directory or a zip, by the same names
```
"""

from udfwidgets.io.dataset.zarr.dataset import ZarrDataSet

__all__ = ["ZarrDataSet"]
