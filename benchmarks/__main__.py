"""The command line: ``python -m benchmarks [--quick] [--only PATTERN]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.contenders import contenders
from benchmarks.extent import FULL, QUICK
from benchmarks.report.plot import write_plot
from benchmarks.report.write import machine_facts, print_tables, write_json, write_markdown
from benchmarks.suite import run_all

HERE = Path(__file__).parent
ROOT = HERE.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files and fewer rounds")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows and cases, by name")
    parser.add_argument("--python", default=sys.executable, help="python that has udfwidgets")
    parser.add_argument("--libertem", default=str(ROOT / ".venv-libertem/bin/python"))
    parser.add_argument("--peers", default=str(ROOT / ".venv-peers/bin/python"))
    parser.add_argument("--data", type=Path, default=HERE / "data", help="folder for the files")
    arguments = parser.parse_args()

    everyone = contenders(arguments.python, arguments.libertem, arguments.peers)
    extent = QUICK if arguments.quick else FULL
    results = run_all(extent, everyone, arguments.data, arguments.only)
    results["machine"] = machine_facts()
    # What is committed is a whole run of the full extent, and nothing less.
    target = arguments.data if arguments.quick or arguments.only else HERE
    write_json(target / "results.json", results)
    write_markdown(target / "RESULTS.md", results)
    write_plot(target / "results.svg", results)
    print_tables(results)
    print(f"written: {target}/results.json, RESULTS.md, results.svg")
    return 0 if results["correct"] else 1


if __name__ == "__main__":
    sys.exit(main())
