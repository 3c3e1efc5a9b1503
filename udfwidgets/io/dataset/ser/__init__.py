"""TIA (FEI, Thermo Fisher): images or spectra of a scan in a `.ser` file.

A header says how many there are, along which axes, and where a list of their places in the file is.
Before the pixels of each are its calibration, type and size, after them a time and perhaps a
position. Images begin with their lowest row, and are turned as they are read. The `.emi` of a
measurement tells of the microscope, and stands for the `.ser` beside it with the most pixels.

```
dataset   opens them
emi       the series that an .emi stands for
series    what the header tells, and what is before each frame
```
"""

from typing import TYPE_CHECKING

from udfwidgets.io.dataset.ser.dataset import SERDataSet
from udfwidgets.names import further

__all__ = ["SERDataSet"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
