"""The side that gives orders: worker processes, and rounds in which they take turns."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from benchmarks.contenders import Contender
from benchmarks.extent import Extent

ROOT = Path(__file__).parent.parent
TIMEOUT = 120.0


class WorkerError(RuntimeError):
    """A worker has answered with an exception, or has ended."""


class WorkerHangsError(WorkerError):
    """A worker did not answer in time, and was ended."""


class Worker:
    """A running contender; ends with the ``with`` block.

    Parameters
    ----------
    contender : Contender
        What to start.
    log : Path
        Where its messages go.
    """

    def __init__(self, contender: Contender, log: Path) -> None:
        self.contender = contender
        self.label = contender.label
        self.works: list[str] = []
        self.formats: list[str] = []
        self._log = log

    def __enter__(self) -> Worker:
        self._open()
        return self

    def _open(self) -> None:
        variant = [] if self.contender.variant is None else [self.contender.variant]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.contender.python, "-m", "benchmarks.workers", self.contender.name, *variant],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env=os.environ | self.contender.environment,
            )

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        family = self.family()[1:]
        with contextlib.suppress(WorkerError, BrokenPipeError):
            self.ask("stop", timeout=20)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._end(family)

    def start(self) -> float:
        """Import the contender and get ready; how many seconds that took, the process apart."""
        seconds = self.ask("start")
        self.__dict__.update(self.ask("abilities"))
        return float(sum(seconds.values()))

    def can(self, work: str, file: dict[str, Any]) -> bool:
        return work in self.works and file["format"] in self.formats

    def ask(self, op: str, timeout: float = TIMEOUT, **arguments: Any) -> Any:
        """Give an order and wait for the answer; a worker that has ended is started anew first."""
        if self._process.poll() is not None and op not in ("start", "abilities", "stop"):
            self._process.communicate()
            self._open()
            self.start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        hangs = threading.Event()

        def give_up() -> None:
            hangs.set()
            self.end()

        timer = threading.Timer(timeout, give_up)
        timer.start()
        try:
            self._process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if hangs.is_set():
            raise WorkerHangsError(f"{self.label}: no answer to {op} within {timeout:.0f} s")
        if not line:
            raise WorkerError(f"{self.label} has ended; see {self._log}")
        answer = json.loads(line)
        if "error" in answer:
            with self._log.open("a") as log:
                log.write(answer["error"])
            raise WorkerError(f"{self.label}: {answer['error']}")
        return answer["result"]

    def family(self) -> list[psutil.Process]:
        """Return the process and its descendants."""
        try:
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def end(self) -> None:
        """End the process, whatever state it is in; the next order starts another one."""
        self._end(self.family()[1:])

    def _end(self, children: Sequence[psutil.Process]) -> None:
        self._process.kill()
        for process in psutil.wait_procs(children, timeout=2)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()


@contextlib.contextmanager
def running(contenders: Sequence[Contender], log: Path) -> Iterator[list[Worker]]:
    """Start all contenders, and end them with the ``with`` block.

    One that cannot start (a package that is not installed, an executor that this machine does not
    support) is left out, with a line that says so.
    """
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(Worker(contender, log)) for contender in contenders]
        yield list(able(workers, "everything", Worker.start))


def left_out(where: str, error: Exception) -> None:
    """Say that a contender does not take part."""
    lines = str(error).strip().splitlines()
    message = lines[0] if len(lines) == 1 else f"{lines[0].partition(':')[0]}: {lines[-1]}"
    print(f"    left out of {where}: {message}", file=sys.stderr)


def able(
    workers: Sequence[Worker], where: str, prepare: Callable[[Worker], Any]
) -> dict[Worker, Any]:
    """Return what `prepare` gives for each worker; one that fails is left out, with a line."""
    found = {}
    for worker in workers:
        try:
            found[worker] = prepare(worker)
        except WorkerError as error:
            left_out(where, error)
            worker.end()
    return found


def interleaved(
    workers: Sequence[Worker], extent: Extent, measure: Callable[[Worker], Any]
) -> dict[str, list[Any]]:
    """Let every worker be measured once per round, and return what each gave, round by round.

    One that has used up its share of the time sits out the rounds that are left.
    """
    measured: dict[str, list[Any]] = {worker.label: [] for worker in workers}
    used = dict.fromkeys(measured, 0.0)
    for number in range(extent.rounds):
        turn = number % max(len(workers), 1)
        for worker in [*workers[turn:], *workers[:turn]]:
            begin = time.perf_counter()
            if used[worker.label] < extent.patience:
                measured[worker.label].append(measure(worker))
            used[worker.label] += time.perf_counter() - begin
    return measured


def median_ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """Median of the ratio within a round, over the rounds that both took part in."""
    return statistics.median(a / b for a, b in zip(numerator, denominator, strict=False))
