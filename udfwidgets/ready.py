"""Gets a notebook ready for its first run while nobody waits for it.

What is not compiled yet is compiled by a process of its own, see `udfwidgets.warm`. It also takes
a second to load the live view, the compiler and what it has compiled, and the first picture would
wait for that: it is loaded when the cell that imports the package is through.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import subprocess
import sys
import threading
from typing import Any

_log = logging.getLogger(__name__)


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
            threading.Thread(target=self._load, name="udfwidgets-ready", daemon=True).start()

        shell.events.register("post_run_cell", begin)

    def _load(self) -> None:
        try:
            self.load()
        except Exception:
            # Whoever needs it is told; here it would come out in whatever cell is running.
            _log.info("a first run will take a little longer", exc_info=True)

    def load(self) -> None:
        """Load the view, formats, what is compiled first; returns when the process has ended."""
        # By name: what is imported at the top comes with the package, before its first cell ends.
        for room in ("live", "io.dataset.hdf5.growing", "io.dataset.mib.growing"):
            importlib.import_module(f"udfwidgets.{room}")
        warm = importlib.import_module("udfwidgets.warm").warm
        assert self.process.stdout is not None
        with self.process.stdout as compiled:
            # The first dtype brings the compiler; others take milliseconds when they are needed.
            if first := compiled.readline().strip():
                warm([first])
            for _ in compiled:
                pass  # or the process could not go on

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
