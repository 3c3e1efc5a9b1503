"""Merlin: scans in `.mib` files of Quantum Detectors.

```
growing   scans that are still being recorded | dataset   those that are complete
source    frames of files that are complete
check     holds headers against the first one | r64   pixels as the chips send them
parts     the files that make one scan
header    what the headers say
```
"""

from udfwidgets.io.dataset.mib.dataset import MIBDataSet
from udfwidgets.io.dataset.mib.growing import GrowingMIBDataSet

__all__ = ["GrowingMIBDataSet", "MIBDataSet"]
