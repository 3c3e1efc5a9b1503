"""Widgets that are made in half the time, because the first pictures wait for them, and all closed.

ipywidgets goes through the metadata of all traits of a widget, for each widget anew, to tell the
page about it. What can be known of a class is looked up once here. And it leaves the layout of a
widget open, which has a comm of its own, when the widget is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import ipywidgets
import traitlets

Serializer = Callable[[Any, Any], Any]


class Quick(ipywidgets.Widget):  # type: ignore[misc]
    """A mixin; comes before the class of the widget."""

    @traitlets.default("keys")
    def _keys_of_class(self) -> list[str]:
        kind: Any = type(self)
        return list(_serializers(kind))

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return what a page is told of the widget, or of some of its traits."""
        kind: Any = type(self)
        serializers = _serializers(kind)
        if key is not None or drop_defaults or not serializers.keys() >= set(self.keys):
            state: dict[str, Any] = super().get_state(key, drop_defaults)
            return state
        return {name: serializers[name](getattr(self, name), self) for name in self.keys}

    def close(self) -> None:
        """Close the widget and its layout."""
        layout = self._trait_values.get("layout")
        super().close()
        if layout is not None:
            layout.close()


class Layout(Quick, ipywidgets.Layout):  # type: ignore[misc]
    """A layout that leaves out what is not set, which is nearly everything."""

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return what a page is told."""
        state = super().get_state(key, drop_defaults)
        if key is not None:
            return state
        return {name: value for name, value in state.items() if value is not None}


@cache
def _serializers(widget_class: Any) -> Mapping[str, Serializer]:
    """Return how each trait that a page knows of is told."""
    return {
        name: trait.metadata.get("to_json", widget_class._trait_to_json)
        for name, trait in widget_class.class_traits(sync=True).items()
    }
