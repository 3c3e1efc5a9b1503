"""DigitalMicrograph: scans and stacks in `.dm3` and `.dm4` files of Gatan.

```
dataset   the frames of one image
images    the images that the tags tell of
tags      the tree of tags
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.dm.dataset import DMDataSet
from udfwidgets.names import further

__all__ = ["DMDataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
