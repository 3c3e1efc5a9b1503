"""What is measured of intermediate results and of several runs at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

import numpy as np

QUIET_SECONDS, QUIET_CPU, LONGEST_WAIT, BEFORE = 0.05, 0.002, 8.0, 0.3


class LiveOrders:
    """Orders to a package with the UDF contract, beyond plain runs."""

    context: Any
    dataset: Any

    def make(self, works: list[str]) -> list[Any]:
        raise NotImplementedError

    def arrays(self, works: list[str], results: Any) -> list[Any]:
        raise NotImplementedError

    def iterate(self, works: list[str]) -> dict[str, Any]:
        """Go through the intermediate results, looking at how much each covers."""
        begin = time.perf_counter()
        first = 0.0
        covered: list[int] = []
        for step in self.context.run_udf_iter(dataset=self.dataset, udf=self.make(works)):
            if not covered:
                first = time.perf_counter() - begin
            covered.append(int(np.count_nonzero(step.damage.data)))
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "first": first, "steps": len(covered)}

    def history(self, works: list[str]) -> bool:
        """Tell whether results that were kept are still what they were when they came."""
        kept, copies = [], []
        for step in self.context.run_udf_iter(dataset=self.dataset, udf=self.make(works)):
            kept.append(step)
            copies.append([a.copy() for a in self.arrays(works, step.buffers)])
        return len(kept) > 1 and all(
            np.array_equal(now, then)
            for step, copy in zip(kept, copies, strict=True)
            for now, then in zip(self.arrays(works, step.buffers), copy, strict=True)
        )

    def same_instance(self, works: list[str], times: int) -> bool:
        """Run the same UDFs over both halves of the scan at once; tell whether both are right."""
        top = np.zeros(tuple(self.dataset.shape.nav), bool)
        top[: len(top) // 2] = True
        rois = [top, ~top]

        def run(udfs: list[Any], roi: Any, sync: bool) -> Any:
            return self.context.run_udf(dataset=self.dataset, udf=udfs, roi=roi, sync=sync)

        apart = [self.arrays(works, run(self.make(works), roi, True)) for roi in rois]
        for _ in range(times):
            udfs = self.make(works)
            starts = [partial(run, udfs, roi, False) for roi in rois]
            results = asyncio.run(_all(starts))
            together = [self.arrays(works, result) for result in results]
            for found, expected in zip(together, apart, strict=True):
                for a, b in zip(found, expected, strict=True):
                    if a.shape != b.shape or not np.allclose(a, b, rtol=1e-4, equal_nan=True):
                        return False
        return True

    def concurrent(self, mix: list[list[str]], save: str | None = None) -> float:
        """Seconds until all of several runs, started together, are done."""
        begin = time.perf_counter()

        def start(works: list[str]) -> Any:
            udfs = self.make(works)
            return self.context.run_udf(dataset=self.dataset, udf=udfs, sync=False)

        results = asyncio.run(_all([partial(start, works) for works in mix]))
        pairs = zip(mix, results, strict=True)
        arrays = [array for works, result in pairs for array in self.arrays(works, result)]
        seconds = time.perf_counter() - begin
        if save is not None:
            np.savez(save, *arrays)
        return seconds

    def views(self, works: list[str], times: int, turn: int) -> dict[str, float]:
        """Seconds until `times` analyses, started together in the same order of frames, are done.

        Parameters
        ----------
        turn : int
            Which kind of them comes first.

        Returns
        -------
        dict
            ``plain`` without views; ``live`` with live analyses; from the first start to the last
            result. ``shown`` with those that a cell shows, so that their widgets are made, until
            the runs have ended; ``saved`` until the last result, which comes when the last
            pictures are encoded and saved with the notebook.
        """
        order = "progressive"
        cards: list[Any] = []
        ends: list[float] = []

        def start() -> Any:
            udfs = self.make(works)
            return self.context.run_udf(dataset=self.dataset, udf=udfs, sync=False, order=order)

        async def plain() -> None:
            await _all([start] * times)

        async def live(shown: bool = False) -> None:
            begun = [
                self.context.live(self.dataset, self.make(works), order=order) for _ in range(times)
            ]
            cards.extend(begun)
            for card in begun if shown else ():
                card._repr_mimebundle_()  # as `display` has it
                _note_end(card._run, ends)
            await asyncio.gather(*(_wait(card) for card in begun))

        kinds = [("plain", plain), ("live", live), ("shown", partial(live, shown=True))]
        seconds = {}
        for name, run in kinds[turn % 3 :] + kinds[: turn % 3]:
            begin = time.perf_counter()
            asyncio.run(run())
            seconds[name] = time.perf_counter() - begin
            if name == "shown":
                seconds["saved"] = seconds["shown"]
                seconds["shown"] = max(ends) - begin
        if not all(len(card.images) == 2 and card.images[0].png() for card in cards):
            raise RuntimeError("the analyses have no pictures")
        for card in cards:
            card.close()
        return seconds

    def iterators(self, works: list[str]) -> int:
        """Go through two async iterators at once; how many intermediate results both gave."""

        async def consume() -> int:
            steps = 0
            stream = self.context.run_udf_iter(
                dataset=self.dataset, udf=self.make(works), sync=False
            )
            async for _ in stream:
                steps += 1
            return steps

        async def both() -> int:
            return sum(await asyncio.gather(consume(), consume()))

        return asyncio.run(both())

    def cancel(self, works: list[str], after: float, family: list[int]) -> dict[str, Any]:
        """Cancel the task that goes through intermediate results.

        Parameters
        ----------
        after : float
            Seconds from its start.
        family : list of int
            Process ids, whose processor time counts.

        Returns
        -------
        dict
            ``finished`` if the run was over by then; ``cpu``, processor seconds from the cancel
            until nothing goes on any more; ``idle``, seconds until then.
        """

        async def consume() -> None:
            stream = self.context.run_udf_iter(
                dataset=self.dataset, udf=self.make(works), sync=False
            )
            try:
                async for _ in stream:
                    pass
            finally:
                await stream.aclose()

        async def run() -> dict[str, Any]:
            before = cpu_seconds(family)
            await asyncio.sleep(BEFORE)
            resting = (cpu_seconds(family) - before) / BEFORE  # a cluster has its heartbeat
            task = asyncio.create_task(consume())
            await asyncio.sleep(after)
            finished = task.done()
            begin, burnt = time.perf_counter(), cpu_seconds(family)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            samples: list[tuple[float, float]] = []
            while not samples or samples[-1][0] < LONGEST_WAIT:
                seconds = time.perf_counter() - begin
                samples.append((seconds, cpu_seconds(family) - burnt - resting * seconds))
                first = next(s for s in samples if s[0] >= seconds - QUIET_SECONDS)
                quiet = samples[-1][1] - first[1] < QUIET_CPU + resting * QUIET_SECONDS
                if quiet and seconds - samples[0][0] > QUIET_SECONDS:
                    return {"finished": finished, "idle": first[0], "cpu": max(first[1], 0.0)}
                await asyncio.sleep(0.005)
            return {"finished": finished, "idle": samples[-1][0], "cpu": samples[-1][1]}

        return asyncio.run(run())


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time of processes since their start, threads that have ended included."""
    total = 0.0
    for pid in pids:
        try:
            total += time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) gives it
        except OSError:
            continue  # it has ended
    return total


def _note_end(run: Any, ends: list[float]) -> None:
    """Note when a run has ended, before its pictures are made."""
    # Only we have live analyses: the other packages' environments do not have this one.
    from udfwidgets.engine.subscription import Subscriber  # noqa: PLC0415

    class End(Subscriber):
        def ended(self) -> None:
            ends.append(time.perf_counter())

    run.subscribe(End())


async def _wait(awaitable: Any) -> Any:
    return await awaitable


async def _all(starts: Sequence[Any]) -> list[Any]:
    started: list[Awaitable[Any]] = [start() for start in starts]
    return list(await asyncio.gather(*started))
