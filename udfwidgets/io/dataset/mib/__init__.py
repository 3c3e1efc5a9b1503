"""Merlin: scans in `.mib` files of Quantum Detectors.

```
growing   scans that are still being recorded | dataset   those that are complete
source    frames of files that are complete
check     holds headers against the first one | r64   pixels as the chips send them
parts     the files that make one scan
header    what the headers say
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.mib.dataset import MIBDataSet
from udfwidgets.io.dataset.mib.growing import GrowingMIBDataSet
from udfwidgets.names import further

__all__ = ["GrowingMIBDataSet", "MIBDataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
