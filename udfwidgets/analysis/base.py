"""The contract of an analysis: which UDF to run, where, and what to make of its results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets.analysis.colours import CYCLIC, Covered, picture, rgb_from_2dvector
from udfwidgets.analysis.results import AnalysisResult, AnalysisResultSet
from udfwidgets.buffers import Array, BufferWrapper
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.names import further
from udfwidgets.told.values import called
from udfwidgets.udf.base import UDF

__all__ = ["Analysis", "AnalysisResult", "AnalysisResultSet"]


class Analysis(ABC):
    """A UDF for a dataset, and what its results are called.

    Parameters
    ----------
    dataset : DataSet
        What to look at.
    parameters : mapping
        By name; those that are left out, or None, take the analysis' defaults.
    """

    def __init__(self, dataset: DataSet, parameters: Mapping[str, Any]) -> None:
        self.dataset = dataset
        given = {name: value for name, value in parameters.items() if value is not None}
        self.parameters: dict[str, Any] = {**self.get_parameters(given), **given}

    def __repr__(self) -> str:
        return called(type(self).__name__, {"dataset": self.dataset, **self.parameters})

    def get_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with defaults for those that were not given."""
        return dict(parameters)

    @abstractmethod
    def get_udf(self) -> UDF:
        """Return the UDF to run."""

    def get_roi(self) -> Any:
        """Return where to run it, if the user does not say; None for everywhere."""
        return None

    @abstractmethod
    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return the results for the user.

        Parameters
        ----------
        udf_results : mapping
            What the UDF gave.
        roi : object
            Where it ran.
        damage : numpy.ndarray of bool, or True
            Which scan positions are in.
        """


def lin_and_log(
    data: Array, key: str, title: str, desc: str, covered: Covered, *, log_first: bool = False
) -> list[AnalysisResult]:
    """Return a result twice, with a linear and a logarithmic picture.

    Complex data come as magnitude, and in addition as real part, imaginary part, phase and
    vectors. The result that is meant to be looked at has the plain key.
    """
    lin_key, log_key = (f"{key}_lin", key) if log_first else (key, f"{key}_log")
    is_complex = data.dtype.kind == "c"
    size, word = (np.abs(data), " of the magnitude") if is_complex else (data, "")
    lin = AnalysisResult(
        size, partial(picture, size, covered), f"{title} [lin]", f"{desc}{word}, linear", lin_key
    )
    log = AnalysisResult(
        size,
        partial(picture, size, covered, logarithmic=True),
        f"{title} [log]",
        f"{desc}{word}, logarithmic",
        log_key,
    )
    if not is_complex:
        return [log, lin] if log_first else [lin, log]
    return [lin, log, *_parts(data, key, title, desc, covered)]


def _parts(data: Array, key: str, title: str, desc: str, covered: Covered) -> list[AnalysisResult]:
    phase = np.angle(data)
    pictures = {
        "real": (data.real, partial(picture, data.real, covered)),
        "imag": (data.imag, partial(picture, data.imag, covered)),
        "angle": (phase, partial(picture, phase, limits=(-np.pi, np.pi), colormap=CYCLIC)),
        "complex": (data, partial(rgb_from_2dvector, data.imag, data.real)),
    }
    return [
        AnalysisResult(array, shown, f"{title} [{part}]", f"{desc}, {part}", f"{key}_{part}")
        for part, (array, shown) in pictures.items()
    ]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
