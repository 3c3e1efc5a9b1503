"""The command line: ``python -m benchmarks --peer-python .venv-libertem/bin/python [--quick]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.cases import FULL, QUICK, measure_all
from benchmarks.report import machine_facts, print_tables, write_json

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small file and fewer rounds")
    parser.add_argument("--python", default=sys.executable, help="python that has udfwidgets")
    parser.add_argument("--peer-python", default=None, help="python that has libertem")
    parser.add_argument("--no-ours", action="store_true", help="leave udfwidgets out")
    parser.add_argument("--data", type=Path, default=HERE / "data", help="folder for the files")
    parser.add_argument("--output", type=Path, help="results.json, or data/quick.json if quick")
    arguments = parser.parse_args()

    by_default = arguments.data / "quick.json" if arguments.quick else HERE / "results.json"
    results = measure_all(
        QUICK if arguments.quick else FULL,
        data=arguments.data,
        python=arguments.python,
        peer_python=arguments.peer_python,
        ours=not arguments.no_ours,
    )
    results["machine"] = machine_facts()
    write_json(arguments.output or by_default, results)
    print_tables(results)
    return 0 if results["correct"] else 1


if __name__ == "__main__":
    sys.exit(main())
