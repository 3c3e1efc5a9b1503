"""Evidence of where the time goes: ``python -m benchmarks.profile [ROW ...]``.

Three numbers for each row, of a process that does its work over and over:

* Python calls per frame, counted (`sys.setprofile` in all threads) in a run of its own;
* the part of the time in which any thread holds the GIL: samples of ``py-spy record --gil`` over
  all moments that were sampled;
* how many processors are busy. What threads wait for the GIL, or for anything else, is a part of
  what is missing.

And where the threads are, and where they are while they hold the GIL, by function.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.extent import FULL, Extent
from benchmarks.measure.throughput import ROWS, Row
from benchmarks.workers.package import PackageContender

RATE, SECONDS, SHOWN, WARM_RUNS = 100, 6, 8, 5
PR_SET_PTRACER, PTRACER_ANY = 0x59616D61, 2**64 - 1  # prctl(2)
ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("rows", nargs="*", default=["sums", "gzip"], help="keys of rows")
    parser.add_argument("--data", type=Path, default=ROOT / "benchmarks/data")
    parser.add_argument("--work", choices=["calls", "loop"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for key in arguments.rows:
        row = next(row for row in ROWS if row.key == key)
        if arguments.work is not None:
            work(row, FULL, arguments.data, arguments.work)
        else:
            report(row, arguments.data)


def report(row: Row, folder: Path) -> None:
    """Print what there is to know about a row."""
    command = [sys.executable, "-m", "benchmarks.profile", "--data", str(folder), row.key, "--work"]
    print(f"\n{row.title}")
    with subprocess.Popen(
        [*command, "calls"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        print(f"  {child.communicate()[0].strip()}")
    with subprocess.Popen(
        [*command, "loop"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        print(f"  {child.stdout.readline().strip()}")
        everything = _record(child.pid)
        holding = _record(child.pid, "--gil")
        child.communicate("stop")
    moments = RATE * SECONDS
    print(f"  a thread holds the GIL {sum(holding.values()) / moments:.1%} of the time")
    for what, samples in (("threads are in", everything), ("the GIL is held in", holding)):
        print(f"  {what}")
        for function, count in samples.most_common(SHOWN):
            print(f"    {count / moments:7.1%}  {function or 'no Python function'}")


def _record(pid: int, *options: str) -> collections.Counter[str]:
    """Return how often threads of a process were in each function."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.txt"
        # Stopping the process for each sample would take more than half of its time.
        command = ["py-spy", "record", "--nonblocking", *options]
        command += ["--rate", str(RATE), "--duration", str(SECONDS)]
        command += ["--format", "raw", "--output", str(path), "--pid", str(pid)]
        search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, env=os.environ | {"PATH": search}, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        found: collections.Counter[str] = collections.Counter()
        for line in path.read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            function = re.sub(r":\d+\)$", ")", stack.rpartition(";")[2])
            found[function] += int(count)
    return found


def work(row: Row, extent: Extent, folder: Path, kind: str) -> None:
    """Count the calls of one run, or run until told to stop."""
    counts: collections.Counter[str] = collections.Counter()

    def count(frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            counts[event] += 1

    if kind == "calls":
        threading.setprofile(count)  # the Context's threads are still to come
    scan = extent.scan_in(row.storage)
    package = PackageContender("udfwidgets", None)
    package.start()
    package.load(scan.describe(folder, row.storage))
    package.run([row.work])
    if kind == "calls":
        counts.clear()
        package.run([row.work])
        n_frames = int(np.prod(scan.nav_shape))
        print(
            f"{counts['call'] / n_frames:.4f} calls of Python functions and "
            f"{counts['c_call'] / n_frames:.4f} of C functions per frame, in {n_frames} frames"
        )
    else:
        _loop(package, row.work, scan.n_bytes)
    package.stop()


def _loop(package: PackageContender, work: str, n_bytes: int) -> None:
    """Print how fast and how busy some runs are, and go on until there is something on stdin."""
    # The process that samples is no ancestor of this one, which Linux wants to be asked for.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(PTRACER_ANY))
    begin, cpu = time.perf_counter(), time.process_time()
    seconds = sum(package.run([work]) for _ in range(WARM_RUNS))
    busy = (time.process_time() - cpu) / (time.perf_counter() - begin)
    speed = WARM_RUNS * n_bytes / seconds / 1e9
    print(f"{speed:.2f} GB/s, {busy:.2f} of {os.cpu_count()} processors busy", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        package.run([work])


if __name__ == "__main__":
    main()
