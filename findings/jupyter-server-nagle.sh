#!/bin/sh
# Jupyter Server holds back what a kernel says until the browser has acknowledged what it said before.
#
# On the way: pictures of a widget that follow a hand on it, sixty per second, were late in steps of up
#             to 40 ms, on one machine and with nothing else to do.
# Expected:   a message of a kernel is in the browser in a millisecond or two.
# Seen:       of messages every 5 ms most are late by more than 5 ms, and some by 40. The websocket of a
#             kernel keeps Nagle's algorithm, Tornado's default, and a client that only listens may wait
#             with its acknowledgement as long as the system lets it: 40 ms on Linux. Once the handler is
#             told `set_nodelay(True)`, nearly all are there within 5 ms.
# Here:       udfwidgets brings an extension of the server that does so.
# Versions:   jupyter-server 2.21.1, tornado 6.6.1, ipykernel 7.4.0, on Linux.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    jupyter-server==2.21.1 tornado==6.6.1 ipykernel==7.4.0 || exit 2

cat >finding.py <<'EOF'
import json
import time

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

CODE = """
import time
for _ in range(100):
    display({"text/plain": repr(time.time())}, raw=True)
    time.sleep(0.005)
"""
CONTENT = {"code": CODE, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}


async def lateness(socket, name):
    """Run the cell and return by how many milliseconds each of its messages is late."""
    header = {"msg_id": name, "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
    request = {"header": header | {"date": ""}, "parent_header": {}, "metadata": {}, "content": CONTENT}
    await socket.write_message(json.dumps(request | {"channel": "shell", "buffers": []}))
    late = []
    while len(late) < 100:
        message = json.loads(await socket.read_message())
        if message["msg_type"] == "display_data":
            late.append(1000 * (time.time() - float(message["content"]["data"]["text/plain"])))
    return late


async def main(app):
    kernel = await app.kernel_manager.start_kernel()
    url = f"ws://127.0.0.1:{app.port}/api/kernels/{kernel}/channels?session_id=s"
    socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": "token secret"}))
    await lateness(socket, "warm")  # a new connection is acknowledged at once for a while
    for name in ("as it is", "no delay"):
        if name == "no delay":
            for connection in ZMQChannelsWebsocketConnection._open_sockets:
                connection.websocket_handler.set_nodelay(True)
        late = sorted(await lateness(socket, name))
        print(f"{name}: more than half are late by more than 5 ms: {late[49] > 5}; "
              f"one of ten by more than 20: {late[90] > 20}")
    socket.close()
    app.stop()


app = ServerApp()
app.initialize(argv=["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=secret", "--log-level=50"])
IOLoop.current().add_callback(main, app)
app.start()
EOF

cat >expected <<'EOF'
as it is: more than half are late by more than 5 ms: True; one of ten by more than 20: True
no delay: more than half are late by more than 5 ms: False; one of ten by more than 20: False
EOF

HOME=$folder JUPYTER_CONFIG_PATH= venv/bin/python finding.py >seen 2>log || { cat log; exit 1; }
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
