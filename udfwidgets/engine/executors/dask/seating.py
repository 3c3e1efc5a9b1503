"""Which workers have a seat, and which of them is given the next order."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterator
from typing import Any

from udfwidgets.engine.executors.dask.seats import Answered, Errand, Seat

# Orders that are out for each worker: one at work, one that is there when it is through.
AHEAD = 2
# Seconds that an order waits behind another one before it goes to a worker that has nothing to do.
LATE = 1.0
# Seconds that Dask takes a task to last of which it knows nothing. Clusters that adapt have as many
# workers as are through with what waits within five seconds, or what their owner has said.
UNKNOWN = 0.5
# Calls that wait for each worker there is, at most: in each step they double a cluster.
CALLS = 20
# What no worker has, so that calls wait for as long as they are there.
NOBODY = {"udfwidgets-nobody": 1}
# Seconds without a run after which others' clusters may do away with their workers.
REST = 10.0


class Seating:
    """The seats of a cluster's workers. It lives on the loop of the desk.

    Parameters
    ----------
    tell : callable
        Told of each answer, on the loop of the client.
    is_shared : bool
        Whether somebody else uses the cluster.

    Attributes
    ----------
    rests : bool
        Whether the workers were left to others.
    """

    def __init__(self, tell: Answered, *, is_shared: bool) -> None:
        self.rests = True
        self._tell = tell
        self._is_shared = is_shared
        self._seats: dict[str, Seat] = {}
        self._used = 0.0
        #: Tasks that nobody does: clusters that adapt grow while they wait.
        self._calls: list[Any] = []

    def __iter__(self) -> Iterator[Seat]:
        return iter(tuple(self._seats.values()))

    def look(
        self, client: Any, workers: Collection[str], *, has_runs: bool, left: float
    ) -> list[Seat]:
        """Have a seat for each worker while there are runs, and return seats that are to be left.

        Clusters that grow when there is something to do are told how much: `left` is the seconds
        that all runs would still take one worker.
        """
        now = time.monotonic()
        self._used = now if has_runs else self._used
        self.rests = self._is_shared and now - self._used > REST
        if self._is_shared:
            least = has_runs and not workers
            self._call_for(client, min(int(left / UNKNOWN), CALLS * len(workers)) or int(least))
        if self.rests:
            workers = ()
        for address in workers:
            if address not in self._seats:
                self._seats[address] = Seat(client, address, self._tell)
        return [seat for seat in self if seat.address not in workers]

    def _call_for(self, client: Any, n_calls: int) -> None:
        """Have so many calls wait."""
        for call in self._calls[n_calls:]:
            call.release()
        n_new, self._calls = n_calls - len(self._calls), self._calls[:n_calls]
        if n_new > 0:
            keys = [f"udfwidgets_call-{uuid.uuid4().hex}" for _ in range(n_new)]
            self._calls += client.map(int, range(n_new), key=keys, resources=NOBODY)

    def next(self) -> Seat | None:
        """Return the seat that gets the next order, unless all have enough."""
        free = [seat for seat in self if seat.is_ready and len(seat.out) < AHEAD]
        return min(free, key=lambda seat: len(seat.out), default=None)

    def late(self) -> Seat | None:
        """Return a seat with an order that another one would begin at once, if there is one."""
        if not any(seat.is_ready and not seat.out for seat in self):
            return None
        since = time.monotonic() - LATE
        late = (seat for seat in self if len(seat.out) > 1 and seat.out[0].sent < since)
        return next(late, None)

    def leave(self, seat: Seat) -> list[Errand]:
        """Do without a seat, and return what it has not answered."""
        if self._seats.get(seat.address) is seat:
            del self._seats[seat.address]
        seat.leave()
        left, seat.out = seat.out, []
        if left:
            left[0].deaths += 1  # it did one after the other
        return left

    def close(self) -> list[Errand]:
        """Leave all seats, and return what they have not answered."""
        left = [errand for seat in self for errand in self.leave(seat)]
        for call in self._calls:
            call.release()
        self._calls.clear()
        return left
