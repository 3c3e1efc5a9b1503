"""The bars that we hold ourselves to, and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import DASK, LIBERTEM_BEST, LIMIT, NUMPY, OURS, OURS_RAW
from benchmarks.measure.throughput import named
from benchmarks.processes import median_ratio

WAS_OVER = "was over"
"""The value where a run ended before there was anything to measure."""


@dataclass(frozen=True)
class Bar:
    """A bound for one number.

    Parameters
    ----------
    key : str
        Of the row or the quantity.
    bound : float or str
        What the number must reach, or must not exceed, or the word that it must be.
    than : str or None
        Whose speed ours is divided by; None for a quantity of our own.
    at_least : bool
        Whether the bound is a lower one.
    """

    key: str
    bound: float | str
    than: str | None = None
    at_least: bool = False

    def judge(self, value: Any) -> bool | None:
        """Tell whether a value meets the bar; None if there is nothing to tell from."""
        if value in (None, WAS_OVER):
            return None
        if isinstance(self.bound, str) or isinstance(value, str):
            return bool(value == self.bound)
        return bool(value >= self.bound if self.at_least else value <= self.bound)


def _faster(key: str, bound: float, than: str = LIBERTEM_BEST) -> Bar:
    return Bar(key, bound, than, at_least=True)


BARS = (
    _faster("sums", 0.85, LIMIT),
    _faster("sums", 3),
    _faster("mask", 1, NUMPY),
    _faster("mask", 3),
    _faster("masks8", 2.5),
    _faster("stddev", 3),
    _faster("com", 3),
    _faster("framemax", 2),
    _faster("compiledmax", 8),
    _faster("gzip", 5),
    _faster("bslz4", 2.5),
    _faster("bslz4-frames", 2),
    _faster("chunked", 6),
    _faster("contiguous", 3),
    *(
        bar
        for key, part in (
            *((key, 0.9) for key in ("dm", "empad", "blo", "seq", "mrc")),
            ("tvips", 0.8),
        )
        for bar in (_faster(key, part, OURS_RAW), _faster(key, 3))
    ),
    _faster("k2is", 3),
    _faster("frms6", 3),
    _faster("zarr", 5, DASK),
    Bar("steps", 40, at_least=True),
    Bar("cost", 1.05),
    Bar("first", 0.025),
    Bar("tiny", 0.002),
    Bar("two-raw", 1.2),
    Bar("four-raw", 1.5),
    Bar("ten-raw", 2.5),
    Bar("two-gzip", 1.2),
    Bar("four-gzip", 1.5),
    Bar("ten-gzip", 2.5),
    Bar("live-raw", 1.1),
    Bar("shown-raw", 1.1),
    Bar("live-gzip", 1.1),
    Bar("shown-gzip", 1.1),
    Bar("cancel-cpu", 0.02),
    Bar("cancel-idle", 0.05),
    Bar("cancel-cpu-gzip", 0.02),
    Bar("cancel-idle-gzip", 0.05),
    Bar("cancel-cpu-python", 0.02),
    Bar("cancel-idle-python", 0.05),
    *(
        Bar(f"moved-{kind}-{than}", bound, at_least=True)
        for kind in ("disk", "annulus")
        for than, bound in (("peers", 15), ("numpy", 8), ("again", 10))
    ),
    Bar("store-copy", 1 / 3, at_least=True),
    Bar("store-beside", 1.05),
    Bar("processes-counted-threads", 1.85, at_least=True),
    Bar("processes-counted-dask", 1.2, at_least=True),
    Bar("processes-framemax-best", 1.5, at_least=True),
    Bar("processes-sums-dask", 1.5, at_least=True),
    Bar("processes-sums-threads", 0.8, at_least=True),
    Bar("processes-first", 0.15),
    Bar("processes-two", 1.3),
    Bar("processes-memory", 1.5),
    Bar("painted-256-imagegl", 1.3, at_least=True),
    Bar("painted-1024-imagegl", 3, at_least=True),
    Bar("painted-4096-imagegl", 10, at_least=True),
    Bar("painted-making-256", 0.001),
    Bar("contrast-moves", 0.95, at_least=True),
    Bar("iterators", "ends"),
    Bar("instance", "right"),
    Bar("history", "stays"),
    Bar("start", 0.6),
    Bar("memory", 250e6),
    Bar("inexact", 0),
    Bar("huge", 250e6),
)


def speed_ratio(row: dict[str, Any], than: str) -> float | None:
    """Return how many times as fast as another contender we are, or None without one of the two."""
    seconds = row["seconds"]
    label = named(seconds, than)
    if OURS not in seconds or label is None or label not in seconds:
        return None
    return median_ratio(seconds[label], seconds[OURS])


def bars_of(key: str) -> list[Bar]:
    return [bar for bar in BARS if bar.key == key]


def value_for(bar: Bar, results: dict[str, Any]) -> Any:
    """Return the number that a bar is about, or None if it was not measured."""
    if bar.than is not None:
        row = results["throughput"].get(bar.key)
        return row and speed_ratio(row, bar.than)
    return results["live"].get(bar.key, {}).get(OURS)
