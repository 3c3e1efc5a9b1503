"""Virtual detectors that are moved by a pixel: by a new run each, out of a store, and by NumPy."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks import detectors

TILE = 64


class MoveOrders:
    """Orders to a package with the UDF contract about detectors that move."""

    context: Any
    dataset: Any
    sig_shape: tuple[int, ...]

    def _import(self, module: str) -> Any:
        raise NotImplementedError

    def rerun(self, kind: str, steps: list[int]) -> list[float]:
        """Seconds of a new run for each place of a detector."""
        seconds = []
        for step in steps:
            mask = detectors.moved(self.sig_shape, kind, step)
            udf = self._import("udf.masks").ApplyMasksUDF(mask_factories=[lambda mask=mask: mask])
            begin = time.perf_counter()
            self.context.run_udf(dataset=self.dataset, udf=udf)
            seconds.append(time.perf_counter() - begin)
        return seconds

    def open_store(self, scan: dict[str, Any], rounds: int) -> dict[str, list[float]]:
        """Build a store of the scan in memory, which is kept.

        Returns
        -------
        dict
            Seconds, round by round: ``copy`` of the array, ``build`` of the store; ``plain``, of a
            run alone, and ``beside``, of one that begins while a store is built.
        """
        # Only we have a store: the other packages' environments do not have this module.
        from udfwidgets import SumSigUDF  # noqa: PLC0415
        from udfwidgets.store import PixelStore  # noqa: PLC0415

        shape = (*scan["nav_shape"], *self.sig_shape)
        self.array = np.fromfile(scan["path"], scan["dtype"]).reshape(shape)
        dataset, executor = self.context.load("memory", data=self.array), self.context.executor

        def build() -> None:
            with PixelStore(executor, dataset) as store:
                store.wait()

        def run() -> None:
            self.context.run_udf(dataset, SumSigUDF())

        found: dict[str, list[float]] = {"copy": [], "build": [], "plain": [], "beside": []}
        build()  # the first one finds everything cold
        for _ in range(rounds):
            turn = self._turn(build, run, lambda: PixelStore(executor, dataset))
            for name, value in zip(found, turn, strict=True):
                found[name].append(value)
        self.store = PixelStore(executor, dataset)
        self.store.wait()
        return found

    def _turn(self, build: Any, run: Any, begin: Any) -> tuple[float, ...]:
        copy = np.zeros_like(self.array)
        copy[...] = 1  # so that its memory is there
        copied = _seconds(lambda: np.copyto(copy, self.array))
        built, plain = _seconds(build), _seconds(run)
        with begin():
            return copied, built, plain, _seconds(run)

    def move_stored(self, kind: str, steps: list[int]) -> dict[str, Any]:
        """Seconds of each move out of the store; the last answer is compared with NumPy's."""
        moving, masks = self.store.moving(), self._masks(kind, steps)
        moving.moved(detectors.moved(self.sig_shape, kind, steps[0] - 1) > 0)
        seconds = [_seconds(lambda mask=mask: moving.moved(mask)) for mask in masks]
        right = np.array_equal(moving.moved(masks[-1]), self._by_numpy(masks[-1]))
        return {"seconds": seconds, "right": right}

    def move_numpy(self, kind: str, steps: list[int]) -> list[float]:
        """Seconds that NumPy takes for each place, on the array in memory."""
        return [
            _seconds(lambda mask=mask: self._by_numpy(mask)) for mask in self._masks(kind, steps)
        ]

    def close_store(self) -> None:
        self.store.close()
        del self.array

    def _masks(self, kind: str, steps: list[int]) -> list[Any]:
        return [detectors.moved(self.sig_shape, kind, step) > 0 for step in steps]

    def _by_numpy(self, mask: Any) -> Any:
        """Sum in tiles of the size of a cache: the whole array at once takes longer."""
        pixels = np.flatnonzero(mask)
        flat = self.array.reshape(-1, mask.size)
        sums = np.empty(len(flat), np.uint64)
        for at in range(0, len(flat), TILE):
            np.take(flat[at : at + TILE], pixels, axis=1).sum(
                axis=1, dtype=np.uint64, out=sums[at : at + TILE]
            )
        return sums.reshape(self.array.shape[: -mask.ndim])


def _seconds(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
