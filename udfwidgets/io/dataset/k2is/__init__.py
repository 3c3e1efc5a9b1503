"""K2IS: scans of a Gatan K2 as it writes them, in eight `.bin` files and a `.gtg`.

Each file is a sector of the detector, 256 pixels wide: blocks of 22360 bytes, one behind the other,
each with 16 x 930 pixels of twelve bits behind a header of 40 bytes. 32 blocks make a sector of a
frame. The sectors do not begin and end with the same frame, and some may lack blocks.

```
dataset   opens them
source    frames out of eight files
unpack    pixels of twelve bits
sectors   which frames are whole, and where their blocks are
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.k2is.dataset import K2ISDataSet
from udfwidgets.names import further

__all__ = ["K2ISDataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
