"""What a user asks of a run: the options that its calls share, and checks of what is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from udfwidgets.engine.ends.bar import ProgressReporter
from udfwidgets.engine.plan.order import Order
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.stream import StreamDataSet
from udfwidgets.udf.base import UDF

#: One UDF, whose results are then a dict, or several, whose results are a tuple of them.
UDFs = UDF | Sequence[UDF]


class RunOptions(TypedDict, total=False):
    """Options of `Context.run_udf` and `Context.run_udf_iter`, which say what they are.

    Type checkers take them from here for each form of the two calls; a call itself names them once.
    """

    corrections: CorrectionSet | None
    progress: bool | ProgressReporter
    backends: Any
    plots: Any
    order: Order | None


def check_dataset(dataset: Any, sync: bool = False) -> None:
    """Raise if that is no dataset, or the call would wait for frames that come after it only."""
    if not isinstance(dataset, DataSet):
        raise TypeError(f"dataset is a {type(dataset).__name__}, expected one from ctx.load()")
    if sync and isinstance(dataset, StreamDataSet):
        dataset.check_blocking()


def check_corrections(corrections: Any) -> None:
    """Raise unless that is a set of corrections, or none."""
    if not isinstance(corrections, CorrectionSet | None):
        raise TypeError(f"corrections is a {type(corrections).__name__}, expected a CorrectionSet")


def check_backends(backends: Any) -> None:
    """Raise if backends are asked for without the one there is."""
    if backends is not None and "numpy" not in backends:
        raise ValueError(f"backends={backends!r} leaves out 'numpy', which is the one here: add it")


def as_udfs(udf: Any) -> tuple[UDF, ...]:
    """Return one UDF, or a list or tuple of them, as a tuple of instances."""
    udfs = tuple(udf) if isinstance(udf, (list, tuple)) else (udf,)
    if not udfs:
        raise ValueError("the list of UDFs is empty: give at least one, such as [SumUDF()]")
    for one in udfs:
        if isinstance(one, type) and issubclass(one, UDF):
            raise TypeError(
                f"{one.__name__} is a UDF class, expected an instance: write {one.__name__}()"
            )
        if not isinstance(one, UDF):
            raise TypeError(f"{one!r} is a {type(one).__name__}, expected an instance of UDF")
    return udfs
