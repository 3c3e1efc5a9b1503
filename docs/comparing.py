"""Compares the record of LiberTEM's names with what is here: nothing may be unaccounted for."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attributes import attributes

from udfwidgets.engine.executors import arguments as of_executors
from udfwidgets.io import arguments as of_datasets
from udfwidgets.names.elsewhere import elsewhere

RECORD = Path(__file__).parent / "libertem_names.txt"
DIFFERENCES = Path(__file__).parent / "libertem_differences.txt"
_ABSENT = elsewhere()
#: What can be said of a name or parameter.
SAME, BY_NAME, BY_POSITION = "same", "by name", "by position"
WITHOUT_EFFECT, REFUSED, NOT_HERE = "without effect", "refused", "not here"


@dataclass(frozen=True)
class Name:
    """A line of the record.

    Attributes
    ----------
    path : str
        ``module.name``, or ``module.class.member``.
    parameters : tuple of str, or None
        As `libertem_names.py` writes them; None for what is not called.
    home : str
        Another path that is the same thing, or ''.
    cut : bool
        Whether the members of a class are left out, for it is not here.
    """

    path: str
    parameters: tuple[str, ...] | None
    home: str
    cut: bool


@dataclass
class Row:
    """What is said of a name: of itself, and of each parameter."""

    name: Name
    owner: str
    status: str = SAME
    advice: str = ""
    parameters: list[tuple[str, str, str]] = field(default_factory=list)


def read_record(text: str) -> list[Name]:
    """Return the names of a record."""
    found = []
    for line in text.splitlines()[1:]:
        path, _, home = line.removesuffix(" ...").partition(" = ")
        path, called, inside = path.partition("(")
        parameters = tuple(filter(None, inside.rstrip(")").split(", "))) if called else None
        found.append(Name(path, parameters, home, line.endswith(" ...")))
    return found


def read_differences(text: str) -> dict[str, tuple[str, str]]:
    """Return what was written down by hand, by ``path`` or ``path(parameter)``."""
    found: dict[str, tuple[str, str]] = {}
    status = advice = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            status, _, advice = line.partition(": ")
        elif match := re.fullmatch(r"\s+(\S+)\((.+)\)", line):
            found |= {f"{match[1]}({name})": (status, advice) for name in match[2].split()}
        else:
            owner, _, names = line.strip().partition(": ")
            found |= {f"{owner}.{name}": (status, advice) for name in names.split()}
    return found


class Comparison:
    """What is said of every name of the record.

    Attributes
    ----------
    rows : list of Row
        One for each name.
    faults : list of str
        What is not accounted for, and what was written down and is not so.
    """

    def __init__(self, record: str, differences: str) -> None:
        self._names = {name.path: name for name in read_record(record)}
        self._written = read_differences(differences)
        self._used: set[str] = set()
        self.faults: list[str] = []
        self.rows = [self._row(name) for name in self._names.values()]
        self.faults += [f"{path}: not so, or not asked" for path in {*self._written} - self._used]

    def _said(self, path: str) -> tuple[str, str]:
        """Return what was written down of a path, or of all that belongs to its owner."""
        owner = path[: path.rindex("(" if path.endswith(")") else ".")]
        wildcard = f"{owner}(*)" if path.endswith(")") else f"{owner}.*"
        for key in (path, wildcard):
            if key in self._written:
                self._used.add(key)
                return self._written[key]
        return "", ""

    def _row(self, name: Name) -> Row:
        owner, _, short = name.path.rpartition(".")
        is_member = owner in self._names
        module = owner.rpartition(".")[0] if is_member else owner
        row = Row(name, owner)
        found, advice = _find(module, owner.rpartition(".")[2] if is_member else short)
        if advice:
            row.status, row.advice = NOT_HERE, advice
            return row
        if name.cut:
            self.faults.append(f"{name.path} is here: record its members, too")
        if is_member and not _has(found, short):
            row.status, row.advice = self._said(name.path)
            if row.status != NOT_HERE:
                self.faults.append(f"{name.path} is not here, and nothing says what to do")
            return row
        if found is None:
            self.faults.append(f"{name.path} is not here, and nothing says what to do")
            return row
        thing = getattr(found, short, None) if is_member else found
        if name.home and _find(*name.home.rsplit(".", 1))[0] is not found:
            self.faults.append(f"{name.path} is not the same as {name.home}")
        elif not name.home and name.parameters is not None:
            static = inspect.getattr_static(found, short, None) if is_member else None
            self._compare(row, thing, skip=inspect.isfunction(static))
        return row

    def _compare(self, row: Row, thing: Any, *, skip: bool) -> None:
        """Say for each parameter how it is taken here."""
        try:
            ours = list(inspect.signature(thing).parameters.values())[skip:]
        except ValueError:  # written in C
            ours = []
        taken = set()
        for at, written in enumerate(row.name.parameters or ()):
            said, own = self._parameter(row.name.path, thing, at, written, ours)
            row.parameters.append((written.rstrip(":="), *said))
            taken.add(own)
        for own in ours:
            if own.default is own.empty and own.name not in taken and own.kind.value in (0, 1, 3):
                path = f"{row.name.path}({own.name})"
                if self._said(path)[0] != NOT_HERE:
                    self.faults.append(f"{path} is needed here, and not there")

    def _parameter(
        self, path: str, thing: Any, at: int, written: str, ours: list[inspect.Parameter]
    ) -> tuple[tuple[str, str], str]:
        """Return what is said of a parameter, and the name of the one here that takes it."""
        bare = written.strip("*:=")
        path = f"{path}({bare})"
        kinds = {f"*{bare}": 2, f"**{bare}": 4}
        found = [
            n
            for n, own in enumerate(ours)
            if own.kind.value == kinds.get(written, own.kind.value)
            and (own.name == bare or written in kinds)
        ]
        reason = _without_effect(thing, bare)
        if found and not reason:
            own = ours[found[0]]
            said = self._written.get(path, ("", ""))
            if said[0] in (WITHOUT_EFFECT, REFUSED):
                self._used.add(path)
                return said, own.name
            if written.endswith("=") and own.default is own.empty:
                said = self._said(path)
                if said[0] != NOT_HERE:
                    self.faults.append(f"{path} is needed here, and not there")
                return said, own.name
            moved = ":" not in written and written not in kinds
            moved = moved and (own.kind.value == 3 or found[0] != at)
            return (BY_NAME if moved else SAME, ""), own.name
        if reason:
            return (WITHOUT_EFFECT, reason), bare
        said = self._said(path)
        if said[0] == BY_POSITION and at < len(ours) and ours[at].kind.value in (0, 1):
            return (BY_POSITION, ours[at].name), ours[at].name
        passed = any(own.kind.value == 4 for own in ours)
        if said[0] != NOT_HERE and not (said[0] == WITHOUT_EFFECT and passed):
            self.faults.append(f"{path} is not taken here, and nothing says what to do")
        return said, ""


def _find(module: str, name: str) -> tuple[Any, str]:
    """Return what is here under a name, or what to do instead."""
    advice = _ABSENT.get(module, {}).get(name, "")
    try:
        found = getattr(importlib.import_module(f"udfwidgets.{module}"), name)
    except (ImportError, AttributeError):
        return None, advice
    return (None, advice) if advice and found.__doc__ == f"Not here: {advice}." else (found, "")


def _has(cls: Any, name: str) -> bool:
    """Return whether a class has a member, or sets it on its instances."""
    bases = [
        base for base in getattr(cls, "__mro__", ()) if base.__module__.startswith("udfwidgets")
    ]
    return hasattr(cls, name) or any(name in attributes(base) for base in bases)


def _without_effect(thing: Any, name: str) -> str:
    """Return why an argument is without effect, where the code itself has a table of them."""
    if isinstance(thing, of_datasets.DataSetType):
        known = inspect.signature(thing).parameters
        if name in of_datasets.RENAMED:
            return f"is `{of_datasets.RENAMED[name]}` today"
        if name == "datashape":
            return "makes an empty scan, where there is no `data`"
        if name not in known:
            return of_datasets.WITHOUT_EFFECT.get(name, "")
    elif "executors" in getattr(thing, "__module__", ""):
        return of_executors.WITHOUT_EFFECT.get(name, "")
    return ""
