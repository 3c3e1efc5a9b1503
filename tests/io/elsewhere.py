"""A Python process that does what it is told line by line: a writer that has a file open."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

_OBEY = """
import sys
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Elsewhere:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OBEY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, *lines: str) -> None:
        """Run statements, one after the other, and return when they are done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for line in lines:
            self._process.stdin.write(line.replace("\n", " ") + "\n")
            self._process.stdin.flush()
            assert self._process.stdout.readline() == "done\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.communicate()


def eventually(come_true: Callable[[], bool]) -> None:
    """Wait until something that needs other threads or processes is true."""
    deadline = time.monotonic() + 20
    while not come_true():
        assert time.monotonic() < deadline, "it has not come true within 20 s"
        time.sleep(0.002)
