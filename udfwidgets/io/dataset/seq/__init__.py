"""Sequences of StreamPix (Norpix), as Direct Electron's cameras write them.

A header of 1024 bytes, 8192 since version 5, says how large a frame is, and how many bytes there
are from one to the next: its pixels, the time at which it was taken, and padding. A dark and a gain
image may be beside it, as MRC files: ``NAME.seq.dark.mrc`` and ``NAME.seq.gain.mrc``.

A Celeritas writes two of them, ``NAME_Top*.seq`` and ``NAME_Bottom*.seq``. What counts as a frame
there is a buffer of several halves, one below the other; those of the top are upside down. How many
there are, ``NAME.seq.Config.Metadata.xml`` tells.

```
dataset   opens them
halves    frames of two files | beside   what is told beside them | header   what they tell
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.seq.dataset import SEQDataSet
from udfwidgets.names import further

__all__ = ["SEQDataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
