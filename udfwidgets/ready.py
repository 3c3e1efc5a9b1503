"""Gets a notebook ready for its first run while nobody waits for it.

What is not compiled yet is compiled by a process of its own, see `udfwidgets.warm`. It also takes
a second to load the live view, the compiler and what it has compiled, and the first picture would
wait for that: it is loaded when the cell that imports the package is through.
"""

from __future__ import annotations

import atexit
import importlib
import subprocess
import sys
import threading
from typing import Any


class Helper:
    """A process that compiles, and a thread that loads what is compiled.

    Attributes
    ----------
    process : subprocess.Popen
        Ends by itself, or with this process.
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "udfwidgets.warm"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt of the kernel is not meant for it
            text=True,
        )
        atexit.register(self.stop)

    def load_after_cell(self, shell: Any) -> None:
        """Load when a shell of IPython is through with its cell, on a thread that then ends."""

        def begin(result: object) -> None:
            shell.events.unregister("post_run_cell", begin)
            threading.Thread(target=self.load, name="udfwidgets-ready", daemon=True).start()

        shell.events.register("post_run_cell", begin)

    def load(self) -> None:
        """Load the live view, and what the process says is compiled, until it has ended."""
        importlib.import_module("udfwidgets.live")
        warm = importlib.import_module("udfwidgets.warm").warm
        assert self.process.stdout is not None
        with self.process.stdout as compiled:
            for dtype in compiled:
                warm([dtype.strip()])

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
