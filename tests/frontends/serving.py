"""Servers of front ends, each with folders of its own, and the notebook that they show."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat

PATIENCE = 120
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of these code cells."""
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells], metadata=KERNEL
    )
    nbformat.write(made, path)
    return path


def environment(folder: Path) -> dict[str, str]:
    """Return one in which nothing of a user's own settings is found."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HOME")
    return {
        **os.environ,
        **{name: str(folder / name.lower()) for name in names},
        "UDFW_STORY": str(folder / "story.json"),
        "PYTHONPATH": os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")]),
    }


def free_port() -> int:
    """Return one that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(command: Sequence[str], folder: Path, answers: str) -> Iterator[None]:
    """Have a server running until the block ends; it is up when an address answers."""
    log = folder / "server.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL,
            stdout=sink, stderr=sink, start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(answers):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(0.2)
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"it does not start:\n{log.read_text()}")
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
