"""The newest answer to one question, from a run that goes on or from memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.engine.merge.progress import RunState
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import Followed, Subscriber
from udfwidgets.explore.questions import BoolArray, Question
from udfwidgets.live.generation import Snapshots
from udfwidgets.live.report import status_of

Array = npt.NDArray[Any]

#: Seconds that a run is left to bring its first picture before a newer question takes its place.
#: Else a hand that moves on and on would see nothing at all.
PATIENCE = 0.1


@dataclass(frozen=True, eq=False)
class Reading:
    """What is known of an answer at one moment; nobody changes it any more.

    Attributes
    ----------
    values : numpy.ndarray
        float64 (k, *axes), of scan or pattern.
    coverage : numpy.ndarray of bool
        Which scan positions are in, of nav shape.
    fraction : float
        Share of the positions asked for, 0 to 1.
    generation : int
        Counts the questions.
    final : bool
        Nothing comes after it.
    estimable : numpy.ndarray of bool or None
        See `Picture`.
    """

    values: Array
    coverage: BoolArray
    fraction: float
    generation: int
    final: bool
    estimable: BoolArray | None = None


class Answer:
    """Follows the run that answers the newest question; older ones are not listened to.

    Safe on any thread.

    Parameters
    ----------
    on_news : callable
        Called with it when there is something new, on whatever thread; must not wait.
    """

    def __init__(self, on_news: Callable[[Answer], None]) -> None:
        self._on_news = on_news
        self._lock = threading.Lock()
        self._follower: _Follower | None = None
        self._known: Reading | None = None
        self._generation = 0
        #: What is answered now, or is going to be.
        self.question: Question | None = None

    @property
    def run(self) -> Run | None:
        """The run that answers, or None where memory did."""
        follower = self._follower
        return None if follower is None else follower.run

    @property
    def is_ripe(self) -> bool:
        """Whether a newer question may take the place of this one."""
        follower = self._follower
        return follower is None or follower.is_ripe

    @property
    def is_final(self) -> bool:
        """Whether nothing comes any more."""
        follower, known = self._follower, self._known
        if follower is not None:
            return follower.is_over
        return known is not None and known.final

    @property
    def why_not(self) -> str:
        """Why it will never be complete, in words; nothing where it is, or may be yet."""
        run = self.run
        if run is None or run.state not in (RunState.FAILED, RunState.CANCELLED):
            return ""
        return status_of(run).message or "its run was cancelled: ask again with restart"

    @property
    def is_told(self) -> bool:
        """Whether nothing comes any more, and that was told."""
        follower = self._follower
        return follower is None or follower.is_told

    def follow(self, question: Question, run: Run, *, at_rest: bool = True) -> None:
        """Answer a question by a run that has not started yet.

        Until the hand that asks is `at_rest` what was there stays until there is something else.
        """
        with self._lock:
            before = self._follower
            self._generation += 1
            self.question = question
            self._follower = follower = _Follower(self, run, self._generation, at_rest)
            self._known = None
        run.subscribe(follower)
        if before is not None:
            before.run.cancel()

    def put(
        self,
        question: Question,
        values: Array,
        coverage: BoolArray,
        *,
        final: bool,
        whole: bool = True,
    ) -> None:
        """Answer a question with what is known already; final unless another is at hand.

        Where it is not the `whole` answer, it is to be asked again.
        """
        with self._lock:
            before, self._follower = self._follower, None
            self._generation += 1
            self.question = question if whole else None
            share = 1.0 if whole else float(np.mean(coverage))
            self._known = Reading(values, coverage, share, self._generation, final and whole)
        if before is not None:
            before.run.cancel()
        self._on_news(self)

    def settle(self) -> None:
        """Take what is known already as final; a run shows from now on that it has nothing."""
        with self._lock:
            known, follower = self._known, self._follower
            if follower is not None:
                follower.at_rest = True
            elif known is None or known.final:
                return
            else:
                self._known = replace(known, final=True)
        self._on_news(self)

    def stop(self) -> None:
        """Ask for nothing any more; what is known stays."""
        follower = self._follower
        if follower is not None:
            follower.run.cancel()

    def reading(self) -> Reading | None:
        """Return what is known now; takes as long as a snapshot of the results."""
        with self._lock:
            follower, known = self._follower, self._known
        if follower is None:
            return known
        return follower.reading()

    def heard(self, follower: _Follower) -> None:
        """Pass on what the newest run has to say."""
        if follower is self._follower:
            self._on_news(self)


class _Follower(Subscriber):
    """Follows one run for an answer, on the threads of its workers."""

    def __init__(self, answer: Answer, run: Run, generation: int, at_rest: bool) -> None:
        self.run, self.at_rest = run, at_rest
        self.is_over = self.is_told = False
        self._answer = answer
        self._generation = generation
        self._snapshots = Snapshots(run)
        self._began = time.monotonic()
        self._question = answer.question

    @property
    def is_ripe(self) -> bool:
        has_waited = time.monotonic() - self._began > PATIENCE
        return self.is_over or self.run.progress.is_presentable or has_waited

    def reading(self) -> Reading | None:
        progress, final = self.run.progress, self.is_over
        # Failed, or cancelled, before there was anything; or a picture of nothing would be made,
        # and painted, while the first one is at hand.
        if not progress.frames and (final or not self.at_rest or self._question is None):
            return None
        assert self._question is not None
        results = self._snapshots.newest()
        if final:
            self._snapshots.let_go()
        plan = self.run.plan
        estimable = None
        if self.run.wanted_order == "progressive":
            wanted = plan.wanted
            estimable = np.ones(plan.shape.nav.axes, bool) if wanted is None else wanted
        return Reading(
            self._question.read(results),
            results.damage.data,
            progress.fraction,
            self._generation,
            final,
            estimable,
        )

    def merged(self, run: Followed) -> None:
        run.bell.ring()
        self._answer.heard(self)

    def changed(self, run: Followed) -> None:
        self._answer.heard(self)

    def ended(self) -> None:
        self.is_over = True
        self._answer.heard(self)
        self.is_told = True
