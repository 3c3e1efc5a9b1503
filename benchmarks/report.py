"""What comes out: tables of ratios for people, and a JSON file with every number."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cases import BARE_LOOP, OURS, PEER_BEST, PEER_DEFAULT
from benchmarks.contenders import median_ratio


def machine_facts() -> dict[str, Any]:
    """Return what the numbers depend on besides the code."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        model = next((v.strip() for k, _, v in lines if k.strip() == "model name"), model)
    return {
        "when": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": model,
        "processors": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "numba": metadata.version("numba"),
    }


def write_json(path: Path, results: dict[str, Any]) -> None:
    """Write all numbers, in an order that does not change."""
    path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def print_tables(results: dict[str, Any]) -> None:
    """Print one table per case; a ratio is the median of the ratios within each round."""
    size = results["bytes"] / 2**20
    print(f"\nSum and SumSig in one pass over {size:.0f} MiB, median of {results['rounds']}")
    times = results["sums"]
    _table(
        ["", "GB/s", f"of the {BARE_LOOP}", f"{OURS} is faster by"],
        [
            [
                label
                + ("" if label == PEER_BEST or results["check"][label]["right"] else " WRONG"),
                f"{results['bytes'] / statistics.median(seconds) / 1e9:.2f}",
                f"{median_ratio(times[BARE_LOOP], seconds):.2f}",
                _faster(times, seconds),
            ]
            for label, seconds in times.items()
        ],
    )
    print("\nResults that are not the exact value rounded once (sum, sumsig)")
    _table(
        ["", "not exact"],
        [[label, " ".join(map(str, row["inexact"]))] for label, row in results["check"].items()],
    )
    print("\nIntermediate results of the same run")
    _table(
        ["", "results", "first after", "time of a plain run"],
        [
            [
                label,
                f"{row['steps']:.0f}",
                f"{1000 * row['first_seconds']:.0f} ms",
                f"x {row['cost']:.2f}",
            ]
            for label, row in results["iterate"].items()
        ],
    )
    print("\nAnonymous memory at the highest, with child processes")
    _table(
        ["", "run", "intermediate results"],
        [
            [label, f"{row['run'] / 1e6:.0f} MB", f"{row['iterate'] / 1e6:.0f} MB"]
            for label, row in results["memory"].items()
        ],
    )
    for title, case in (("A scan of 16x16x32x32", "tiny"), ("Import and Context", "start")):
        print(f"\n{title}")
        _table(
            ["", "ms", f"{OURS} is faster by"],
            [
                [label, f"{1000 * statistics.median(t):.1f}", _faster(results[case], t)]
                for label, t in results[case].items()
            ],
        )
    print(f"\nresults are {'right' if results['correct'] else 'WRONG'}; {PEER_DEFAULT} is a plain"
          f" Context(), {PEER_BEST} the executor with the lowest median")  # fmt: skip


def _faster(times: dict[str, list[float]], seconds: Sequence[float]) -> str:
    return f"x {median_ratio(seconds, times[OURS]):.2f}" if OURS in times else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "   ".join([first, *others]).rstrip())
