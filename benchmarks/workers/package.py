"""A package with the UDF contract: ``udfwidgets`` or ``libertem``.

They keep the same contract, so one class measures both: the text is the same but for the name of
the package.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import detectors
from benchmarks.formats import ENVELOPES
from benchmarks.workers.base import Contender
from benchmarks.workers.live import LiveOrders
from benchmarks.workers.moves import MoveOrders

Import = Callable[[str], Any]


class Work(NamedTuple):
    """UDFs that do it, and the names of their results that make the answer."""

    make: Callable[[Import, tuple[int, ...]], list[Any]]
    results: tuple[str, ...]


def _frame_max(package: Import, sig: tuple[int, ...]) -> list[Any]:
    # A class made in a function is pickled whole, as one from a notebook is.
    class FrameMax(package("udf.base").UDF):  # type: ignore[misc]
        def get_result_buffers(self) -> dict[str, Any]:
            return {"maximum": self.buffer(kind="nav", dtype="float32")}

        def process_frame(self, frame: Any) -> None:
            self.results.maximum[:] = frame.max()

    return [FrameMax()]


def _compiled_max(package: Import, sig: tuple[int, ...]) -> list[Any]:
    base = package("udf.base")
    # Nobody else has it.
    ours = base.__name__.startswith("udfwidgets")
    mark = package("udf.compiled.frames").jit_frame if ours else lambda method: method

    class CompiledMax(base.UDF):  # type: ignore[misc]
        def get_preferred_input_dtype(self) -> Any:
            return self.USE_NATIVE_DTYPE

        def get_result_buffers(self) -> dict[str, Any]:
            return {"maximum": self.buffer(kind="nav", dtype="float32")}

        @mark
        def process_frame(self, frame: Any) -> None:
            self.results.maximum[:] = frame.max()

    return [CompiledMax()]


def _counted(package: Import, sig: tuple[int, ...]) -> list[Any]:
    threshold = detectors.THRESHOLD

    class Counted(package("udf.base").UDF):  # type: ignore[misc]
        def get_result_buffers(self) -> dict[str, Any]:
            return {"count": self.buffer(kind="nav", dtype="int64")}

        def process_frame(self, frame: Any) -> None:
            n = 0
            for value in frame.ravel().tolist():
                if value > threshold:
                    n += 1
            self.results.count[:] = n

    return [Counted()]


def _masks(package: Import, masks: list[Any]) -> list[Any]:
    factories = [lambda mask=mask: mask for mask in masks]
    return [package("udf.masks").ApplyMasksUDF(mask_factories=factories)]


WORKS = {
    "sums": Work(
        lambda package, sig: [package("udf.sum").SumUDF(), package("udf.sumsigudf").SumSigUDF()],
        ("intensity", "intensity"),
    ),
    "mask": Work(
        lambda package, sig: _masks(package, [detectors.ring(sig)]),
        ("intensity",),
    ),
    "masks8": Work(
        lambda package, sig: _masks(package, list(detectors.segments(sig))),
        ("intensity",),
    ),
    "stddev": Work(lambda package, sig: [package("udf.stddev").StdDevUDF()], ("std",)),
    "com": Work(lambda package, sig: [package("udf.com").CoMUDF.with_params()], ("raw_com",)),
    "framemax": Work(_frame_max, ("maximum",)),
    "compiledmax": Work(_compiled_max, ("maximum",)),
    "counted": Work(_counted, ("count",)),
}


class PackageContender(LiveOrders, MoveOrders, Contender):
    """Runs UDFs with an executor; without a variant with that of a plain ``Context()``."""

    works = tuple(WORKS)
    formats = ("raw", "hdf5", *ENVELOPES, "k2is", "frms6")

    def __init__(self, name: str, variant: str | None) -> None:
        super().__init__(name, variant)
        if name == "udfwidgets":  # nobody else reads it
            self.formats = (*self.formats, "zarr")

    def start(self) -> dict[str, float]:
        begin = time.perf_counter()
        context_class = importlib.import_module(f"{self.name}.api").Context
        imported = time.perf_counter()
        if self.variant is None:
            self.context = context_class()
        else:
            self.context = context_class.make_with(self.variant)
        return {"import": imported - begin, "context": time.perf_counter() - imported}

    def load(self, scan: dict[str, Any]) -> None:
        self.sig_shape = tuple(scan["sig_shape"])
        if scan["format"] == "hdf5":
            self.dataset = self.context.load("hdf5", path=scan["path"], ds_path=scan["ds_path"])
            return
        if scan["format"] != "raw":
            shape = {"nav_shape": tuple(scan["nav_shape"])} if scan["needs_shape"] else {}
            self.dataset = self.context.load(scan["format"], path=scan["path"], **shape)
            return
        self.dataset = self.context.load(
            "raw",
            path=scan["path"],
            dtype=scan["dtype"],
            nav_shape=tuple(scan["nav_shape"]),
            sig_shape=self.sig_shape,
            sync_offset=scan.get("first", 0),
        )

    def make(self, works: list[str]) -> list[Any]:
        """Return new UDFs for several works."""
        return [udf for work in works for udf in WORKS[work].make(self._import, self.sig_shape)]

    def arrays(self, works: list[str], results: Any) -> list[Any]:
        """Return the answers of several works from the results of all their UDFs."""
        names = [name for work in works for name in WORKS[work].results]
        return [np.asarray(r[name].data) for r, name in zip(results, names, strict=True)]

    def compute(self, works: list[str]) -> list[Any]:
        results = self.context.run_udf(dataset=self.dataset, udf=self.make(works))
        return self.arrays(works, results)

    def stop(self) -> None:
        self.context.close()

    def _import(self, module: str) -> Any:
        return importlib.import_module(f"{self.name}.{module}")


class UnwrappedContender(PackageContender):
    """udfwidgets, given a raw file of the frames where others get that of a detector."""

    def __init__(self, name: str, variant: str | None) -> None:
        super().__init__("udfwidgets", variant)
        self.formats = tuple(ENVELOPES)

    def load(self, scan: dict[str, Any]) -> None:
        super().load(scan["unwrapped"])
