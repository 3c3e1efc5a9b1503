"""The shapes of one image, by name: set by Python on any thread, and by hands in the pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from udfwidgets.geometry import Figure
from udfwidgets.live.shapes.telling import Teller

#: Of the lines of shapes, in the order in which they are given away. All of them stand out from
#: magma and from viridis on their dark seam, and from each other also for the colour-blind.
COLOURS = (
    "#56c8ff",
    "#ffa51f",
    "#7dec6b",
    "#ff7ac2",
    "#ffffff",
    "#ffe74c",
    "#b9a5ff",
    "#ff6a5c",
)
#: Characters; a name is written beside its shape.
LONGEST_NAME = 60

Callback = Callable[[str, "Figure | None", bool], None]


@dataclass(frozen=True)
class Held:
    """A shape with what a page needs to know of it.

    Attributes
    ----------
    colour : int
        Its place in `COLOURS`, which a shape keeps while it changes.
    resting : bool
        Whether no hand is moving it.
    """

    shape: Figure
    colour: int
    resting: bool


class Shapes(MutableMapping[str, Figure]):
    """The shapes on an image, by name, in the order in which they came; see `LiveImage.shapes`.

    It is a mapping that may be read and changed on any thread. What is changed shows in all pages;
    what a hand changes in one of them is here a moment later, also while a cell keeps the kernel
    busy. Whoever iterates over it sees what there was when he began.

    Parameters
    ----------
    on_news : callable
        Called, on the thread of the change, after each one.
    """

    def __init__(self, on_news: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        #: Replaced and never changed, so that it can be read without the lock.
        self._held: dict[str, Held] = {}
        #: Names that shapes had, and what these are called since; replaced as well.
        self._called: dict[str, str] = {}
        self._on_news = on_news
        self._teller: Teller[tuple[Figure | None, bool]] = Teller()

    def __getitem__(self, name: str) -> Figure:
        return self._held[name].shape

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __setitem__(self, name: str, shape: Figure) -> None:
        self.update({name: shape})

    def __delitem__(self, name: str) -> None:
        if name not in self._held:
            raise KeyError(name)
        self._change({name: (None, True)}, by_hand=False)

    def update(self, *others: Any, **shapes: Figure) -> None:
        """Set several shapes, as one change."""
        new = dict(*others, **shapes)
        for name, shape in new.items():
            check_name(name)
            check_shape(name, shape)
        self._change({name: (shape, True) for name, shape in new.items()}, by_hand=False)

    def clear(self) -> None:
        """Delete all shapes, as one change."""
        self._change(dict.fromkeys(self._held, (None, True)), by_hand=False)

    def rename(self, name: str, new: str) -> None:
        """Give a shape another name; it keeps its place and its colour.

        Who listens is told that the one is gone and the other one there; see `now_called`.

        Raises
        ------
        KeyError
            If there is no such shape.
        ValueError
            If another one is called `new`, or nothing can be called so.
        """
        check_name(new)
        with self._lock:
            shape = self._held[name].shape
            if new == name:
                return
            if new in self._held:
                raise ValueError(f"there is a shape {new!r} already: choose another name")
            self._held = self._renamed(self._held, name, new)
        self._on_news()
        self._teller.tell({name: (None, True), new: (shape, True)}, here=True)

    def now_called(self, name: str) -> str | None:
        """Return the name of the shape that was called so, or is; None where it is gone."""
        held, called = self._held, self._called
        found: str | None = name
        while found is not None and found not in held:
            found = called.get(found)
        return found

    def colour(self, name: str) -> str:
        """Return the colour of a shape's lines, as ``#rrggbb``; it keeps it as long as it lives."""
        return COLOURS[self._held[name].colour]

    def is_resting(self, name: str) -> bool:
        """Return whether no hand is moving a shape."""
        return self._held[name].resting

    def on_change(self, callback: Callback) -> Callable[[], None]:
        """Call back whenever a shape is set, moved or deleted.

        Parameters
        ----------
        callback : callable
            Called as ``callback(name, shape, resting)``. `shape` is None for one that was deleted;
            `resting` is False while a hand is moving it, and True once it rests and whenever Python
            has set it. What Python sets is told before the assignment is done, on its thread; what
            a hand does on a thread of its own. Calls come one after the other, and the newest one
            of a name replaces those that have not been made yet. An exception is logged.

        Returns
        -------
        callable
            Ends it.
        """
        return self._teller.add(lambda name, change: callback(name, *change))

    def draw(self, changes: Mapping[str, tuple[Figure | None, bool]]) -> None:
        """Take in what a hand has done: by name the shape, or None, and whether it rests.

        Where one goes and an equal one comes, a shape got another name.
        """
        for name in changes:
            check_name(name)
        self._change(changes, by_hand=True)

    @property
    def held(self) -> Mapping[str, Held]:
        """All there is at this moment; it does not change afterwards."""
        return self._held

    def close(self) -> None:
        """Call nobody any more. The shapes can still be read."""
        self._teller.close()

    def _change(self, changes: Mapping[str, tuple[Figure | None, bool]], *, by_hand: bool) -> None:
        with self._lock:
            before, held = self._held, dict(self._held)
            for name, new in _new_names(changes, held) if by_hand else ():
                held = self._renamed(held, name, new)
            for name, (shape, resting) in changes.items():
                if shape is None:
                    held.pop(name, None)
                else:
                    held[name] = Held(shape, _colour_of(name, held), resting)
            there = [name for name in changes if name in held and name in self._called]
            if there:
                self._called = {old: new for old, new in self._called.items() if old not in there}
            self._held = held
        news = {name: change for name, change in changes.items() if _differs(name, before, held)}
        if news:
            self._on_news()
            self._teller.tell(news, here=not by_hand)

    def _renamed(self, held: Mapping[str, Held], name: str, new: str) -> dict[str, Held]:
        """Return shapes of which one has another name, and take note of that."""
        held = {new if each == name else each: held[each] for each in held}
        called = {**self._called, name: new}
        called.pop(new, None)  # there is one that is called so again
        # Of those that are gone nobody asks any more.
        self._called = {old: to for old, to in called.items() if to in held or to in called}
        return held

    def __repr__(self) -> str:
        return f"<Shapes {', '.join(f'{n!r}: {h.shape!r}' for n, h in self._held.items())}>"


def check_name(name: Any) -> None:
    """Raise an error unless a shape can be kept under a name."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a shape is {name!r}, expected a str")
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(
            f"the name of a shape has {len(name)} characters, expected 1 to {LONGEST_NAME}"
        )
    if not name.strip():
        raise ValueError("the name of a shape is blank, expected characters that can be seen")


def check_shape(name: str, shape: Any) -> None:
    """Raise an error unless something is a shape."""
    if not isinstance(shape, Figure):
        raise TypeError(
            f"shape {name!r} is a {type(shape).__name__}, expected one of udfwidgets.geometry, "
            "such as Disk(cx=64, cy=64, r=20)"
        )


def _differs(name: str, before: Mapping[str, Held], after: Mapping[str, Held]) -> bool:
    return before.get(name) != after.get(name)


def _new_names(
    changes: Mapping[str, tuple[Figure | None, bool]], held: Mapping[str, Held]
) -> list[tuple[str, str]]:
    """Return pairs of names that a shape had and has, where that is what the changes are."""
    gone = [name for name, (shape, _) in changes.items() if shape is None and name in held]
    pairs = []
    for new, (shape, _) in changes.items():
        same = [name for name in gone if held[name].shape == shape and new not in held]
        if same:
            gone.remove(same[0])
            pairs.append((same[0], new))
    return pairs


def _colour_of(name: str, held: Mapping[str, Held]) -> int:
    """Return the colour that a shape has, or else the first of those that are used least."""
    if name in held:
        return held[name].colour
    used = [each.colour for each in held.values()]
    return min(range(len(COLOURS)), key=used.count)
