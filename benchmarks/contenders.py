"""The side that gives orders: worker processes, and rounds in which they take turns."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Contender:
    """Who takes part: the name in the table, and what the worker process is started with."""

    label: str
    python: str
    package: str
    variant: str | None = None
    """The executor of a package, or the kind of bare loop."""


class WorkerError(RuntimeError):
    """A worker has answered with an exception, or has ended."""


class Worker:
    """A running contender; ends with the ``with`` block."""

    def __init__(self, contender: Contender, log: Path) -> None:
        self.contender = contender
        self._log = log

    def __enter__(self) -> Worker:
        arguments = [self.contender.python, str(WORKER), self.contender.package]
        if self.contender.variant is not None:
            arguments.append(self.contender.variant)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        family = psutil.Process(self._process.pid).children(recursive=True)
        with contextlib.suppress(WorkerError, BrokenPipeError):
            self.ask("stop")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        self._process.communicate()
        for process in psutil.wait_procs(family, timeout=5)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Give an order and wait for the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": operation, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"{self.contender.label} has ended; see {self._log}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{self.contender.label}: {answer['error']}")
        return answer["result"]

    def peak_memory(self, work: Callable[[], Any]) -> int:
        """Bytes of anonymous memory at the highest, of the worker and its children, during `work`.

        Sampled every 5 ms, which takes some of the processor: not for runs that are timed.
        """
        done = threading.Event()
        peak = 0

        def sample() -> None:
            nonlocal peak
            while not done.wait(0.005):
                peak = max(peak, _anonymous_bytes(self._process.pid))

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            work()
        finally:
            done.set()
            sampler.join()
        return peak


def _anonymous_bytes(pid: int) -> int:
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(_rss_anon(process.pid) for process in family)


def _rss_anon(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


@contextlib.contextmanager
def running(contenders: Sequence[Contender], log: Path) -> Iterator[list[Worker]]:
    """Start all contenders, and end them with the ``with`` block.

    One that cannot start (a peer's executor that this machine does not support) is left out, with
    a line that says so.
    """
    with contextlib.ExitStack() as stack:
        workers = []
        for contender in contenders:
            worker = stack.enter_context(Worker(contender, log))
            try:
                worker.ask("start")
            except WorkerError as error:
                print(f"    left out: {contender.label}: {str(error).strip().splitlines()[-1]}")
                continue
            workers.append(worker)
        yield workers


def interleaved(
    workers: Sequence[Worker], rounds: int, measure: Callable[[Worker], Any]
) -> dict[str, list[Any]]:
    """Let every worker be measured once per round, and return what each gave, round by round."""
    measured: dict[str, list[Any]] = {worker.contender.label: [] for worker in workers}
    for number in range(rounds):
        turn = number % len(workers)
        for worker in [*workers[turn:], *workers[:turn]]:
            measured[worker.contender.label].append(measure(worker))
    return measured


def median_ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """Median over the rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(numerator, denominator, strict=True))
