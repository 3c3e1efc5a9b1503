"""Tries packages and examples, and prints a table: ``python -m tests.thirdparty [NAME ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.thirdparty.fetching import PACKAGES, fetch, renamed
from tests.thirdparty.trying import EXAMPLES, passed, results_of, same

FOLDER = Path(__file__).parents[2] / ".cache/thirdparty"


def main(names: list[str]) -> int:
    """Return 0 if as much as is said passes here, of what passes on LiberTEM."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    theirs = [fetch(package, FOLDER) for package in PACKAGES]
    ours = [renamed(source) for source in theirs]
    for sources in (theirs, ours):
        # The settings of this repository are not for packages that bring none.
        (sources[0].parent / "pytest.ini").write_text("[pytest]\n", "utf-8")
    rows, is_enough = [("tests of", "passed on LiberTEM", "passed here of those")], True
    for package, there, here in zip(PACKAGES, theirs, ours, strict=True):
        if not package.tests or (names and package.name not in names):
            continue
        wanted = passed(package, there, theirs, here=False)
        got = wanted & passed(package, here, ours, here=True)
        is_enough &= len(wanted) > 0 and len(got) >= package.at_least * len(wanted)
        missing = f" (not {package.why})" if len(got) < len(wanted) and package.why else ""
        rows.append((f"{package.name} {package.version}", str(len(wanted)), f"{len(got)}{missing}"))
        for test in sorted(wanted - got):
            print(f"only on LiberTEM: {package.name} {test}", flush=True)
    rows.append(("example", "results on LiberTEM", "the same here"))
    for example in sorted(EXAMPLES.glob("*.py")):
        if names and example.stem not in names:
            continue
        there, here = (results_of(example, s, s is ours) for s in (theirs, ours))
        is_enough &= same(here, there)
        said = "yes" if same(here, there) else f"no: {here if isinstance(here, str) else there}"
        rows.append((example.stem, ", ".join(there) if isinstance(there, dict) else there, said))
    print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
