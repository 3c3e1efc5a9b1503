"""A Jupyter server that this package is installed beside sends what a kernel says at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# Looks at the socket itself: how late a message is depends on the machine.
SERVER = """
import json
import socket

from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect


async def main(app):
    kernel = await app.kernel_manager.start_kernel()
    address = f"ws://127.0.0.1:{app.port}/api/kernels/{kernel}/channels?session_id=s"
    websocket = await websocket_connect(HTTPRequest(address, headers={"Authorization": "token t"}))
    said = await websocket.read_message()
    handlers = app.web_app.settings["kernel_websocket_connection_class"]._open_sessions.values()
    (handler,) = handlers
    found = {
        "loaded": app.extension_manager.extensions["udfwidgets.server"].enabled,
        "kind": [each.__name__ for each in type(handler.connection).__mro__[:2]],
        "says": json.loads(said)["channel"],
        "delayed": not handler.ws_connection.stream.socket.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY
        ),
        "limit": handler.connection.iopub_msg_rate_limit,
    }
    websocket.close()
    app.stop()
    print("FOUND", json.dumps(found))


app = ServerApp()
app.initialize(argv=ARGUMENTS)
IOLoop.current().add_callback(main, app)
app.start()
"""
ARGUMENTS = [
    "--no-browser",
    "--allow-root",
    "--ServerApp.port=0",
    "--IdentityProvider.token=t",
    # Of the class that there was: one that is derived from it is configured with it.
    "--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit=12345",
]


def test_what_a_kernel_says_is_not_held_back(tmp_path: Path) -> None:
    text = SERVER.replace("ARGUMENTS", repr([*ARGUMENTS, f"--ServerApp.root_dir={tmp_path}"]))
    process = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False
    )
    found = [line for line in process.stdout.splitlines() if line.startswith("FOUND ")]
    assert len(found) == 1, process.stderr
    assert json.loads(found[0].removeprefix("FOUND ")) == {
        "loaded": True,
        "kind": ["PromptZMQChannelsWebsocketConnection", "ZMQChannelsWebsocketConnection"],
        "says": "iopub",
        "delayed": False,
        "limit": 12345.0,
    }
