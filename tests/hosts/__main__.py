"""Runs on a cluster of two hosts, 1 Gbit/s and 1 ms apart: ``make cluster-test``, as root.

The hosts are network namespaces, each with a worker of its own; files they share, as on a cluster
with a parallel file system. One of them goes in the middle of a run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from tests.engine.executors.test_dask import ByFrame, check
from tests.io.elsewhere import eventually
from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.engine.executors.dask import DaskExecutor

HOSTS = {"udfw-a": "10.83.7.1", "udfw-b": "10.83.7.2"}
PORT = 8786
LINK = "rate 1gbit delay 1ms"
INSIDE = "inside"


def run(command: str) -> None:
    subprocess.run(command.split(), check=True)


@contextmanager
def network() -> Iterator[None]:
    """Make the hosts and the cable between them."""
    with ExitStack() as stack:
        for host in HOSTS:
            run(f"ip netns add {host}")
            stack.callback(run, f"ip netns del {host}")
        first, second = HOSTS
        run(f"ip -n {first} link add cable type veth peer name cable netns {second}")
        for host, address in HOSTS.items():
            run(f"ip -n {host} addr add {address}/24 dev cable")
            run(f"ip -n {host} link set cable up")
            run(f"ip -n {host} link set lo up")
            slow = f"tc -n {host} qdisc add dev cable root netem {LINK}"
            if subprocess.run(slow.split(), check=False, capture_output=True).returncode:
                print("this kernel has no netem: the cable is as quick as it is")
        yield


@contextmanager
def process(host: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a module of Python's on a host, and end it with all that it has started."""
    command = ["ip", "netns", "exec", host, sys.executable, "-m", *arguments]
    with subprocess.Popen(command, start_new_session=True) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGTERM)


def outside() -> int:
    """Make everything, and have the client run on the first host."""
    first = HOSTS["udfw-a"]
    scheduler = f"tcp://{first}:{PORT}"
    quiet = ("--no-dashboard",)
    with network(), ExitStack() as stack:
        start = ("distributed.cli.dask_scheduler", "--host", first, "--port", str(PORT), *quiet)
        stack.enter_context(process("udfw-a", *start))
        workers = {
            host: stack.enter_context(
                process(
                    host,
                    *("distributed.cli.dask_worker", scheduler, "--host", address),
                    *("--nthreads", "1", "--name", host, *quiet),
                )
            )
            for host, address in HOSTS.items()
        }
        second = str(workers["udfw-b"].pid)
        with process("udfw-a", "tests.hosts", INSIDE, scheduler, second) as client:
            return client.wait()


def inside(scheduler: str, second: str) -> None:
    """Run on both hosts, and on the one that is left."""
    data = np.random.default_rng(1).integers(0, 99, (64, 64, 64, 64)).astype("u2")
    with tempfile.TemporaryDirectory() as folder, Context(executor=DaskExecutor(scheduler)) as ctx:
        path = Path(folder) / "scan.npy"
        np.save(path, data)
        ctx.executor.client.wait_for_workers(2)
        dataset = ctx.load("npy", path=path)
        ctx.run_udf(dataset, [SumUDF(), SumSigUDF()])
        began = time.perf_counter()
        total, per_frame = ctx.run_udf(dataset, [SumUDF(), SumSigUDF()])
        print(f"sums on both hosts: {1000 * (time.perf_counter() - began):.0f} ms")
        np.testing.assert_array_equal(total["intensity"].data, data.sum((0, 1)))
        np.testing.assert_array_equal(per_frame["intensity"].data, data.sum((2, 3)))
        began = time.perf_counter()
        steps = list(ctx.run_udf_iter(dataset, ByFrame(spin=2000)))
        print(f"Python on both hosts: {time.perf_counter() - began:.1f} s, {len(steps)} merges")
        check(steps[-1].buffers[0], data)
        assert len(np.unique(steps[-1].buffers[0]["process"].data)) == 2
        stream = ctx.run_udf_iter(dataset, ByFrame(spin=2000))
        next(stream)
        os.killpg(int(second), signal.SIGKILL)
        *_, last = stream
        check(last.buffers[0], data)
        eventually(lambda: len(ctx.executor.client.nthreads()) == 1)
        print("one host went in the middle of a run: the result is exact")


if __name__ == "__main__":
    sys.exit(inside(*sys.argv[2:]) if sys.argv[1:2] == [INSIDE] else outside())
