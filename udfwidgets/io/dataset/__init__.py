"""The dataset contract and the formats that fulfil it.

```
hdf5/ | mib/ | npy | raw | stream   a format each
memory                              arrays, in memory or mapped
folded                              all frames are there, though perhaps fewer than the scan has
base                                the contract
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfwidgets.names import further

if not TYPE_CHECKING:
    __getattr__ = further(__name__)
