"""Seats: one for each worker of a cluster, where it is given orders and answers them.

On the worker sits an actor of Dask's, a `Site`. A seat calls it directly, with an order for each
call: a call takes half a millisecond of this process, where a task of Dask's takes five. What Dask
does for tasks is done by the desk: it gives the orders of a seat whose worker is gone to others.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from distributed import KilledWorker
from distributed.protocol import to_serialize

from udfwidgets.engine.executors.dask.messages import Answer, Order
from udfwidgets.engine.executors.dask.parcels import VERSIONS
from udfwidgets.engine.executors.dask.remote import Site
from udfwidgets.engine.work.scan import Assignment
from udfwidgets.engine.work.share import Share
from udfwidgets.errors import UDFException

# Seconds after which a worker that cannot be reached is talked to by way of the scheduler.
REACH = 3.0
# What Dask says of the actors of a worker that has died.
LOST = "Actor was lost"


@dataclass(eq=False)
class Errand:
    """An order on its way, until it is answered.

    Attributes
    ----------
    assignment : Assignment
        What it was made of.
    order : Order
        What a worker is told.
    sent : float
        When it was given to a worker last.
    deaths : int
        How many workers have gone while they were at work on it.
    """

    assignment: Assignment
    order: Order
    sent: float = 0.0
    deaths: int = 0

    @property
    def shares(self) -> Sequence[Share]:
        """What it does for which runs."""
        return self.assignment.shares

    @property
    def is_wanted(self) -> bool:
        """Whether one of its runs goes on."""
        return any(not share.run.is_stopping() for share in self.shares)


class WorkerGoneError(Exception):
    """The worker of a seat does not answer any more."""


# Of a seat, the key of an order, and what came of it; no key where it is about the seat itself. Not
# an errand: an answer may be long in coming, and what is on its way must not keep files open.
Answered = Callable[["Seat", "str | None", "Answer | BaseException"], None]


class Seat:
    """A worker, and what it has been given.

    Parameters
    ----------
    client : distributed.Client
        Of its cluster.
    address : str
        Of the worker.
    tell : callable
        Told of each answer, on the loop of the client.

    Attributes
    ----------
    out : list of Errand
        What it has been given and has not answered, in that order.
    is_ready : bool
        Whether it takes orders.
    """

    def __init__(self, client: Any, address: str, tell: Answered) -> None:
        self.address = address
        self.out: list[Errand] = []
        self.is_ready = False
        self._client = client
        self._tell = tell
        self._actor = client.submit(
            Site,
            actor=True,
            key=f"udfwidgets-{uuid.uuid4().hex}",
            workers=[address],
            allow_other_workers=False,
        )
        client.loop.add_callback(self._open)

    def send(self, errand: Errand) -> None:
        """Give it an order; it does them one after the other."""
        errand.sent = time.monotonic()
        self.out.append(errand)
        self._client.loop.add_callback(self._deliver, errand.order)

    def answered(self, key: str) -> Errand | None:
        """Return the errand of an order that was answered; None if it was given to another."""
        found = next((errand for errand in self.out if errand.order.key == key), None)
        if found is not None:
            self.out.remove(found)
        return found

    def give_back(self) -> Errand:
        """Take the last order from it, for somebody else to do."""
        errand = self.out.pop()
        self.stop(errand.order.key)
        order = replace(errand.order, key=uuid.uuid4().hex)
        return Errand(errand.assignment, order, deaths=errand.deaths)

    def stop(self, key: str) -> None:
        """Have it leave off a run, or an order; one that is gone has left off."""
        self._client.loop.add_callback(self._tell_it, "stop", key)

    def tidy(self) -> None:
        """Have it close the files that nobody has read for a while."""
        self._client.loop.add_callback(self._tell_it, "tidy")

    def leave(self) -> None:
        """Take its actor from the worker."""
        self.is_ready = False
        self._actor.release()

    async def _open(self) -> None:
        try:
            error = await self._actor.exception()
            if error is None and self._actor.status == "finished":
                self._call = await self._find_way()
                self.is_ready = True
        except Exception as raised:
            error = raised
        self._tell(self, None, Answer("", 0.0, ()) if self.is_ready else self._reason(error))

    def _reason(self, error: BaseException | None) -> Exception:
        """Return what is wrong with the worker, or that it is gone, if nothing is."""
        # Somebody has cancelled it, or the worker has died since.
        if error is None or isinstance(error, (KilledWorker, OSError)) or LOST in str(error):
            return WorkerGoneError()
        return UDFException(
            f"the worker at {self.address} cannot take orders ({error!r}): it needs {VERSIONS}"
        )

    async def _find_way(self) -> Callable[..., Any]:
        """Return what calls the worker: directly, or where that does not work by the scheduler."""
        if self._client.direct_to_workers is not False:
            directly = self._client.rpc(self.address)
            try:
                await asyncio.wait_for(directly.identity(), REACH)
            except (OSError, TimeoutError, asyncio.TimeoutError):
                pass
            else:
                return lambda **message: directly.actor_execute(**message)
        scheduler = self._client.scheduler

        def by_way_of_it(**message: Any) -> Any:
            return scheduler.proxy(worker=self.address, msg={"op": "actor_execute", **message})

        return by_way_of_it

    async def _deliver(self, order: Order) -> None:
        try:
            found = await self._ask("carry_out", order)
        except Exception as error:
            found = error
        self._tell(self, order.key, found)

    async def _tell_it(self, what: str, *about: Any) -> None:
        with suppress(Exception):
            await self._ask(what, *about)

    async def _ask(self, what: str, *about: Any) -> Any:
        given = [to_serialize(each) for each in about]
        try:
            reply = await self._call(actor=self._actor.key, function=what, args=given, kwargs={})
        except (OSError, KeyError) as error:  # or there is another worker at its address
            raise WorkerGoneError from error
        if reply["status"] != "OK":
            raise reply["exception"]
        return reply["result"]
