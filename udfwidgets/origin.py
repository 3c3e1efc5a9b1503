"""Where a result comes from: which files, which UDF and parameters, and how much was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.calibration import Calibration
from udfwidgets.told.values import called, printed

BoolArray = npt.NDArray[np.bool_]
#: Parameters that are written down as they are; of others it is written what they are.
_PLAIN = (bool, int, float, str, np.number, np.bool_)


@dataclass(frozen=True)
class FileMark:
    """One file as it was when it had been read.

    Attributes
    ----------
    path : str
        In full.
    n_bytes : int
        Its size; -1 where the file was gone by then.
    modified : float
        Seconds since 1970 of the last change.
    """

    path: str
    n_bytes: int
    modified: float


@dataclass(frozen=True, eq=False)
class DataOrigin:
    """What is remembered of a dataset, which itself may be gone.

    Attributes
    ----------
    text : str
        As it is printed.
    nav, sig : tuple of int
        Shapes of scan and detector.
    paths : tuple of Path
        Its files.
    calibration : Calibration
        How large its pixels are, as far as that was known when the run began.
    """

    text: str
    nav: tuple[int, ...]
    sig: tuple[int, ...]
    paths: tuple[Path, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)

    @cached_property
    def files(self) -> tuple[FileMark, ...]:
        """Its files as they were when this was first asked for."""
        return tuple(map(_mark, self.paths))


@dataclass(frozen=True, eq=False)
class Origin:
    """Where one result comes from.

    Attributes
    ----------
    result : str
        Its name among the results of the UDF.
    udf : str
        Name of the class of the UDF.
    number : int
        Which UDF of its run, counted from 0.
    alike : bool
        Whether the run has others of the same class.
    data : DataOrigin
        Of the dataset.
    damage : numpy.ndarray of bool
        Which of the selected scan positions were in.
    roi : numpy.ndarray of bool or None
        Which were selected, of nav shape; None for all.
    given : mapping
        The parameters of the UDF.
    corrected : bool
        Whether the data were corrected first.
    slice_name : str
        What slices of the result are called.
    colormap : str
        In which the result is shown at first; empty for the usual one.
    unit : str
        Of its values; empty where that is not known.
    """

    result: str
    udf: str
    number: int
    alike: bool
    data: DataOrigin
    damage: BoolArray
    roi: BoolArray | None
    given: Mapping[str, Any]
    corrected: bool = False
    slice_name: str = ""
    colormap: str = ""
    unit: str = ""

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.udf}{f'[{self.number}]' if self.alike else ''}: {self.result}"

    @property
    def call(self) -> str:
        """The call that makes the UDF."""
        return called(self.udf, self.given)

    @property
    def parameters(self) -> dict[str, Any]:
        """Numbers and texts as they are, of all others what they are."""
        return {
            name: value if isinstance(value, _PLAIN) else printed(value)
            for name, value in self.given.items()
        }

    @property
    def coverage(self) -> BoolArray:
        """Which scan positions were in, of nav shape."""
        if self.roi is None:
            return self.damage.reshape(self.data.nav)
        covered = np.zeros(self.data.nav, bool)
        covered[self.roi] = self.damage
        return covered

    @property
    def counts(self) -> tuple[int, int]:
        """How many scan positions were in, and how many were selected."""
        return int(np.count_nonzero(self.damage)), self.damage.size

    def __getstate__(self) -> dict[str, Any]:
        # Functions among them may not be picklable, and arrays may be large.
        return {**self.__dict__, "given": self.parameters}


def _mark(path: Path) -> FileMark:
    try:
        found = path.stat()
    except OSError:
        return FileMark(str(path), -1, 0.0)
    return FileMark(str(path), found.st_size, found.st_mtime)
