"""Fusing: the compiled steps of several shares, each different one done once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.engine.work.share import Share
from udfwidgets.udf.compiled.fused import Step, drive, stride_of


class Fusion:
    """What is compiled of the work of shares that see the same frames.

    Where several of them have the same thing done with these frames, it is done for the first one,
    and the others get what came out: the same memory, which nobody writes to any more.

    Parameters
    ----------
    shares : sequence of Share
        They have begun.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = [share for share in shares if share.steps]
        self._same: dict[object, list[tuple[Share, Step]]] = {}
        for share in self._shares:
            for step in share.steps:
                # Shape and dtype as well as the key: `adopt` puts one array in the place of
                # another. What this is for: ten equal analyses take 1.4 times one, not 4.2
                # (docs/decisions/002-shared-scan.md).
                kind = step.key, step.address, step.out.shape, step.out.dtype
                self._same.setdefault(kind, []).append((share, step))

    def feed(self, frames: Array, numbers: Frames, row: int, depth: int) -> None:
        """Let all steps see frames that are rows of the partition from `row` on; see `drive`."""
        # Entered once for all tiles of the call: a run does not end while its memory is worked on.
        entered = [share for share in self._shares if share.run.enter()]
        try:
            began = time.perf_counter()
            # The first one's memory is worked on for as long as anybody wants what comes out.
            wanted = [
                same[0][1]
                for same in self._same.values()
                if any(share in entered for share, _ in same)
            ]
            if wanted:
                # Compiled code gets an address, and one stride.
                lying = frames if stride_of(frames) else np.ascontiguousarray(frames)
                drive(lying, numbers, depth, [step.at(row) for step in wanted])
            # Shared out evenly: one call drives all steps, so what each of them took is not known.
            seconds = (time.perf_counter() - began) / max(len(entered), 1)
            for share in entered:
                share.seconds += seconds
        finally:
            for share in entered:
                share.run.leave()

    def end(self) -> None:
        """Give the others what was done for the first one."""
        for (_, first), *others in self._same.values():
            for share, step in others:
                share.adopt(step, first)
