"""What comes out: tables on the terminal and in Markdown, and a JSON file with every number."""

from __future__ import annotations

import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report.tables import Table, all_tables

HEAD = """\
# Results

This page is made by `make bench`; [README.md](README.md) says how the numbers come about, and
`results.json` has all of them.

![Speed of udfwidgets, of LiberTEM and of the best other peer, as a part of the limit](results.svg)
"""


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
    """Write all numbers."""
    path.write_text(json.dumps(results, indent=1) + "\n")


def write_markdown(path: Path, results: dict[str, Any]) -> None:
    """Write all tables, and what they depend on."""
    machine = results["machine"]
    facts = (
        f"{machine['when']}, {machine['processor']}, {machine['processors']} processors, "
        f"{machine['memory'] / 2**30:.0f} GiB, {machine['system']}, Python {machine['python']}, "
        f"NumPy {machine['numpy']}, numba {machine['numba']}."
    )
    verdict = "All results are NumPy's." if results["correct"] else "**Some results are wrong.**"
    parts = [HEAD, f"{facts} {verdict}\n", *map(_markdown, all_tables(results))]
    path.write_text("\n".join(parts))


def print_tables(results: dict[str, Any]) -> None:
    """Print all tables."""
    for table in all_tables(results):
        print(f"\n{table.title}")
        if table.note:
            print(f"  {table.note}")
        _print(table)
    print(f"\nresults are {'right' if results['correct'] else 'WRONG'}")


def _markdown(table: Table) -> str:
    lines = [f"## {table.title}\n"]
    if table.note:
        lines.append(f"{table.note}\n")
    lines.append("| " + " | ".join(table.header) + " |")
    lines.append("|---|" + "---:|" * (len(table.header) - 1))
    lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _print(table: Table) -> None:
    rows = [[cell.replace("**", "") for cell in row] for row in (table.header, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "   ".join([first, *others]).rstrip())
