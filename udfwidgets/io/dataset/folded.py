"""A dataset whose frames are all there when it is made, though perhaps fewer than the scan has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.layout.placed import placed
from udfwidgets.io.layout.placing import Fold
from udfwidgets.io.source import Source
from udfwidgets.warned import warn


class FoldedDataSet(DataSet):
    """Frames that a `Fold` puts at their scan positions.

    A scan that was stopped early has fewer frames than positions: those without one are missing,
    and a warning says how many.

    Parameters
    ----------
    where : str
        The file, for the warning.
    fold : Fold
        Which frames are where.
    dtype : dtype_like
        Of the frames as they are stored.
    notes : sequence of str
        What else there is to be said, warnings as well.
    said : sequence of str
        Notes that have been said already.
    """

    def __init__(
        self,
        where: str,
        fold: Fold,
        dtype: npt.DTypeLike,
        notes: Sequence[str] = (),
        said: Sequence[str] = (),
    ) -> None:
        new = (*_about_missing(fold), *notes)
        super().__init__(fold.shape, dtype, (*new, *said, *fold.notes))
        self._fold = fold
        # Positions that are missing because the user asked for an offset are no surprise.
        is_asked_for = fold.sync_offset != 0 and not fold.lost and not _is_short(fold)
        if said := "; ".join(notes if is_asked_for else new):
            warn(f"{where}: {said}")

    @cached_property
    def missing(self) -> npt.NDArray[np.bool_] | None:
        """Which scan positions no frame exists for, of nav shape; None where all have one."""
        if not self._fold.n_missing:
            return None
        missing = self._fold.missing()
        missing.flags.writeable = False
        return missing

    def _placed(self, source: Source) -> Source:
        """Return a source of the file's frames at their scan positions."""
        return placed(source, self._fold, self.dtype)


def _is_short(fold: Fold) -> bool:
    """Whether the file has fewer frames than a whole scan."""
    lines = fold.shape.nav.size // fold.shape.nav.axes[-1]
    return fold.n_stored < fold.shape.nav.size + (lines - 1) * fold.flyback


def _about_missing(fold: Fold) -> list[str]:
    if not fold.n_missing:
        return []
    n_nav = fold.shape.nav.size
    causes = {
        f"sync_offset is {fold.sync_offset}": fold.sync_offset != 0,
        "frames were lost": bool(fold.lost),
        f"there are only {fold.n_stored}": _is_short(fold),
    }
    why = " and ".join(cause for cause, holds in causes.items() if holds)
    return [f"{fold.n_missing} of {n_nav} frames are missing, as {why}"]
