"""What can be put on the screen: frozen snapshots, made by whoever has the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.wire.protocol import State

FINISHED: frozenset[State] = frozenset({"done", "cancelled", "failed"})


@dataclass(frozen=True, eq=False)
class Picture:
    """One snapshot of an image.

    Whoever makes it hands the arrays over: they must not change afterwards.

    Attributes
    ----------
    values : numpy.ndarray
        Of the image's shape and any real dtype (bool included). NaN means "no value here".
    coverage : numpy.ndarray of bool, optional
        True where the scan has been merged. For a nav image of the image's shape; for a sig image
        of whatever shape the scan has, drawn as a strip in scan order. None means that all of a
        nav image is in.
    fraction : float
        Share of the scan that is in, 0 to 1.
    generation : int
        Counts the runs of an analysis. A picture of an older generation than the one on the screen
        is not drawn. What a page shows of an older one stays there in grey until it is covered.
    final : bool
        Nothing comes after it. It is always delivered, exactly once.
    estimable : numpy.ndarray of bool, optional
        Where a nav image that is not covered may show its nearest covered neighbour, through the
        hatch. Elsewhere values outside `coverage` have no meaning and are hidden.
    expected : numpy.ndarray of bool, optional
        Where the scan comes to, of a nav image: nothing is ever merged elsewhere, such as outside
        of a roi or where frames are missing. None means everywhere.
    """

    values: npt.NDArray[Any]
    coverage: npt.NDArray[np.bool_] | None = None
    fraction: float = 1.0
    generation: int = 0
    final: bool = False
    estimable: npt.NDArray[np.bool_] | None = None
    expected: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Status:
    """One snapshot of how far a run has come.

    Attributes
    ----------
    state : {'waiting', 'running', 'paused', 'stalled', 'done', 'cancelled', 'failed'}
        The last three are final: nothing comes after them, unless the run is started again.
        Stalled is a run whose source delivers nothing.
    fraction : float
        Share of the scan that is in, 0 to 1.
    frames_done, frames_total : int
        The same as a count of frames.
    frames_per_second, bytes_per_second : float
        Rates of the run so far; 0 when not known.
    seconds_left : float or None
        None when not known.
    message : str
        Shown below the bar; says why, when the run has failed or is stalled.
    note : str
        Shown beside the numbers: what is to be known of the dataset, such as missing frames.
    ratio, goal : float or None
        How far a signal stands out, where it is known, and when that stops the run.
    """

    state: State = "waiting"
    fraction: float = 0.0
    frames_done: int = 0
    frames_total: int = 0
    frames_per_second: float = 0.0
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    note: str = ""
    ratio: float | None = None
    goal: float | None = None

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return self.state in FINISHED


@dataclass(frozen=True)
class Totals:
    """What all analyses of a Context do together.

    Attributes
    ----------
    running : int
        How many are under way.
    read, served : float
        Bytes per second that come from datasets, and that are handed to analyses. Their ratio is
        how many analyses share what is read once.
    moved : float
        Bytes per second of partial results that come from other processes.
    memory : int
        Bytes of memory that the process occupies.
    processes : int
        How many others work; 0 where threads of this one do.
    page : str
        Address of a page about them; empty where there is none.
    """

    running: int = 0
    read: float = 0.0
    served: float = 0.0
    moved: float = 0.0
    memory: int = 0
    processes: int = 0
    page: str = ""
