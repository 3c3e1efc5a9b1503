"""Has a Jupyter server send at once what a kernel says.

The server's websockets leave small messages to Nagle's algorithm: each waits until the browser has
acknowledged the one before, which a browser that only listens puts off for up to 40 ms. A picture
that follows a hand is two frames of the page late by then (findings/jupyter-server-nagle.sh).
A Jupyter server in whose environment this package is installed loads this module by itself.
"""

from __future__ import annotations

from types import new_class
from typing import Any

#: What a server calls its choice of a class that connects a websocket with a kernel.
CONNECTION = "kernel_websocket_connection_class"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    settings = app.web_app.settings
    # Servers before 2.0 know no such choice, and stay as they are.
    if settings.get(CONNECTION) is not None:
        settings[CONNECTION] = prompt(settings[CONNECTION])


def prompt(connection: type[Any]) -> type:
    """Return a class whose websockets send small messages at once.

    Parameters
    ----------
    connection : type
        A ``BaseKernelWebsocketConnection`` of Jupyter Server, whichever has been chosen there.

    Returns
    -------
    type
        A subclass, which is configured as `connection` is.
    """

    def connect(self: Any) -> Any:
        handler = self.websocket_handler
        if handler.ws_connection is not None:  # a browser may have left again
            handler.set_nodelay(True)
        return connection.connect(self)

    name = f"Prompt{connection.__name__}"
    return new_class(name, (connection,), exec_body=lambda body: body.update(connect=connect))
