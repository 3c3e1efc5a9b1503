"""The same shapes on several images of one scan."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, MutableMapping

from udfwidgets.geometry import Figure
from udfwidgets.live.shapes.holder import Shapes, check_name, check_shape


class Linked(MutableMapping[str, Figure]):
    """Shapes by name that all images which have joined show; moved on one, they move on all.

    Safe on any thread.

    Parameters
    ----------
    on_change : callable
        Called with the name of a shape that was set, moved or deleted.
    """

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._lock = threading.RLock()
        self._shapes: dict[str, Figure] = {}
        self._members: dict[int, tuple[Shapes, Callable[[], None]]] = {}
        #: What each image was given and has not echoed: an echo is no news. By the time it comes
        #: others may have moved on, and would be set back by it.
        self._given: dict[tuple[int, str], list[Figure | None]] = {}

    def __getitem__(self, name: str) -> Figure:
        return self._shapes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._shapes))

    def __len__(self) -> int:
        return len(self._shapes)

    def __setitem__(self, name: str, shape: Figure) -> None:
        check_name(name)
        check_shape(name, shape)
        self._spread(None, name, shape)

    def __delitem__(self, name: str) -> None:
        if name not in self._shapes:
            raise KeyError(name)
        self._spread(None, name, None)

    def rename(self, name: str, new: str) -> None:
        """Give a shape another name on all images, see `Shapes.rename`."""
        check_name(new)
        if name not in self._shapes:
            raise KeyError(name)
        if new != name and not self._rename(None, name, new):
            raise ValueError(f"there is a shape {new!r} already: choose another name")

    def now_called(self, name: str) -> str | None:
        """Return the name of the shape that was called so, or is; None where it is gone."""
        with self._lock:
            images = [each for each, _ in self._members.values()]
        if name in self._shapes or not images:
            return name if name in self._shapes else None
        new = images[0].now_called(name)
        return new if new in self._shapes else None

    def join(self, shapes: Shapes) -> None:
        """Show all of them on one more image, and follow what is done there."""

        def heard(name: str, shape: Figure | None, resting: bool) -> None:
            if self._is_echo(shapes, name, shape):
                return
            new = shapes.now_called(name) if shape is None else None
            if new is None or not self._rename(shapes, name, new):
                self._spread(shapes, name, shape)

        with self._lock:
            self._members[id(shapes)] = (shapes, shapes.on_change(heard))
            there = dict(self._shapes)
        for name, shape in there.items():
            self._bring(shapes, name, shape)

    def leave(self, shapes: Shapes) -> None:
        """Forget an image."""
        with self._lock:
            _, unsubscribe = self._members.pop(id(shapes))
            for key in [key for key in self._given if key[0] == id(shapes)]:
                del self._given[key]
        unsubscribe()

    def _is_echo(self, image: Shapes, name: str, shape: Figure | None) -> bool:
        """Whether an image says what it was given; what came before that is told no more."""
        with self._lock:
            given = self._given.get((id(image), name), [])
            is_echo = shape in given
            del given[: given.index(shape) + 1 if is_echo else len(given)]
            return is_echo

    def _spread(self, origin: Shapes | None, name: str, shape: Figure | None) -> None:
        with self._lock:
            if self._shapes.get(name) == shape:
                return
            if shape is None:
                self._shapes.pop(name, None)
            else:
                self._shapes[name] = shape
            others = [each for each, _ in self._members.values() if each is not origin]
        for each in others:
            self._bring(each, name, shape)
        self._on_change(name)

    def _rename(self, origin: Shapes | None, name: str, new: str) -> bool:
        """Give a shape another name everywhere, unless there is one that is called so."""
        with self._lock:
            shape = self._shapes.get(name)
            if shape is None or new in self._shapes:
                return False
            self._shapes = {new if n == name else n: each for n, each in self._shapes.items()}
            others = [each for each, _ in self._members.values() if each is not origin]
            for each in others:
                self._given.setdefault((id(each), name), []).append(None)
                self._given.setdefault((id(each), new), []).append(shape)
        for each in others:
            try:
                each.rename(name, new)
            except (KeyError, ValueError):  # a hand there was faster
                self._bring(each, name, None)
                self._bring(each, new, shape)
        self._on_change(name)
        self._on_change(new)
        return True

    def _bring(self, image: Shapes, name: str, shape: Figure | None) -> None:
        """Have an image show a shape, unless that has changed again meanwhile."""
        while self._shapes.get(name) == shape != image.get(name):
            with self._lock:
                self._given.setdefault((id(image), name), []).append(shape)
            if shape is None:
                image.pop(name, None)
            else:
                image[name] = shape
            newest = self._shapes.get(name)
            if newest == shape:
                return
            shape = newest  # whoever changed it may have been here before
