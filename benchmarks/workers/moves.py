"""Virtual detectors that are moved by a pixel: by new runs, in a view, and by NumPy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import detectors
from benchmarks.workers.masking import Masking

#: Seconds within which a view has to keep its scan in memory.
KEPT = 60.0


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
            seconds.append(_seconds(lambda udf=udf: self._run(udf)))
        return seconds

    def _run(self, udf: Any) -> Any:
        return self.context.run_udf(dataset=self.dataset, udf=udf)

    # Only we have a store: the other packages' environments do not have these modules.

    def build_stores(self, scan: dict[str, Any], rounds: int) -> dict[str, list[float]]:
        """Build stores of the scan in memory.

        Returns
        -------
        dict
            Seconds, round by round: ``copy`` of the array on two threads, into memory that was
            written to before, ``build`` of a store; ``plain``, of a run alone, and ``beside``, of
            one that begins while a store is built.
        """
        from udfwidgets import SumSigUDF, SumUDF  # noqa: PLC0415
        from udfwidgets.store import PixelStore  # noqa: PLC0415

        shape = (*scan["nav_shape"], *self.sig_shape)
        self.array = np.fromfile(scan["path"], scan["dtype"]).reshape(shape)
        self.dataset = self.context.load("memory", data=self.array)
        copy, executor = np.ones_like(self.array), self.context.executor

        def build() -> None:
            with PixelStore(executor, self.dataset) as store:
                store.wait()

        def run() -> None:
            self._run([SumUDF(), SumSigUDF()])

        def beside() -> float:
            with PixelStore(executor, self.dataset) as store:
                while not store.progress.frames:
                    time.sleep(0.001)
                return _seconds(run)

        found: dict[str, list[float]] = {"copy": [], "build": [], "plain": [], "beside": []}
        build()  # the first one finds everything cold
        for _ in range(rounds):
            found["copy"].append(_seconds(lambda: _copy(copy, self.array)))
            found["build"].append(_seconds(build))
            found["plain"].append(_seconds(run))
            found["beside"].append(beside())
        return found

    def open_view(self) -> None:
        """Show the scan in a view, and wait until it is kept in memory."""
        self.view = self.context.explore(self.dataset)
        self.view.wait()
        begin = time.monotonic()
        while not self.view.is_kept:
            if time.monotonic() - begin > KEPT:
                raise RuntimeError("the view does not keep its scan in memory")
            time.sleep(0.01)
        self.masking = Masking(self.array)

    def move(self, kind: str, steps: list[int]) -> dict[str, Any]:
        """Seconds from each move to the exact image; the last one is compared with NumPy's."""
        shapes = [detectors.shape(self.sig_shape, kind, step) for step in steps]
        self._answer(detectors.shape(self.sig_shape, kind, steps[0] - 1))
        seconds = [_seconds(lambda shape=shape: self._answer(shape)) for shape in shapes]
        right = self.array[..., detectors.moved(self.sig_shape, kind, steps[-1]) > 0].sum(axis=-1)
        return {"seconds": seconds, "right": np.array_equal(self._answer(shapes[-1]), right)}

    def _answer(self, shape: Any) -> Any:
        self.view.detectors["moved"] = shape
        return self.view.result("moved")

    def move_numpy(self, kind: str, steps: list[int]) -> tuple[str, list[float]]:
        """In which way NumPy is quickest on the array in memory, and its seconds for each place."""
        return self.masking.strongest(
            [detectors.moved(self.sig_shape, kind, step) > 0 for step in steps]
        )

    def close_view(self) -> None:
        """Give all of it back."""
        self.view.close()
        self.masking.close()
        del self.array, self.dataset


def _copy(into: Any, array: Any) -> None:
    half = len(array) // 2
    other = threading.Thread(target=np.copyto, args=(into[half:], array[half:]))
    other.start()
    np.copyto(into[:half], array[:half])
    other.join()


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
