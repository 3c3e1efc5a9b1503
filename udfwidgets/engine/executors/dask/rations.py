"""How large orders are: worth their way, and less and less towards the end of a run."""

from __future__ import annotations

from udfwidgets.engine.plan.cadence import Cadence
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run

# Seconds of this process that an order and its answer take, Dask's part included. All workers
# together are to keep it busy for a small part of the time: the more there are, the larger orders.
MESSAGE = 0.003
# Compiled code begins with so many tiles: what takes about as long as the way does.
BOLD = 32
# Orders that each worker has of a run at least, however short it is.
FEWEST = 4
# Of what is left of a run, a worker gets this part of its share at most: all end together.
PART = 0.5
# Bytes of the first orders of a run that nobody watches: between two of them a worker has nothing
# to do for a millisecond. With half of it, 2 GiB took 92 instead of 87 ms.
LARGE = 512 * 1024 * 1024
# Seconds that an order of such a run takes. Of orders of 72 ms, a worker and the client that it
# shares a machine with spent 9 % on their way.
LONG = 0.25
# Seconds of an order that is not cut any more.
BRIEF = 4 * MESSAGE


class Rations(Cadence):
    """Learns how long a frame takes, as threads do, and leaves something for everybody.

    Parameters
    ----------
    run : Run
        Whose orders are sized.
    workers : int
        Processes that work on it at the same time.
    """

    def __init__(self, run: Run, workers: int) -> None:
        job = run.job
        super().__init__(
            job.plan.n_frames,
            workers,
            first=_first(job, workers),
            most=job.largest_partition,
            travel=MESSAGE * workers,
        )
        self._backlog = run.backlog
        self._share = PART / workers
        self._least = self._size

    def hurry(self, first: int) -> None:
        """Begin with large orders, see `Cadence.hurry`."""
        self._longest = LONG
        super().hurry(first)
        # Half of it, so that who has much is not given as much again.
        self._least = max(1, self._size // 2) if first else self._size

    @property
    def size(self) -> int:
        """Frames that the next order should have."""
        return min(self._size, max(int(self._backlog.count * self._share), self._least))

    @property
    def left(self) -> float:
        """Seconds of one worker that the run still takes, as far as is known."""
        return self._per_frame * self._backlog.count

    def learn(self, n_frames: int, seconds: float, merging: float = 0.0) -> None:
        """Take note of a partition, see `Pace.learn`."""
        super().learn(n_frames, seconds, merging)
        self._least = max(1, int(n_frames * BRIEF / max(seconds, 1e-9)))


def _first(job: Job, workers: int) -> int:
    """Return how many frames the first orders have."""
    first = job.first_partition(workers)
    bold = min(first * BOLD, job.plan.n_frames // (FEWEST * workers))
    return max(first, bold) if job.is_compiled else first
