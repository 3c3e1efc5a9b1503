"""Writes migrating-names.md, what is here of each name and parameter of LiberTEM.

``python docs/names.py`` compares with the record in libertem_names.txt, and exits with 1 if
anything is not accounted for. ``python docs/names.py --record PYTHON`` makes the record anew first,
with an interpreter that has LiberTEM.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from comparing import (
    BY_NAME,
    BY_POSITION,
    DIFFERENCES,
    NOT_HERE,
    RECORD,
    REFUSED,
    SAME,
    WITHOUT_EFFECT,
    Comparison,
    Row,
    read_record,
)

from udfwidgets.names.elsewhere import elsewhere
from udfwidgets.names.homes import homes

GUIDE = Path(__file__).parent / "migrating-names.md"
_HOMES = homes()
HEAD = """# The names of LiberTEM, one by one

Made by `docs/names.py` of {version}, of which `docs/libertem_names.txt` is a record. Modules stand
here without the name of the package; [migrating.md](migrating.md) says the rest.

* **same**: is taken under the same name, at the same place. What is marked (by name) is at another
  place, and given as `name=`; what is marked (by position) is called otherwise here.
* **without effect**: is taken, and has no meaning here; datasets and executors say so in the debug
  log.
* **not here**: a name can be imported, and says on use what to do; a member is an `AttributeError`
  and a parameter a `TypeError`. What is marked (refused) is taken with its default alone.
"""


def recorded(python: str) -> str:
    """Return a new record, without members of classes that are not here."""
    script = Path(__file__).parent / "libertem_names.py"
    env = {**os.environ, "MPLBACKEND": "agg"}
    told = subprocess.run([python, script], env=env, capture_output=True, text=True, check=True)
    first, *lines = told.stdout.splitlines()
    names = read_record(told.stdout)
    absent = {f"{module}.{name}" for module, names in elsewhere().items() for name in names}
    has_members = {name.path.rpartition(".")[0] for name in names}
    kept = [first]
    for line, name in zip(lines, names, strict=True):
        if name.path.rpartition(".")[0] not in absent:
            cut = name.path in absent and name.path in has_members
            kept.append(line + " ..." * cut)
    return "\n".join(kept) + "\n"


def page(comparison: Comparison, version: str) -> str:
    """Return the page."""
    modules: dict[str, list[Row]] = {}
    members: dict[str, list[Row]] = {}
    names = {row.name.path for row in comparison.rows}
    for row in comparison.rows:
        (members if row.owner in names else modules).setdefault(row.owner, []).append(row)
    lines = [HEAD.format(version=version)]
    for module in sorted(modules):
        lines += [f"## `{module}`\n", "| name | same | without effect | not here |"]
        lines += ["|---|---|---|---|", *_lines(modules[module], members), ""]
    return "\n".join(lines)


def _lines(rows: list[Row], members: dict[str, list[Row]]) -> Iterator[str]:
    """Yield the lines of a module: each name that is here, and together those that are not."""
    for row in rows:
        if row.status == SAME:
            yield _line(row, f"`{_short(row)}`{_home(row)}")
        own = members.get(row.name.path, [])
        same = ", ".join(f"`{_short(m)}{_called(m)}`" for m in own if _is_same(m))
        absent = "; ".join(f"{names}: {advice}" for advice, names in _absent(own))
        if same or absent:
            yield f"| members of `{_short(row)}` | {same} | | {absent} |"
        for member in own:
            if member.status == SAME and not _is_same(member):
                yield _line(member, f"`{_short(row)}.{_short(member)}`")
    for advice, names in _absent(rows):
        yield f"| {names} | | | {advice} |"


def _absent(rows: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield each advice, and the names for which it is given."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.status == NOT_HERE:
            found.setdefault(row.advice, []).append(f"`{_short(row)}`")
    for advice, names in found.items():
        yield advice, ", ".join(names)


def _line(row: Row, shown: str) -> str:
    said = {"same": list[str](), "without": list[str](), "absent": list[str]()}
    for name, status, advice in row.parameters:
        if status == WITHOUT_EFFECT:
            said["without"].append(f"`{name}`: {advice}")
        elif status in (REFUSED, NOT_HERE):
            said["absent"].append(f"`{name}`: {advice}{' (refused)' * (status == REFUSED)}")
        else:
            marks = {BY_NAME: " (by name)", BY_POSITION: f" (by position, `{advice}` here)"}
            said["same"].append(f"`{name}`{marks.get(status, '')}")
    same = ", ".join(said["same"]) or ("the name alone" if said["absent"] else "yes")
    return f"| {shown} | {same} | {'; '.join(said['without'])} | {'; '.join(said['absent'])} |"


def _home(row: Row) -> str:
    """Return the path under which a name is at home, where that is another one."""
    if row.name.home:
        return f" is `{row.name.home}`"
    home = _HOMES.get(row.owner, {}).get(_short(row), "")
    return f" is `{home.removeprefix('udfwidgets.').replace(':', '.')}`" if home else ""


def _called(row: Row) -> str:
    if row.name.parameters is None:
        return ""
    return f"({', '.join(name for name, _, _ in row.parameters)})"


def _short(row: Row) -> str:
    return row.name.path.removeprefix(f"{row.owner}.")


def _is_same(row: Row) -> bool:
    return row.status == SAME and all(status == SAME for _, status, _ in row.parameters)


def main() -> int:
    """Write the page, and the record if that is asked for; return how many faults there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", metavar="PYTHON", help="interpreter that has LiberTEM")
    if python := parser.parse_args().record:
        RECORD.write_text(recorded(python), "utf-8")
    record = RECORD.read_text("utf-8")
    comparison = Comparison(record, DIFFERENCES.read_text("utf-8"))
    GUIDE.write_text(page(comparison, record.partition("\n")[0]), "utf-8")
    print(*sorted(comparison.faults), sep="\n", file=sys.stderr)
    return min(1, len(comparison.faults))


if __name__ == "__main__":
    sys.exit(main())
