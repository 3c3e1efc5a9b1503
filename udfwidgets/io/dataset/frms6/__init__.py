"""FRMS6: scans of a pnCCD of PNDetector, in numbered `.frms6` files and a `.hdr`.

Each file begins with a header of 1024 bytes, each frame with one of 64. The detector is read out on
two sides, so a row of the file has a row of the upper half of the image and then one of the lower
half, from the last one on and backwards. Rows that were binned are repeated. The first file,
``NAME_000.frms6``, has frames without beam.

```
dataset   opens them
unfold    frames as the detector sees them
headers   what the .hdr and the files tell
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.frms6.dataset import FRMS6DataSet
from udfwidgets.names import further

__all__ = ["FRMS6DataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
