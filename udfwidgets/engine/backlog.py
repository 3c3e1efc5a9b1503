"""A backlog: the frames of a run that no worker has taken yet."""

from __future__ import annotations

import numpy as np

from udfwidgets.engine.plan import Plan
from udfwidgets.engine.reading import Frames


class Backlog:
    """Which selected frames wait to be taken.

    Parameters
    ----------
    plan : Plan
        Says which frames are selected.

    Attributes
    ----------
    waiting : numpy.ndarray of bool
        One entry for each frame of the scan.
    count : int
        How many of them wait.
    """

    def __init__(self, plan: Plan) -> None:
        selected = np.ones(plan.shape.nav.size, bool) if plan.roi is None else plan.roi.reshape(-1)
        self.waiting = np.array(selected)
        self.count = plan.n_frames

    def take(self, frames: Frames) -> Frames:
        """Return those of some frames that were waiting; from now on they are not."""
        taken = frames[self.waiting[frames]]
        self.waiting[taken] = False
        self.count -= len(taken)
        return taken
