"""The formulas of a view, by title."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping

from udfwidgets.explore.formula import Formula, can_stand


class Formulas(MutableMapping[str, str]):
    """Texts by title, checked when they are set; see `Formula`.

    Parameters
    ----------
    given : mapping
        What to begin with.
    on_change : callable
        Called with the title of one that was set or deleted.
    """

    def __init__(self, given: Mapping[str, str], on_change: Callable[[str], None]) -> None:
        # Replaced, never changed: it may be read on any thread without a lock.
        self._formulas = {title: Formula(text) for title, text in given.items()}
        self._on_change = on_change

    def __getitem__(self, title: str) -> str:
        return self._formulas[title].text

    def __iter__(self) -> Iterator[str]:
        return iter(self._formulas)

    def __len__(self) -> int:
        return len(self._formulas)

    def __setitem__(self, title: str, text: str) -> None:
        if not isinstance(title, str) or not title:
            raise TypeError(f"the title of a formula is {title!r}, expected a str")
        self._formulas = {**self._formulas, title: Formula(text)}
        self._on_change(title)

    def __delitem__(self, title: str) -> None:
        if title not in self._formulas:
            raise KeyError(title)
        self._formulas = {t: each for t, each in self._formulas.items() if t != title}
        self._on_change(title)

    def rename(self, name: str, new: str) -> list[str]:
        """Follow a detector that is called something else; return the titles of what names it.

        Where the new name cannot stand in a formula, the old one does, and nothing is called so.
        """
        titles = [title for title, each in self._formulas.items() if name in each.names]
        if can_stand(new):
            followed = {title: self._formulas[title].renamed(name, new) for title in titles}
            self._formulas = {**self._formulas, **followed}
        return titles

    def parsed(self) -> Mapping[str, Formula]:
        """Return them by title, as they are now."""
        return self._formulas

    def of_moments(self) -> frozenset[str]:
        """Return the names of the detectors of which a centre of mass is asked."""
        return frozenset().union(*(each.of_moments for each in self._formulas.values()))
