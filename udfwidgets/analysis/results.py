"""What running an analysis gives: named arrays with a picture of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.analysis.colours import pillow_image

Array = npt.NDArray[Any]


class AnalysisResult:
    """One result of an analysis.

    Parameters
    ----------
    raw_data : numpy.ndarray or tuple of numpy.ndarray
        The numbers.
    visualized : numpy.ndarray of uint8, or callable that returns one
        A picture of them, of shape (y, x, 3); a callable is called when it is first looked at.
    title, desc : str
        What it is, in few and in more words.
    key : str
        Its name in the result set.
    include_in_download : bool
        Taken from code written for LiberTEM.
    """

    def __init__(
        self,
        raw_data: Any,
        visualized: Array | Callable[[], Array],
        title: str,
        desc: str,
        key: str,
        include_in_download: bool = True,
    ) -> None:
        self.raw_data = raw_data
        self._picture = visualized
        self.title = title
        self.desc = desc
        self.key = key
        self.include_in_download = include_in_download

    @cached_property
    def visualized(self) -> Array:
        """The picture, RGB in 8 bits."""
        return self._picture() if callable(self._picture) else self._picture

    def get_image(self, save_kwargs: dict[str, Any] | None = None) -> BytesIO:
        """Return the picture as a file in memory: a PNG, or as Pillow's ``save`` is told to."""
        file = BytesIO()
        pillow_image(self.visualized).save(file, **{"format": "png", **(save_kwargs or {})})
        file.seek(0)
        return file

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy:
            return np.array(self.raw_data, dtype=dtype)
        return np.asarray(self.raw_data, dtype=dtype)

    def __repr__(self) -> str:
        return f"<AnalysisResult: {self.key}>"

    def __str__(self) -> str:
        names = ("title", "desc", "key", "raw_data", "visualized")
        return "".join(f"{name}: {getattr(self, name)}\n" for name in names)


class AnalysisResultSet(Sequence[AnalysisResult]):
    """The results of an analysis: a sequence of them, each also found by its key.

    ``results[0]``, ``results["intensity"]`` and ``results.intensity`` can be the same.

    Parameters
    ----------
    results : sequence of AnalysisResult, or callable that returns one
        A callable is called when something is first looked at.
    raw_results : numpy.ndarray, optional
        What they were made from, if that is of interest.
    """

    def __init__(
        self,
        results: Sequence[AnalysisResult] | Callable[[], Sequence[AnalysisResult]],
        raw_results: Any = None,
    ) -> None:
        self._source = results
        self.raw_results = raw_results

    @cached_property
    def results(self) -> list[AnalysisResult]:
        """The results as a list."""
        return list(self._source() if callable(self._source) else self._source)

    def keys(self) -> list[str]:
        """Return the names of the results."""
        return [result.key for result in self.results]

    def _find(self, key: str) -> AnalysisResult | None:
        return next((result for result in self.results if result.key == key), None)

    def __getattr__(self, key: str) -> AnalysisResult:
        # Private names are looked up before the object is set up, by copy and pickle.
        found = None if key.startswith("_") else self._find(key)
        if found is None:
            raise AttributeError(f"result {key!r} not found{self._offer(key)}")
        return found

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, str):
            return self.results[index]
        found = self._find(index)
        if found is None:
            raise KeyError(f"result {index!r} not found{self._offer(index)}")
        return found

    def _offer(self, key: str) -> str:
        return "" if key.startswith("_") else f", have: {', '.join(self.keys())}"

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[AnalysisResult]:
        return iter(self.results)

    def __repr__(self) -> str:
        return repr(self.results)
