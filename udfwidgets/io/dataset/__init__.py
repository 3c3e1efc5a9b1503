"""The dataset contract and the formats that fulfil it.

```
k2is/                               one whose scan shape is in a file of another
blo | dm/ | empad | frms6/ | hdf5/ | mib/ | npy | raw | seq | ser/ | stream | tvips   a format each
mrc                                 another one, whose images are beside others
memory | strided                    arrays | frames at a fixed distance in files
folded                              all frames are there, though perhaps fewer than the scan has
base                                the contract
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfwidgets.names import further

if not TYPE_CHECKING:
    __getattr__ = further(__name__)
