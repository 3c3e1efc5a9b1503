"""Reads thousands of damaged files in processes of their own, and says what came of them.

``python -m tests.fuzz [SHARE]``: all of it by default, or a share such as 0.1. It fails if a
process ends before its last file, stands still, takes more than 1 GiB, or reads something else than
what NumPy, h5py or a reader of a few lines read, without an error. What those do with a damaged
file is not held against the package.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from tests.fuzz.seeds import HDF5, HEADERS

_N_HEADERS, _N_HDF5 = 20_000, 3_000
_BATCH = 500
#: Seconds of a core for one file, which takes a few milliseconds; and as many without any work.
_STILL = 20.0
_ASLEEP = 300.0
_MOST_KIB = 1 << 20


def run(kind: str, first: int, n_cases: int) -> tuple[list[dict[str, Any]], str]:
    """Run one batch; return what it noted, and how it ended if not at its end."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        report.touch()
        call = [sys.executable, "-m", "tests.fuzz.batch", kind, str(first), str(n_cases)]
        with subprocess.Popen([*call, str(report)], stderr=subprocess.PIPE) as process:
            ended = _watch(process, report)
            error = b"" if process.stderr is None else process.stderr.read()
        lines = [json.loads(line) for line in report.read_text().splitlines()]
    if not ended and process.returncode:
        ended = f"ended with {process.returncode}: {error.decode(errors='replace')[-300:]}"
    return lines, ended


def _watch(process: subprocess.Popen[bytes], report: Path) -> str:
    watched = psutil.Process(process.pid)
    size, used, since = -1, 0.0, time.monotonic()
    while True:
        try:
            process.wait(0.5)
            return ""
        except subprocess.TimeoutExpired:
            now, cpu = report.stat().st_size, sum(watched.cpu_times()[:2])
            # The time of the process counts, not that of the wall: others may be at work, too.
            if now != size:
                size, used, since = now, cpu, time.monotonic()
            elif cpu - used > _STILL or time.monotonic() - since > _ASLEEP:
                process.kill()
                return "stood still"


def cases(share: float) -> list[tuple[str, int, int]]:
    """Return kind, first seed and number of files of each batch."""
    batches = []
    for kinds, total in ((list(HEADERS), _N_HEADERS), (list(HDF5), _N_HDF5)):
        each = max(1, -(-int(total * share) // len(kinds)))
        for kind in kinds:
            batches += [(kind, at, min(_BATCH, each - at)) for at in range(0, each, _BATCH)]
    return batches


def main(share: float) -> int:
    found: list[str] = []
    total: Counter[str] = Counter()
    peak = 0
    for kind, first, n_cases in cases(share):
        at, stop = first, first + n_cases
        while at < stop:
            lines, ended = run(kind, at, stop - at)
            done = [line for line in lines if line["stage"] == "done"]
            peak = max([peak, *(line["peak"] for line in lines)])
            total.update(line["outcome"].split()[0] for line in done)
            bad = [line for line in done if line["outcome"].startswith(("error", "wrong"))]
            found += [f"{kind} {line['case']}: {line['outcome']}" for line in bad]
            at += len(done)
            if ended:
                stage = lines[-1]["stage"] if lines else "start"
                # What comes of the file elsewhere, after it was read here, is not held against us.
                is_outside = stage == "peer" and not ended.startswith("ended with 1:")
                if not is_outside:
                    found.append(f"{kind} {at}: {ended} (at {stage})")
                total["outside" if is_outside else "ended"] += 1
                at += 1
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = (used.ru_utime + used.ru_stime) / 60
    print(f"{sum(total.values())} files: {dict(total)}")
    print(f"at most {peak / 1024:.0f} MiB, {minutes:.1f} minutes of a core")
    print("\n".join(found[:100]))
    return 1 if found or peak > _MOST_KIB else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
