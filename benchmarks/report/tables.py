"""Results as tables, before it is decided where they are written."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import (
    LIBERTEM,
    LIBERTEM_BEST,
    LIBERTEM_DEFAULT,
    LIMIT,
    LOOPS,
    OURS,
    OURS_RAW,
)
from benchmarks.measure.throughput import best_libertem, named
from benchmarks.report.bars import Bar, bars_of, speed_ratio, value_for
from benchmarks.report.quantities import QUANTITIES, Quantity

Results = dict[str, Any]
EXTRA_LOOPS = (*LOOPS, "bare loop, new map", "read only")
MET = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True)
class Table:
    """A title, a sentence, and cells of text, the first column being what each row is about."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def all_tables(results: Results) -> list[Table]:
    """Return every table that there are results for."""
    tables = [overview(results), everyone(results), live(results), executors(results)]
    tables += scaling_tables(results.get("scaling", {}))
    return [table for table in tables if table.rows]


def overview(results: Results) -> Table:
    """Throughput beside the limit, LiberTEM's best and the best of the others."""
    rows = []
    for key, row in results["throughput"].items():
        best = best_libertem(row["seconds"])
        other = best_of_others(row)
        judged = [(bar, value_for(bar, results)) for bar in bars_of(key)]
        rows.append(
            [
                row["title"],
                speed_text(row, OURS),
                _fraction(row, OURS),
                f"{speed_text(row, best)} ({_executor(best)})" if best else "",
                speed_text(row, LIBERTEM_DEFAULT),
                f"{speed_text(row, other)} ({other})" if other else "",
                speed_text(row, LIMIT),
                _times(speed_ratio(row, LIBERTEM_BEST)),
                ", ".join(_bar_text(bar) for bar, _ in judged),
                _met(judged),
            ]
        )
    return Table(
        "Throughput",
        f"GB/s of uncompressed data, medians of {results['rounds']} interleaved rounds; ratios are "
        "medians of the ratios within a round.",
        [
            "", OURS, "of the limit", LIBERTEM_BEST, LIBERTEM_DEFAULT, "best of the others",
            "limit (best loop)", "faster than LiberTEM", "bar", "met",
        ],
        rows,
    )  # fmt: skip


def everyone(results: Results) -> Table:
    """GB/s of every contender in every row."""
    throughput = results["throughput"]
    labels = list(dict.fromkeys(label for row in throughput.values() for label in row["seconds"]))
    return Table(
        "Every contender",
        "GB/s; WRONG where the result is not NumPy's.",
        ["", *labels],
        [
            [row["title"], *(speed_text(row, label) for label in labels)]
            for row in throughput.values()
        ],
    )


def live(results: Results) -> Table:
    """What a person notices, beside LiberTEM's best executor for each quantity."""
    rows = []
    for quantity in _measured(results):
        values = results["live"][quantity.key]
        best = best_libertem(values, highest=quantity.highest_is_best)
        judged = [(bar, value_for(bar, results)) for bar in bars_of(quantity.key)]
        rows.append(
            [
                quantity.title,
                quantity.text(values.get(OURS)),
                f"{quantity.text(values[best])} ({_executor(best)})" if best else _words(values),
                quantity.text(values.get(LIBERTEM_DEFAULT)),
                ", ".join(_live_bar_text(bar, quantity) for bar, _ in judged),
                _met(judged),
            ]
        )
    return Table(
        "Live behaviour",
        "Sum and sum per frame, unless it says otherwise.",
        ["", OURS, LIBERTEM_BEST, LIBERTEM_DEFAULT, "bar", "met"],
        rows,
    )


def executors(results: Results) -> Table:
    """Live behaviour of every executor."""
    measured = _measured(results)
    values = results["live"]
    labels = list(dict.fromkeys(label for q in measured for label in values[q.key]))
    return Table(
        "Live behaviour of every executor",
        "Empty where it was not asked.",
        ["", *labels],
        [[q.title, *(q.text(values[q.key].get(label)) for label in labels)] for q in measured],
    )


def scaling_tables(scaling: Results) -> list[Table]:
    """How the cost grows: seconds, and what they are per amount."""
    tables = []
    for key, title in (("nav", "How cost grows with the scan"), ("sig", "... with the detector")):
        rows = [_beside_loop(point) for point in scaling.get(key, [])]
        header = ["nav x sig", OURS, "GB/s", "best loop", "GB/s", "which", "part of it"]
        tables.append(Table(title, "Sum and sum per frame.", header, rows))
    points = scaling.get("udfs", [])
    rows = [
        [
            str(len(p["works"]) + 1),
            "sum, sum per frame" + "".join(f", {work}" for work in p["works"][1:]),
            *_cost(p, OURS),
            _times(p["seconds"][OURS] / points[0]["seconds"][OURS]),
        ]
        for p in points
    ]
    header = ["UDFs", "which", OURS, "GB/s", "of the first row"]
    tables.append(Table("... with the number of UDFs in one pass", "", header, rows))
    rows = [[_shape(p), f"{p['steps']:.0f}", _times(p["cost"])] for p in scaling.get("steps", [])]
    header = ["nav x sig", "merge steps", "time of a plain run"]
    tables.append(Table("... with the number of merge steps", "", header, rows))
    return tables


def speed(row: Results, label: str) -> float | None:
    """GB/s of uncompressed data, or None."""
    seconds = row["seconds"].get(named(row["seconds"], label))
    return row["bytes"] / statistics.median(seconds) / 1e9 if seconds else None


def speed_text(row: Results, label: str | None) -> str:
    value = None if label is None else speed(row, label)
    if label is None or value is None:
        return ""
    whose = named(row["seconds"], label)
    return f"{value:.2f}" + ("" if row["right"][whose] else " WRONG")


def best_of_others(row: Results) -> str | None:
    """Return the fastest of the peers that are not LiberTEM."""
    mine = {OURS, OURS_RAW, *EXTRA_LOOPS}
    others = [k for k in row["seconds"] if k not in mine and not k.startswith(LIBERTEM)]
    return max(others, key=lambda label: speed(row, label) or 0.0, default=None)


def _beside_loop(point: Results) -> list[str]:
    seconds = point["seconds"]
    best = min((label for label in LOOPS if label in seconds), key=seconds.__getitem__)
    part = f"{seconds[best] / seconds[OURS]:.2f}"
    return [_shape(point), *_cost(point, OURS), *_cost(point, best), best, part]


def _measured(results: Results) -> list[Quantity]:
    return [quantity for quantity in QUANTITIES if results["live"].get(quantity.key)]


def _executor(label: str) -> str:
    return label.removeprefix(LIBERTEM).strip()


def _fraction(row: Results, label: str) -> str:
    ratio = speed_ratio(row, LIMIT)
    return "" if ratio is None else f"{ratio:.2f}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"x {ratio:.2f}"


def _bar_text(bar: Bar) -> str:
    if bar.than == LIMIT:
        return f"{bar.bound:.2f} of the limit"
    if bar.than == OURS_RAW:
        return f"{bar.bound:.2f} of raw"
    return f"x {bar.bound:g}" + ("" if bar.than == LIBERTEM_BEST else f" {bar.than}")


def _live_bar_text(bar: Bar, quantity: Quantity) -> str:
    if isinstance(bar.bound, str):
        return bar.bound
    return f"{'≥' if bar.at_least else '≤'} {quantity.text(bar.bound)}"


def _met(judged: Sequence[tuple[Bar, Any]]) -> str:
    verdicts = [bar.judge(value) for bar, value in judged]
    return ", ".join(MET[verdict] for verdict in verdicts if verdict is not None)


def _words(values: dict[str, Any]) -> str:
    """Write what LiberTEM's executors gave where it is not a number: the bad ones by name."""
    theirs = {_executor(k): v for k, v in values.items() if k.startswith(LIBERTEM)}
    by_word: dict[str, list[str]] = {}
    for executor, word in theirs.items():
        by_word.setdefault(str(word), []).append(executor)
    if len(by_word) == 1:
        return next(iter(by_word))
    return "; ".join(f"{word} ({', '.join(who)})" for word, who in by_word.items())


def _shape(point: Results) -> str:
    return "x".join(map(str, point["nav_shape"] + point["sig_shape"]))


def _cost(point: Results, label: str) -> list[str]:
    seconds = point["seconds"].get(label)
    if seconds is None:
        return ["", ""]
    n_bytes = 2
    for n in point["nav_shape"] + point["sig_shape"]:
        n_bytes *= n
    return [f"{1000 * seconds:.1f} ms", f"{n_bytes / seconds / 1e9:.2f}"]
