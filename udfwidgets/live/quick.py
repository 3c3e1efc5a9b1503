"""Widgets that are made quickly, because the first pictures wait for them, and all closed.

ipywidgets goes through the metadata of all traits of a widget, for each widget anew, to tell the
page about it, and makes a value for each that nobody has set. What can be known of a class is
looked up once here. It tells whoever observes a trait what a new widget begins with, though
nobody can observe it yet. It asks the system for the random name of each widget, and gives the GIL
up for it, which it gets back late where workers are busy. And it leaves the layout of a widget
open, which has a comm of its own, when the widget is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from random import Random
from typing import Any, ClassVar

import ipywidgets

Serializer = Callable[[Any, Any], Any]

#: Not that of the module, which a user may have seeded: names have to differ between kernels.
_random = Random()


def new_name() -> str:
    """Return a name that nobody else has: 32 hexadecimal digits."""
    return f"{_random.getrandbits(128):032x}"


class Quick(ipywidgets.Widget):  # type: ignore[misc]
    """A mixin; comes before the class of the widget."""

    _unlisted: ClassVar[Collection[str]] = ("get_state",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("model_id", new_name())
        kind: Any = type(self)
        self._trait_values["keys"] = list(_serializers(kind))
        # What the class itself observes or checks takes the long way, in its turn.
        long_way = self._trait_notifiers.keys() | self._trait_validators.keys()
        for name in kwargs.keys() & self._traits.keys() - long_way:
            self._trait_values[name] = self._traits[name]._validate(self, kwargs.pop(name))
        super().__init__(*args, **kwargs)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return what a page is told of the widget, or of some of its traits.

        Whatever `drop_defaults` says: what our widgets begin with is written down here and nowhere
        in the page, so one that is saved without it is drawn wrongly, or not at all.
        """
        kind: Any = type(self)
        serializers = _serializers(kind)
        if key is not None or not serializers.keys() >= set(self.keys):
            state: dict[str, Any] = super().get_state(key)
            return state
        state = {}
        values, unset = self._trait_values, _unset(kind)
        for name in self.keys:
            if name not in values and name in unset:
                state[name] = unset[name]
                continue
            # Values that are there already need no look-up, and most are told as they are.
            value = values[name] if name in values else getattr(self, name)
            serializer = serializers[name]
            state[name] = value if serializer is None else serializer(value, self)
        return state

    def close(self) -> None:
        """Close the widget and its layout."""
        # Left open, nine comms and 34 kB stayed of each view of two images.
        layout = self._trait_values.get("layout")
        super().close()
        if layout is not None:
            layout.close()


class Layout(Quick, ipywidgets.Layout):  # type: ignore[misc]
    """A layout that leaves out what is not set, which is nearly everything."""

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return what a page is told."""
        state = super().get_state(key)
        if key is not None:
            return state
        return {name: value for name, value in state.items() if value is not None}


@cache
def _serializers(widget_class: Any) -> Mapping[str, Serializer | None]:
    """Return how each trait that a page knows of is told; None: as it is."""
    return {
        name: trait.metadata.get("to_json")
        for name, trait in widget_class.class_traits(sync=True).items()
    }


@cache
def _unset(widget_class: Any) -> Mapping[str, Any]:
    """Return how traits are told that nobody has set, where that is the same in all widgets."""
    alike: dict[str, Any] = {}
    traits: dict[str, Any] = widget_class.class_traits(sync=True)
    for name, trait in traits.items():
        makes_default = widget_class._all_trait_default_generators[name]
        is_its_own = getattr(makes_default, "__self__", None) is trait
        if not is_its_own:
            continue  # the class has a method for it, which may look at the widget
        if getattr(trait, "klass", None) not in (None, tuple, list, dict):
            continue  # another widget, that would be made and left open here
        value = trait.default()
        if not value or isinstance(value, (str, int, float)):
            serializer = _serializers(widget_class)[name]
            alike[name] = value if serializer is None else serializer(value, None)
    return alike
