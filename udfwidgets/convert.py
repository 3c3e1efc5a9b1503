"""Converts a scan from one format to another: ``python -m udfwidgets.convert IN OUT``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from udfwidgets.api import Context
from udfwidgets.errors import DataSetException


def main(arguments: Sequence[str] | None = None) -> int:
    """Read arguments, convert a scan with a bar of progress, and return the exit status."""
    given = _parser().parse_args(arguments)
    asked_for = {"nav_shape": given.nav_shape, "ds_path": given.ds_path}
    options = {name: value for name, value in asked_for.items() if value is not None}
    try:
        _convert(given, options)
    except (DataSetException, OSError, TypeError, ValueError) as error:
        print(f"{given.input} is not converted: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted: there is no {given.output}", file=sys.stderr)
        return 130
    return 0


def _convert(given: argparse.Namespace, options: dict[str, Any]) -> None:
    with Context() as ctx:
        dataset = ctx.load(given.type, path=given.input, **options)
        ctx.export_dataset(
            dataset, given.output, progress=not given.quiet, overwrite=given.overwrite
        )


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m udfwidgets.convert", description=__doc__)
    parser.add_argument("input", metavar="IN", help="any file that load('auto', ...) opens")
    parser.add_argument("output", metavar="OUT", help="ends in .npy, .h5, .zarr, .mib or .blo")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--type", default="auto", help="type of IN, where it cannot be told")
    parser.add_argument("--nav-shape", type=_shape, metavar="Y,X", help="scan shape of IN")
    parser.add_argument("--ds-path", metavar="PATH", help="which dataset in IN, of several")
    return parser


if __name__ == "__main__":
    sys.exit(main())
