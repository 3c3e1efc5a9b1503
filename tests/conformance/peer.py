"""The process in which LiberTEM lives, and the end of the pipe to it.

It reads pickled requests, (module, name) of a case, from its standard input, and answers each with
a pickled pair on its standard output. What a case prints goes to standard error.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

from tests.conformance.running import PEER, run

ROOT = Path(__file__).parents[2]


def find_python() -> Path:
    """Return the interpreter of the environment that has LiberTEM; it may not exist."""
    named = os.environ.get("UDFWIDGETS_PEER_PYTHON")
    return Path(named) if named else ROOT / ".venv-libertem/bin/python"


class Peer:
    """Runs cases under LiberTEM, in one process for all of them.

    Parameters
    ----------
    python : Path
        Interpreter that can import LiberTEM.
    """

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), "-m", __name__],
            cwd=ROOT,
            env={**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._answers: dict[tuple[str, str], tuple[str, object]] = {}

    def run(self, module: str, name: str) -> tuple[str, object]:
        """Return what `running.run` returns there; each case runs once."""
        if (module, name) not in self._answers:
            pickle.dump((module, name), self._process.stdin)
            self._process.stdin.flush()
            self._answers[module, name] = pickle.load(self._process.stdout)
        return self._answers[module, name]

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            module, name = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(run(module, name, PEER, "inline"), answers, protocol=4)
        answers.flush()


if __name__ == "__main__":
    serve()
