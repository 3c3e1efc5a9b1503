#!/bin/sh
# ipykernel 7.0: get_parent raises off the main thread.
#
# On the way: a thread that a cell has started asks which message it works for, to have its output
#             appear below that cell.
# Expected:   an answer, as in 6.31: the message of the newest cell, if none of its own.
# Seen:       LookupError in the thread, an answer in the cell.
# Versions:   ipykernel 7.0.1, jupyter_client 8.6.3, in a real kernel.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip --quiet --disable-pip-version-check install \
    ipykernel==7.0.1 jupyter_client==8.6.3 || exit 2

cat >finding.py <<'EOF'
from jupyter_client.manager import start_new_kernel

CELL = """
import threading

def look(where):
    try:
        print(where, "answers", kernel.get_parent()["msg_type"])
    except LookupError:
        print(where, "raises LookupError")

kernel = get_ipython().kernel
look("main thread")
thread = threading.Thread(target=look, args=("other thread",))
thread.start()
thread.join()
"""
manager, client = start_new_kernel(kernel_name="python3")
try:
    client.execute_interactive(CELL, timeout=60)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
EOF

cat >expected <<'EOF'
main thread answers execute_request
other thread raises LookupError
EOF

venv/bin/python finding.py >seen
diff expected seen || { echo "not as it was found any more: see the difference above"; exit 1; }
cat seen
