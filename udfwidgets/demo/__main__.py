"""Makes the demo scan from a shell: ``python -m udfwidgets.demo DIR``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from udfwidgets.demo.write import FORMATS, make_scan


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, write the files and print their paths."""
    parser = argparse.ArgumentParser(
        prog="python -m udfwidgets.demo",
        description="Write a synthetic 4D-STEM scan of a polycrystal.",
    )
    parser.add_argument("folder", metavar="DIR", help="where the files go; made if needed")
    parser.add_argument("--nav", nargs=2, type=_positive, default=(96, 96), metavar=("Y", "X"))
    parser.add_argument("--sig", nargs=2, type=_positive, default=(64, 64), metavar=("Y", "X"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--format",
        dest="formats",
        action="append",
        choices=sorted(FORMATS),
        help="may be given several times; the default is mib",
    )
    given = parser.parse_args(arguments)
    paths = make_scan(
        given.folder,
        nav_shape=given.nav,
        sig_shape=given.sig,
        seed=given.seed,
        formats=given.formats or ("mib",),
    )
    for path in paths.values():
        print(path)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}, expected 1 or more")
    return number


if __name__ == "__main__":
    main()
