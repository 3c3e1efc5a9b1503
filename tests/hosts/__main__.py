"""Runs on a cluster of two hosts, 1 Gbit/s and 1 ms apart: ``make cluster-test``, as root.

The hosts are network namespaces, each with workers of its own; files they share, as on a cluster
with a parallel file system. First it measures what merges cost the client, with more and more
workers on both hosts; then one of two hosts goes in the middle of a run.
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
from tests.engine.pacing import iterate
from tests.io.elsewhere import eventually
from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.engine.executors.dask import DaskExecutor

HOSTS = {"udfw-a": "10.83.7.1", "udfw-b": "10.83.7.2"}
PORT = 8786
LINK = "rate 1gbit delay 1ms"
INSIDE, MERGES = "inside", "merges"
# Workers of each host.
COUNTS = (1, 2, 4, 8)
# Frames of an order that is done sooner than it is sent: as many merges as the client is good for.
FEW = 16


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


@contextmanager
def cluster(n_workers: int) -> Iterator[tuple[str, str]]:
    """Make hosts with workers; yields the scheduler's address, and the second host's process."""
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
                    *("--nthreads", "1", "--nworkers", str(n_workers), "--name", host, *quiet),
                )
            )
            for host, address in HOSTS.items()
        }
        yield scheduler, str(workers["udfw-b"].pid)


def outside() -> int:
    """Make everything, and have clients run on the first host."""
    for n_workers in COUNTS:
        with (
            cluster(n_workers) as (scheduler, _),
            process("udfw-a", "tests.hosts", MERGES, scheduler, str(2 * n_workers)) as client,
        ):
            if client.wait():
                return client.returncode
    with (
        cluster(1) as (scheduler, second),
        process("udfw-a", "tests.hosts", INSIDE, scheduler, second) as client,
    ):
        return client.wait()


def merges(scheduler: str, n_workers: str) -> None:
    """Print what merges cost: of two UDFs as they come, and as many as there can be."""
    data = np.random.default_rng(1).integers(0, 99, (128, 128, 128, 128)).astype("u2")
    with tempfile.TemporaryDirectory() as folder, Context(executor=DaskExecutor(scheduler)) as ctx:
        path = Path(folder) / "scan.npy"
        np.save(path, data)
        ctx.executor.client.wait_for_workers(int(n_workers))
        dataset = ctx.load("npy", path=path)
        kinds = {
            "sums": lambda: ctx.run_udf_iter(dataset, [SumUDF(), SumSigUDF()]),
            "Python": lambda: ctx.run_udf_iter(dataset, ByFrame(spin=5000)),
            "as many as possible": lambda: iterate(
                ctx.executor, dataset, [SumUDF(), SumSigUDF()], size=FEW
            ),
        }
        for _ in ctx.run_udf_iter(dataset, [SumUDF(), SumSigUDF()]):
            pass  # workers open the file, and load what is compiled
        for name, start in kinds.items():
            before, began = ctx.executor.traffic.moved, time.perf_counter()
            worked = time.process_time()
            n_merges = sum(1 for _ in start())
            seconds, worked = time.perf_counter() - began, time.process_time() - worked
            moved = ctx.executor.traffic.moved - before
            print(
                f"{n_workers} workers, {name}: {seconds:.2f} s, {n_merges} merges"
                f" of {moved / n_merges / 1e3:.0f} kB, {n_merges / seconds:.0f} per second,"
                f" client {1e3 * worked / n_merges:.1f} ms each",
                flush=True,
            )


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
    for name, step in ((INSIDE, inside), (MERGES, merges)):
        if sys.argv[1:2] == [name]:
            sys.exit(step(*sys.argv[2:]))
    sys.exit(outside())
