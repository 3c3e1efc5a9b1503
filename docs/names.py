"""Writes the table of LiberTEM's names into docs/migrating.md: ``python docs/names.py``."""

from __future__ import annotations

from pathlib import Path

from udfwidgets.names.elsewhere import elsewhere
from udfwidgets.names.homes import homes

GUIDE = Path(__file__).parent / "migrating.md"
BEGIN, END = "<!-- names: written by docs/names.py -->\n", "<!-- end of names -->"


def table() -> str:
    """Return a row for each module: what of it is here, and what is not, with what to do."""
    here, there = homes(), elsewhere()
    rows = ["| module | here, under this path or that of its home | not here |", "|---|---|---|"]
    for module in sorted({*here, *there}):
        found = ", ".join(_home(name, home) for name, home in here.get(module, {}).items())
        advices: dict[str, list[str]] = {}
        for name, advice in there.get(module, {}).items():
            advices.setdefault(advice, []).append(f"`{name}`")
        absent = "; ".join(f"{', '.join(names)}: {advice}" for advice, names in advices.items())
        rows.append(f"| `{module}` | {found} | {absent} |")
    return "\n".join(rows) + "\n"


def _home(name: str, home: str) -> str:
    module, _, other = home.partition(":")
    if not module.startswith("udfwidgets"):
        return f"`{name}` is `{module}.{other}`"
    return f"`{name}`: `{module.removeprefix('udfwidgets.')}.{other}`"


def written(guide: str) -> str:
    """Return the guide with the table as it is now."""
    before, rest = guide.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + table() + "\n" + END + after


if __name__ == "__main__":
    GUIDE.write_text(written(GUIDE.read_text("utf-8")), "utf-8")
