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
        #: What an image was given last: its echo is no news. The hand may have moved on since, and
        #: would be set back by it.
        self._given: dict[tuple[int, str], Figure | None] = {}

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

    def join(self, shapes: Shapes) -> None:
        """Show all of them on one more image, and follow what is done there."""

        def heard(name: str, shape: Figure | None, resting: bool) -> None:
            with self._lock:
                is_echo = self._given.pop((id(shapes), name), shapes) == shape
            if not is_echo:
                self._spread(shapes, name, shape)

        with self._lock:
            self._members[id(shapes)] = (shapes, shapes.on_change(heard))
            given = dict(self._shapes)
            self._given.update({(id(shapes), name): shape for name, shape in given.items()})
        shapes.update(given)

    def leave(self, shapes: Shapes) -> None:
        """Forget an image."""
        with self._lock:
            _, unsubscribe = self._members.pop(id(shapes))
            for key in [key for key in self._given if key[0] == id(shapes)]:
                del self._given[key]
        unsubscribe()

    def _spread(self, origin: Shapes | None, name: str, shape: Figure | None) -> None:
        with self._lock:
            if self._shapes.get(name) == shape:
                return
            if shape is None:
                self._shapes.pop(name, None)
            else:
                self._shapes[name] = shape
            others = [each for each, _ in self._members.values() if each is not origin]
            self._given.update({(id(each), name): shape for each in others})
        for each in others:
            if shape is None:
                each.pop(name, None)
            else:
                each[name] = shape
        self._on_change(name)
