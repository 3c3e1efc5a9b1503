"""Runs on a real Dask cluster: the same results as threads, also when workers come and go."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import closing
from importlib import import_module
from multiprocessing import resource_tracker

import anyio
import dask.config
import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster
from distributed.deploy.subprocess import SubprocessCluster

from tests.io.elsewhere import eventually
from udfwidgets import ApplyMasksUDF, Context, PickUDF, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.engine.executors.aside import NICE
from udfwidgets.engine.executors.dask import DaskExecutor, desk, seating, seats
from udfwidgets.engine.plan.job import FIRST_FRAMES
from udfwidgets.errors import DataSetException, ExecutorSpecException, UDFException
from udfwidgets.live.dashboard import Dashboard
from udfwidgets.udf import UDF
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.logsum import LogsumUDF

#: Of workers, one after the other, at random moments.
KILLS = int(os.environ.get("UDFWIDGETS_KILLS", "3"))
BACKENDS = ("asyncio", "trio")
DATA = np.random.default_rng(7).integers(0, 1000, (24, 20, 16, 16)).astype("u2")
ROI = np.random.default_rng(8).random((24, 20)) < 0.4


class ByFrame(UDF):
    """Pure Python, a little of it per frame; sums in each kind of buffer."""

    def get_result_buffers(self):
        return {
            "largest": self.buffer("nav"),
            "total": self.buffer("sig", dtype="f8"),
            "count": self.buffer("single", dtype="i8"),
            "process": self.buffer("nav", dtype="i8"),
        }

    def process_frame(self, frame):
        for _ in range(self.params.get("spin", 0)):
            pass
        self.results.largest[:] = frame.max()
        self.results.total[:] += frame
        self.results.count[:] += 1
        self.results.process[:] = os.getpid()

    def merge(self, dest, src):
        dest.largest[:] = src.largest
        dest.total[:] += src.total
        dest.count[:] += src.count
        dest.process[:] = src.process


class Failing(UDF):
    def get_result_buffers(self):
        return {"nothing": self.buffer("nav")}

    def process_frame(self, frame):
        raise ZeroDivisionError("on purpose")


class Deadly(Failing):
    def process_frame(self, frame):
        os.kill(os.getpid(), signal.SIGKILL)


class Holding(Failing):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

    def process_frame(self, frame):
        pass


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.npy"
    np.save(path, DATA)
    return path


@pytest.fixture(scope="module")
def cluster():
    # Scheduler and workers in processes of their own: what is left open here is the client's.
    with SubprocessCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def ctx(cluster):
    with Context(executor=DaskExecutor(cluster)) as ctx:
        yield ctx


def check(results, data=DATA):
    np.testing.assert_array_equal(results["total"].data, data.sum((0, 1)))
    np.testing.assert_array_equal(results["largest"].data, data.max((2, 3)))
    assert results["count"].data[0] == data.shape[0] * data.shape[1]


def masks():
    return np.random.default_rng(3).random((2, 16, 16))


@pytest.mark.parametrize("roi", [None, ROI], ids=["all", "roi"])
def test_results_are_those_of_threads(ctx, path, roi):
    udfs = [SumUDF(), SumSigUDF(), StdDevUDF(), ApplyMasksUDF(masks), CoMUDF(), LogsumUDF()]
    found = ctx.run_udf(ctx.load("npy", path=path), udfs, roi=roi)
    with Context() as threads:
        expected = threads.run_udf(threads.load("npy", path=path), udfs, roi=roi)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_allclose(ours[name].data, theirs[name].data, rtol=1e-5)


def test_python_is_run_in_several_processes(ctx, path):
    results = ctx.run_udf(ctx.load("npy", path=path), ByFrame(spin=1000))
    check(results)
    processes = set(np.unique(results["process"].data))
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_large_arrays_in_memory_are_put_into_a_file(ctx):
    data = np.random.default_rng(1).integers(0, 9, (32, 32, 32, 32)).astype("u2")
    check(
        ctx.run_udf(ctx.load("memory", data=data, sig_dims=2), LargeParameter(np.ones(10**6))), data
    )
    pick = ctx.run_udf(ctx.load("memory", data=data, sig_dims=2), PickUDF(), roi=(3, 4))
    np.testing.assert_array_equal(pick["intensity"].data[0], data[3, 4])


class LargeParameter(ByFrame):
    def __init__(self, weights):
        super().__init__(weights=weights)

    def process_frame(self, frame):
        assert self.params.weights.sum() == 10**6
        super().process_frame(frame)


def test_the_line_of_a_dashboard_counts_workers_and_what_comes_back(ctx, path):
    with closing(Dashboard(ctx)) as board:
        board.line._feed.refresh()
        before = ctx.executor.traffic
        check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))
        after = ctx.executor.traffic
        # Per frame a maximum, of float32, and a process.
        assert after.moved - before.moved >= 12 * DATA.shape[0] * DATA.shape[1]
        assert after.read - before.read == DATA.nbytes
        board.line._feed.refresh()
        totals = board.line._feed.totals
    assert totals.processes == 2
    assert totals.moved > 0
    assert totals.page == ctx.executor.dashboard


def test_what_nobody_watches_goes_out_in_few_orders(ctx, tmp_path, monkeypatch):
    path, sizes, send = tmp_path / "large.npy", [], seats.Seat.send
    np.save(path, np.ones((64, 64, 64, 64), "u2"))
    scan = ctx.load("auto", path=path)

    def sending(seat, errand):
        sizes.append(len(errand.assignment.frames))
        send(seat, errand)

    monkeypatch.setattr(seats.Seat, "send", sending)
    for _ in ctx.run_udf_iter(scan, SumUDF()):
        pass
    watched, sizes[:] = sizes.copy(), []
    found = ctx.run_udf(scan, SumUDF())["intensity"].data
    np.testing.assert_array_equal(found, np.full((64, 64), 4096))
    # Of what is left, a quarter for each order of two workers.
    assert sizes[:3] == [1024, 768, 576]
    assert sum(sizes) == sum(watched) == 4096
    assert watched[0] < 1024


def test_steps_are_those_of_a_run_with_their_damage(ctx, path):
    dataset, n_steps = ctx.load("npy", path=path), 0
    for step in ctx.run_udf_iter(dataset, ByFrame()):
        n_steps += 1
        done = step.damage.data
        np.testing.assert_array_equal(step.buffers[0]["total"].data, DATA[done].sum(0))
        np.testing.assert_array_equal(step.buffers[0]["largest"].data[done], DATA.max((2, 3))[done])
    assert done.all()
    assert n_steps > 3


@pytest.mark.anyio
async def test_two_runs_at_once_and_leaving_early(ctx, path):
    dataset = ctx.load("npy", path=path)

    async def to_the_end():
        check(await ctx.run_udf(dataset, ByFrame(), sync=False))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(to_the_end)
        async for step in ctx.run_udf_iter(dataset, ByFrame(spin=1000), sync=False):
            assert step.damage.data.any()
            break
    assert not ctx.analyses


def test_an_error_of_a_udf_comes_back_with_its_type(ctx, path):
    with pytest.raises(ZeroDivisionError, match="on purpose") as error:
        ctx.run_udf(ctx.load("npy", path=path), Failing())
    notes = "\n".join(error.value.__notes__)
    assert "Failing" in notes
    assert "worker" in notes
    check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))


class Unmergeable(ByFrame):
    def merge(self, dest, src):
        raise ZeroDivisionError("when it was put together")


def test_a_merge_that_fails_is_told_of_and_touches_no_other_run(ctx, path):
    dataset = ctx.load("npy", path=path)
    other = ctx.run_udf(dataset, ByFrame(spin=500), sync=False)
    with pytest.raises(ZeroDivisionError, match="put together") as error:
        ctx.run_udf(dataset, Unmergeable())
    assert "Unmergeable" in "\n".join(error.value.__notes__)
    check(anyio.run(_awaited, other))


class Odd(Exception):
    """Can be neither printed nor sent."""

    def __str__(self):
        return self.args[0].nothing

    def __reduce__(self):
        raise TypeError("not to be sent")


class Raising(Failing):
    def process_frame(self, frame):
        raise Odd("text")


def test_an_error_that_cannot_be_sent_is_told_of(ctx, path):
    with pytest.raises(UDFException, match=r"Odd: \(its text cannot be printed"):
        ctx.run_udf(ctx.load("npy", path=path), Raising())


def test_what_cannot_be_sent_is_named(ctx, path):
    with pytest.raises(UDFException, match=r"Holding\.lock cannot be sent"):
        ctx.run_udf(ctx.load("npy", path=path), Holding())


def test_another_file_on_a_worker_is_told_of(ctx, tmp_path):
    np.save(tmp_path / "a.npy", DATA)
    dataset = ctx.load("npy", path=tmp_path / "a.npy")
    ctx.run_udf(dataset, SumUDF())
    dataset.files[0].unlink()
    with pytest.raises((DataSetException, FileNotFoundError), match=r"a\.npy"):
        ctx.run_udf(dataset, SumUDF())


def test_a_file_that_becomes_shorter_is_told_of(ctx, tmp_path):
    path = tmp_path / "scan.raw"
    path.write_bytes(DATA.tobytes())
    dataset = ctx.load("raw", path=path, dtype="u2", nav_shape=(24, 20), sig_shape=(16, 16))
    # So slow that it is not over before they are gone.
    stream = ctx.run_udf_iter(dataset, ByFrame(spin=10**6))
    next(stream)
    os.truncate(path, 4096)
    with pytest.raises(DataSetException, match=r"scan\.raw"):
        list(stream)


def test_parameters_change_on_the_way(ctx, path):
    dataset = ctx.load("npy", path=path)
    stream = ctx.run_udf_iter(dataset, Scaled(factor=1))
    next(stream)
    stream.update_parameters_experimental([{"factor": 2}])
    for step in stream:
        found = step.buffers[0]["value"].data
    assert set(np.unique(found)) == {1, 2}


class Scaled(UDF):
    def __init__(self, factor):
        super().__init__(factor=factor)

    def get_result_buffers(self):
        return {"value": self.buffer("nav")}

    def process_frame(self, frame):
        time.sleep(0.001)  # there has to be something left to change them for
        self.results.value[:] = self.params.factor


class Gated(UDF):
    """Waits at the first frame until somebody opens the gate, which is a file."""

    def __init__(self, gate):
        super().__init__(gate=gate)

    def get_result_buffers(self):
        return {"seen": self.buffer("nav", dtype="i4")}

    def process_frame(self, frame):
        if self.meta.coordinates[0].sum() == 0:
            eventually(lambda: os.path.exists(self.params.gate))
        self.results.seen[:] += 1


def test_what_waits_behind_a_long_order_goes_to_another_worker(ctx, path, tmp_path):
    ctx.executor.client.wait_for_workers(2)
    seen = 0
    for step in ctx.run_udf_iter(ctx.load("npy", path=path), Gated(str(tmp_path / "gate"))):
        seen = step.damage.data.sum()
        # All but one order, in which the first frame is.
        if seen >= DATA.shape[0] * DATA.shape[1] - FIRST_FRAMES:
            (tmp_path / "gate").touch()
    assert (step.buffers[0]["seen"].data == 1).all()


def faults():
    """Return how many pages of an array of 160 KiB are mapped anew, in the middle of many."""
    for count in (10, 1000):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(count):
            np.ones(160 * 1024, "u1")
        found = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return found / count


def surroundings():
    return os.environ.get("OMP_NUM_THREADS"), os.environ.get("MALLOC_TRIM_THRESHOLD_")


@pytest.mark.usefixtures("tracker")
@pytest.mark.parametrize("trim", [None, "65536", "1000000"])
def test_workers_have_an_environment_of_their_own(monkeypatch, trim):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if trim is not None:
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", trim)
    before = dict(os.environ)
    with Context.make_with("processes", cpus=1) as ctx:
        names = {name for name in {*before, *os.environ} if not name.startswith("_")}
        assert {name: os.environ.get(name) for name in names} == {n: before.get(n) for n in names}
        # What another cluster has left in this process is not passed on, what a person has set is.
        theirs = trim if trim == "1000000" else None
        assert list(ctx.executor.client.run(surroundings).values()) == [("1", theirs)]
        if sys.platform == "linux" and theirs is None:
            assert all(pages < 10 for pages in ctx.executor.client.run(faults).values())


def test_workers_that_cannot_be_reached_are_called_through_the_scheduler(cluster, path):
    with (
        Client(cluster, set_as_default=False, direct_to_workers=False) as client,
        Context(executor=DaskExecutor(client)) as ctx,
    ):
        check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))


def test_a_cluster_of_others_has_its_workers_back_after_a_while(ctx, path, monkeypatch):
    monkeypatch.setattr(seating, "REST", 0.0)
    check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))
    eventually(lambda: not any(ctx.executor.client.run(actors).values()))
    check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))


def test_seats_that_somebody_has_cancelled_are_taken_again(ctx, path, monkeypatch):
    ctx.executor.client.wait_for_workers(2)
    begin, cancelled = seats.Seat.__init__, []

    def begin_and_lose(seat, client, *given):
        begin(seat, client, *given)
        if len(cancelled) < 2:
            cancelled.append(seat)
            client.loop.add_callback(client._cancel, [seat._actor])

    monkeypatch.setattr(seats.Seat, "__init__", begin_and_lose)
    monkeypatch.setattr(seating, "REST", 0.0)
    eventually(lambda: not any(ctx.executor.client.run(actors).values()))
    check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))
    assert len(cancelled) == 2


@pytest.mark.parametrize("where", ["worker", "client"])
def test_files_that_nobody_reads_any_more_are_closed(ctx, path, tmp_path, monkeypatch, where):
    scan = tmp_path / "scan.npy"
    scan.write_bytes(path.read_bytes())
    dataset = ctx.load("npy", path=scan)
    ctx.run_udf(dataset, SumUDF())

    def is_open():
        if where == "client":
            return maps(scan)
        return any(ctx.executor.client.run(maps, scan).values())

    assert is_open()
    monkeypatch.setattr(seating, "REST", float("inf"))  # or the files would go with the seats
    monkeypatch.setattr(desk, "REST", 0.0)
    eventually(lambda: not is_open())


def maps(path):
    return any(str(path) == each.path for each in psutil.Process().memory_maps())


def test_a_client_that_is_busy_has_not_lost_its_scheduler(ctx, path, monkeypatch):
    dataset = ctx.load("npy", path=path)
    ask, is_through = desk._workers_of, threading.Event()

    def keep_busy():
        time.sleep(2.0)  # on its loop, with an answer of the scheduler on the way
        is_through.set()

    async def ask_and_be_busy(scheduler):
        if not is_through.is_set():
            asyncio.get_running_loop().call_later(0, keep_busy)
        return await ask(scheduler)

    ctx.executor.client.wait_for_workers(2)
    monkeypatch.setattr(desk, "PATIENCE", 1.5)
    monkeypatch.setattr(desk, "_workers_of", ask_and_be_busy)
    check(ctx.run_udf(dataset, ByFrame(spin=10_000)))
    eventually(is_through.is_set)


def actors(dask_worker):
    return len(dask_worker.state.actors)


@pytest.mark.anyio
async def test_killed_workers_cost_nothing(ctx, path):
    """Each partition is merged once: the count would show any that was merged twice."""
    rng = random.Random(5)
    dataset, client = ctx.load("npy", path=path), ctx.executor.client
    for _ in range(KILLS):
        client.wait_for_workers(2)
        (address, victim), *_ = client.run(os.getpid).items()
        at, is_dead = rng.random() * 0.8, False
        async for step in ctx.run_udf_iter(dataset, ByFrame(spin=5000), sync=False):
            if not is_dead and step.damage.data.mean() >= at:
                os.kill(victim, signal.SIGKILL)
                is_dead = True
        assert is_dead
        check(step.buffers[0])
        eventually(lambda address=address: address not in client.nthreads())


def test_a_partition_that_kills_its_workers_is_told_of(ctx, path):
    with pytest.raises(UDFException, match="has killed its worker three times"):
        ctx.run_udf(ctx.load("npy", path=path), Deadly(), roi=(0, 0))
    check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))


@pytest.fixture(scope="module")
def tracker():
    """What multiprocessing keeps to the end of a process once a child was started in it."""
    resource_tracker.ensure_running()


@pytest.mark.usefixtures("tracker")
def test_a_cluster_of_ones_own_goes_with_its_context(path, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = ports()
    with Context.make_with("processes", cpus=1) as ctx:
        check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))
        (worker,) = ctx.executor.client.run(os.getpid).values()
        assert ports() > before
        # Nothing of Dask's asks for the GIL beside code of users; other clusters are as they were.
        assert not any(ctx.executor.client.run(is_profiled).values())
        assert is_profiled()
        if sys.platform == "linux":
            nice = ctx.run_udf(ctx.load("npy", path=path), Nice())["nice"].data
            assert (nice == min(os.getpriority(os.PRIO_PROCESS, 0) + NICE, 19)).all()
    assert not psutil.pid_exists(worker)
    assert ports() == before
    # All that Dask leaves is what it locks.
    left = [found.name for found in tmp_path.rglob("*")]
    assert not [name for name in left if not name.endswith(("space", "lock"))]


class Nice(UDF):
    def get_result_buffers(self):
        return {"nice": self.buffer("nav", dtype="int64")}

    def process_frame(self, frame):
        self.results.nice[:] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority")
def test_workers_of_others_are_as_nice_as_they_were(ctx, path):
    nice = ctx.run_udf(ctx.load("npy", path=path), Nice())["nice"].data
    assert (nice == os.getpriority(os.PRIO_PROCESS, 0)).all()


def is_profiled():
    return dask.config.get("distributed.worker.profile.enabled")


def ports():
    found = psutil.Process().net_connections("inet")
    return {each.laddr for each in found if each.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize("end", ["killed", "interrupted"])
def test_a_kernel_that_ends_leaves_no_process_behind(tmp_path, end):
    command = [sys.executable, "-m", "tests.engine.executors.kernel"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    # A group of its own, which is interrupted as Jupyter does it: all processes of it.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment, text=True, start_new_session=True
    ) as kernel:
        try:
            workers = json.loads(kernel.stdout.readline())
            if end == "interrupted":
                os.killpg(kernel.pid, signal.SIGINT)
                said, _ = kernel.communicate(timeout=60)
                assert said == "went on\n"
                assert not list(tmp_path.glob("dask-scratch-space/*-*"))
        finally:
            kernel.kill()
    eventually(lambda: not any(psutil.pid_exists(worker) for worker in workers))
    assert {path.name for path in tmp_path.iterdir()} == {"dask-scratch-space"}


@pytest.mark.usefixtures("tracker")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_waits_for_workers_and_takes_those_that_come_late(path, backend):
    with (
        LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
        Context(executor=DaskExecutor(client)) as ctx,
    ):
        result = ctx.run_udf(ctx.load("npy", path=path), ByFrame(), sync=False)
        (run,) = ctx.analyses
        eventually(lambda: "worker" in run.progress.waiting)
        cluster.scale(1)
        check(anyio.run(_awaited, result, backend=backend))
        forgotten = run_that_loses_its_workers(ctx, path, cluster)
        eventually(lambda: forgotten() is None)
        client.close()


def run_that_loses_its_workers(ctx, path, cluster):
    """Return what refers to a cancelled run, of which workers had something to do that are gone."""
    dataset = ctx.load("npy", path=path)
    # So slow that it is not over before they are gone; and no iterator, for whose steps there has
    # to be room before it waits for anything else.
    result = ctx.run_udf(dataset, ByFrame(spin=10**7), sync=False)
    (run,) = ctx.analyses
    eventually(lambda: run.progress.frames > 0)
    for nanny in cluster.workers.values():
        cluster.sync(nanny.close)
    eventually(lambda: "worker" in run.progress.waiting)
    result.close()
    return weakref.ref(run)


@pytest.mark.usefixtures("tracker")
def test_a_cluster_that_adapts_gets_as_many_workers_as_are_of_use(path):
    with (
        LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
        Context(executor=DaskExecutor(client)) as ctx,
    ):
        adaptive = cluster.adapt(maximum=2, interval="200ms", target_duration="200ms")
        for step in ctx.run_udf_iter(ctx.load("npy", path=path), ByFrame(spin=10**6)):
            processes = np.unique(step.buffers[0]["process"].data[step.damage.data])
            if len(processes) == 2:
                break
        assert len(processes) == 2
        adaptive.stop()  # it may be about to begin another worker, while all are closed
        client.close()


async def _awaited(result):
    return await result


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_lost_scheduler_is_told_of(path, tmp_path, backend):
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    found = tmp_path / "scheduler.json"
    with subprocess.Popen([*command, "--port", "0", "--scheduler-file", str(found)]) as scheduler:
        eventually(lambda: found.exists() and found.read_text().endswith("}"))
        with (
            Client(scheduler_file=str(found), set_as_default=False) as client,
            Context(executor=DaskExecutor(client)) as ctx,
        ):
            result = ctx.run_udf(ctx.load("npy", path=path), ByFrame(), sync=False)
            scheduler.kill()
            with pytest.raises((ConnectionError, UDFException), match="scheduler"):
                anyio.run(_awaited, result, backend=backend)


@pytest.mark.parametrize("cpus", [0, -1, 1.5, True])
def test_a_wrong_number_of_processes(cpus):
    with pytest.raises(ExecutorSpecException, match="whole number"):
        Context.make_with("processes", cpus=cpus)


def test_libertem_spells_it_so(cluster, path):
    executor = import_module("udfwidgets.executor.dask").DaskJobExecutor.connect(cluster)
    with Context(executor=executor) as ctx:
        check(ctx.run_udf(ctx.load("npy", path=path), ByFrame()))
