"""Fusing: the compiled steps of several shares, each different one done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.engine.work.share import Share
from udfwidgets.io.source import Packed
from udfwidgets.udf.compiled.fused import Step, drive, part_of, stride_of
from udfwidgets.udf.compiled.packed import drive_packed
from udfwidgets.udf.compiled.steps import joined

# Of a call that sees a part of all frames: so much of each is read on end.
LEAST_PARTS = 4


@dataclass(eq=False)
class _Wanted:
    """A step, and all who get what it makes."""

    step: Step
    members: list[tuple[Share, Step, Sequence[Array]]] = field(default_factory=list)

    def take(self, share: Share, step: Step, results: Sequence[Array]) -> None:
        """Take one in, for whom these are the results of its own step."""
        self.members.append((share, step, results))


class Fusion:
    """What is compiled of the work of shares that see the same frames.

    Where several of them have the same thing done with these frames, it is done for the first one,
    and the others get what came out: the same memory, which nobody writes to any more. So do those
    who want a part of what is made for another one.

    Parameters
    ----------
    shares : sequence of Share
        They have begun.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = [share for share in shares if share.steps]
        steps = [(share, step) for share in self._shares for step in share.steps]
        # Those that contain others first.
        steps.sort(key=lambda pair: -len(pair[1].contains))
        wanted: dict[object, _Wanted] = {}
        within: dict[object, tuple[_Wanted, Array]] = {}
        for share, step in steps:
            # Shape and dtype as well as the key: `adopt` puts one array in the place of another.
            # What this is for: ten equal analyses take 1.4 times one, not 4.2
            # (docs/decisions/002-shared-scan.md).
            kind = step.key, step.out.shape, step.out.dtype
            if kind in within:
                larger, part = within[kind]
                larger.take(share, step, [part])
                continue
            one = wanted.setdefault(kind, _Wanted(step))
            one.take(share, step, one.step.results)
            for key, part in one.step.contains.items():
                within.setdefault((key, part.shape, part.dtype), (one, part))
        # The first one brings them into the cache.
        self._wanted = sorted(wanted.values(), key=lambda one: one.step.leaps)

    def goes_by(self, n_pixels: int) -> bool:
        """Whether all steps can be shown so many pixels of frames after the others."""
        units = [one.step.unit for one in self._wanted]
        return all(unit and n_pixels % unit == 0 for unit in units)

    def cut(self, n_pixels: int, n_calls: int) -> list[tuple[int, int]]:
        """Return the pixels of so many calls; of one where they would be too few for more."""
        part = part_of([one.step for one in self._wanted])
        if not part or n_pixels < LEAST_PARTS * n_calls * part:
            return [(0, n_pixels)]
        size = -(-n_pixels // n_calls // part) * part
        return [(at, min(at + size, n_pixels)) for at in range(0, n_pixels, size)]

    def feed(
        self,
        frames: Array,
        numbers: Frames,
        row: int,
        depth: int,
        pixels: tuple[int, int] | None = None,
    ) -> None:
        """Let all steps see frames that are rows of the partition from `row` on; see `drive`."""

        def show(steps: Sequence[Step]) -> None:
            # Compiled code gets an address, and one stride.
            lying = frames if stride_of(frames) else np.ascontiguousarray(frames)
            drive(lying, numbers, depth, joined(steps, frames.dtype), row, pixels)

        self._work(show)

    def feed_packed(self, packed: Packed, numbers: Frames, row: int, tile: Array) -> bool:
        """Let all steps see such frames part by part; return whether all could be decoded."""
        done = [len(numbers)]

        def show(steps: Sequence[Step]) -> None:
            stored = numbers + packed.shift
            shown = packed.address, packed.about, stored, packed.n_parts, tile
            done[0] = drive_packed(*shown, joined(steps, tile.dtype), row)

        self._work(show)
        return done[0] == len(numbers)

    def _work(self, show: Callable[[Sequence[Step]], None]) -> None:
        # Entered once for all tiles of the call: a run does not end while its memory is worked on.
        entered = [share for share in self._shares if share.run.enter()]
        try:
            began = time.perf_counter()
            # The first one's memory is worked on for as long as anybody wants what comes out.
            wanted = [
                one.step
                for one in self._wanted
                if any(share in entered for share, _, _ in one.members)
            ]
            if wanted:
                show(wanted)
            # Shared out evenly: one call drives all steps, so what each of them took is not known.
            seconds = (time.perf_counter() - began) / max(len(entered), 1)
            for share in entered:
                share.seconds += seconds
        finally:
            for share in entered:
                share.run.leave()

    def end(self) -> None:
        """Give the others what was done for the first one."""
        for one in self._wanted:
            for share, step, results in one.members:
                if step is not one.step:
                    share.adopt(step, results)
