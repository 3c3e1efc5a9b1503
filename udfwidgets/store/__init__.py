"""The detector-major store: a copy of a scan in which all positions of one pixel lie together.

A virtual detector that is moved by a pixel then costs the pixels that changed, and not a pass over
all frames.

```
store       what is kept of a scan: how it is asked, and given back
build       one attempt at it              | watch     gives it back when memory is short
moving      a detector that moves          | building  the UDF that writes frames
planes      the memory, and what is in it
writing     loops that write frames        | adding    loops that add planes up
vectors     64 values at once              | memory    how much there is
                                           | binning   coarser pixels
```

Imports go down only. These are words of this room:

plane
    One byte of each value of the scan: the lowest one of all pixels, the higher ones of those
    pixels only that need them. Floats are in one plane as they are.
chunk
    64 positions that follow each other in the scan; all pixels of a chunk lie together. Where a
    plane is not taken as a whole they are more: wide chunks.
"""

from udfwidgets.store.moving import Moving
from udfwidgets.store.store import PixelStore, StoreGone

__all__ = ["Moving", "PixelStore", "StoreGone"]
