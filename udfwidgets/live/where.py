"""Where the kernel displays things now: in the output of a cell, or in an `Output` widget."""

from __future__ import annotations

from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython
from ipywidgets.widgets.widget import _instances

#: The cell, where a front end does not say which one is running.
SOMEWHERE = ""


def current_place() -> Any:
    """Return the `Output` widget that captures what is displayed, or the id of the cell."""
    # A page hands over to it whatever answers this message.
    message = _parent().get("header", {}).get("msg_id")
    capturing = [
        widget
        for widget in list(_instances.values())
        if message and isinstance(widget, ipywidgets.Output) and widget.msg_id == message
    ]
    return capturing[-1] if capturing else current_cell()


def current_cell() -> str:
    """Return the id of the cell that is running."""
    return str(_parent().get("metadata", {}).get("cellId", SOMEWHERE))


def _parent() -> dict[str, Any]:
    """Return the message that the kernel answers now; an empty one where there is no kernel."""
    shell: Any = get_ipython()
    try:
        return dict(shell.get_parent())
    except (AttributeError, LookupError):
        return {}  # LookupError: a kernel that knows only on its main thread
