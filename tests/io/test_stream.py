"""Frames are taken from async iterators, and every source gets all of them."""

from __future__ import annotations

import contextlib
import gc
import pickle
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.elsewhere import eventually
from udfwidgets.errors import DataSetException
from udfwidgets.io.arriving import feed, spool
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.io.dataset.stream import StreamDataSet
from udfwidgets.io.load import load

TRUTH = np.random.default_rng(7).poisson(20, (3, 5, 6, 8)).astype("u2")
FRAMES = TRUTH.reshape(15, 6, 8)


class Detector:
    """An async iterator that gives frames when it is told to."""

    def __init__(self, frames: Any = FRAMES) -> None:
        self._frames = frames
        self._allowed = 0
        self._error: Exception | None = None
        self.n_asked = 0
        self.threads: set[int] = set()
        self.is_closed = False

    def give(self, n_frames: int) -> None:
        self._allowed += n_frames

    def fail(self, error: Exception) -> None:
        self._error = error

    async def frames(self) -> AsyncIterator[Any]:
        try:
            for frame in self._frames:
                self.n_asked += 1
                self.threads.add(threading.get_ident())
                while not self._allowed:
                    if self._error is not None:
                        raise self._error
                    await anyio.sleep(0.001)
                self._allowed -= 1
                yield frame
        finally:
            self.is_closed = True


def open_stream(frames: Any, **options: Any) -> StreamDataSet:
    given = {"nav_shape": (3, 5), "sig_shape": (6, 8), "dtype": "u2", **options}
    dataset = load("stream", frames=frames, **given)
    assert isinstance(dataset, StreamDataSet)
    return dataset


async def until(come_true: Any) -> None:
    with anyio.fail_after(20):
        while not come_true():
            await anyio.sleep(0.001)


def read(source: Source, stop: int) -> np.ndarray:
    return source.read(0, stop, Scratch())


class TestComplete(DataSetContract):
    @pytest.fixture(params=["frame by frame", "in stacks"])
    def case(self, request: pytest.FixtureRequest) -> Iterator[Case]:
        stacks = [FRAMES[:4], FRAMES[4], FRAMES[5:15], FRAMES]
        detector = Detector(FRAMES if request.param == "frame by frame" else stacks)
        detector.give(100)
        with open_stream(detector.frames()) as dataset:
            eventually(lambda: not dataset.is_growing)
            yield Case(dataset, TRUTH)
        assert detector.is_closed

    def test_pickle_round_trip(self, case: Case) -> None:
        with pytest.raises(TypeError, match="cannot be pickled: save it"):
            pickle.dumps(case.dataset)


@pytest.mark.anyio
@pytest.mark.parametrize("background", [False, True], ids=["here", "background"])
async def test_frames_are_told_of_as_they_come(background: bool) -> None:
    detector = Detector()
    # The loop of the background is one of asyncio, whatever runs here.
    async with open_stream(detector.frames(), background=background) as dataset:
        with dataset.open() as source:
            assert source.available() == 0
            for n_frames in (1, 2, 9):
                detector.give(n_frames - (source.available() or 0))
                await until(lambda n=n_frames: source.available() == n)
                assert dataset.is_growing
                np.testing.assert_array_equal(read(source, n_frames), FRAMES[:n_frames])
            with dataset.open() as late:
                assert late.available() == 9
                np.testing.assert_array_equal(read(late, 9), FRAMES[:9])
            detector.give(100)
            await until(lambda: source.available() == 15)
        assert not dataset.is_growing
        await until(lambda: detector.is_closed)
        with dataset.open() as late:
            assert late.available() == 15
            np.testing.assert_array_equal(read(late, 15), FRAMES)
        assert (threading.get_ident() in detector.threads) is not background


@pytest.mark.anyio
async def test_more_frames_than_wanted_are_not_asked_for() -> None:
    detector = Detector([*FRAMES, *FRAMES])
    detector.give(100)
    async with open_stream(detector.frames()):
        await until(lambda: detector.is_closed)
    assert detector.n_asked == 15


@pytest.mark.anyio
async def test_an_iterator_that_breaks_is_the_cause() -> None:
    detector = Detector()
    error = ConnectionError("the cable is out")
    async with open_stream(detector.frames()) as dataset:
        with dataset.open() as source:
            detector.give(4)
            await until(lambda: source.available() == 4)
            detector.give(3)
            detector.fail(error)
            with pytest.raises(DataSetException) as caught:
                await until(lambda: source.available() not in (4, 5, 6, 7))
            assert "7 of 15 frames have come, and no more will" in str(caught.value)
            assert "ConnectionError('the cable is out')" in str(caught.value)
            assert caught.value.__cause__ is error
            np.testing.assert_array_equal(read(source, 7), FRAMES[:7])
        with dataset.open() as late:
            assert late.available() == 7
            with pytest.raises(DataSetException, match="7 of 15"):
                await until(lambda: late.available() != 7)


@pytest.mark.anyio
async def test_an_iterator_that_ends_early() -> None:
    detector = Detector(FRAMES[:4])
    detector.give(100)
    async with open_stream(detector.frames()) as dataset:
        with dataset.open() as source:
            message = r"4 of 15 .* the iterator has ended; what has come stays .* roi="
            with pytest.raises(DataSetException, match=message):
                await until(lambda: source.available() not in range(5))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("item", "message"),
    [
        (FRAMES[0].T, r"frame 4 is of shape \(8, 6\) and dtype uint16, expected \(6, 8\)"),
        (FRAMES[0].astype("u1"), r"dtype uint8, expected \(6, 8\) and uint16"),
        (FRAMES[0, 0], r"frame 4 is of shape \(8,\)"),
        (None, r"frame 4 is of shape \(\) and dtype object"),
    ],
    ids=["turned", "of another dtype", "a row", "nothing"],
)
async def test_a_frame_that_does_not_fit(item: Any, message: str) -> None:
    detector = Detector([*FRAMES[:4], item, *FRAMES])
    detector.give(100)
    async with open_stream(detector.frames()) as dataset:
        with dataset.open() as source, pytest.raises(DataSetException) as caught:
            await until(lambda: source.available() not in range(5))
        assert re.search(f"4 of 15 .*{message}", str(caught.value))
        await until(lambda: detector.is_closed)


@pytest.mark.anyio
async def test_frames_of_the_other_byte_order_are_taken() -> None:
    detector = Detector(FRAMES.astype(">u2").transpose(0, 2, 1).copy().transpose(0, 2, 1))
    detector.give(100)
    async with open_stream(detector.frames()) as dataset:
        await until(lambda: not dataset.is_growing)
        with dataset.open() as source:
            np.testing.assert_array_equal(read(source, 15), FRAMES)


@pytest.mark.anyio
async def test_a_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfwidgets.io.arriving.growing._QUIET", 0.02)
    detector = Detector()
    detector.give(4)
    async with open_stream(detector.frames(), stall_timeout=0.1) as dataset:
        with dataset.open() as source:
            await until(lambda: source.available() == 4 and source.waiting_for())
            assert source.waiting_for() == "no new frames for 0 s (4 of 15 are in)"
            with pytest.raises(DataSetException, match=r"4 of 15 .* nothing has come for 0 s"):
                await until(lambda: source.available() != 4)
            # The stall is over: whoever asks goes on from there.
            detector.give(100)
            await until(lambda: _available(source) == 15)
            assert source.waiting_for() == ""


def _available(source: Source) -> int | None:
    with contextlib.suppress(DataSetException):  # until the frames are there
        return source.available()
    return None


@pytest.mark.anyio
async def test_a_loop_that_is_held_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfwidgets.io.arriving.growing._QUIET", 0.0)
    monkeypatch.setattr(feed, "_BUSY", 0.05)
    async with open_stream(Detector().frames()) as dataset:
        with dataset.open() as source:
            await until(lambda: source.available() == 0)
            assert "held up" not in source.waiting_for()

            def see_it_held_up() -> bool:
                source.available()
                return source.waiting_for().endswith(
                    "their event loop is held up by something else"
                )

            eventually(see_it_held_up)  # as a cell does that computes

            def see_it_go_on() -> bool:
                source.available()
                return "held up" not in source.waiting_for()

            await until(see_it_go_on)


@pytest.mark.anyio
async def test_blocking_the_loop_that_brings_the_frames_is_refused() -> None:
    detector = Detector()
    async with open_stream(detector.frames()) as dataset:
        with pytest.raises(RuntimeError, match=r"use ctx.live.* or sync=False, or .*background="):
            dataset.check_blocking()
        await anyio.to_thread.run_sync(dataset.check_blocking)
        detector.give(100)
        await until(lambda: not dataset.is_growing)
        dataset.check_blocking()
    detector = Detector()
    async with open_stream(detector.frames(), background=True) as dataset:
        dataset.check_blocking()


@pytest.mark.anyio
@pytest.mark.parametrize("background", [False, True], ids=["here", "background"])
async def test_closing_ends_the_iterator_and_the_sources(background: bool) -> None:
    detector = Detector()
    dataset = open_stream(detector.frames(), background=background)
    source = dataset.open()
    detector.give(4)
    await until(lambda: source.available() == 4)
    await dataset.aclose()
    assert detector.is_closed
    await dataset.aclose()
    dataset.close()
    with pytest.raises(DataSetException, match=r"4 of 15 .* the dataset was closed"):
        await until(lambda: source.available() != 4)
    # Whoever was reading goes on reading what it was told of.
    np.testing.assert_array_equal(read(source, 4), FRAMES[:4])
    source.close()
    with pytest.raises(DataSetException, match="was closed, and its frames are gone"):
        dataset.open()


@pytest.mark.anyio
async def test_closed_before_its_first_step() -> None:
    detector = Detector()
    async with open_stream(detector.frames()):
        pass
    assert detector.n_asked == 0


@pytest.mark.anyio
async def test_dropping_the_dataset_ends_the_iterator() -> None:
    detector = Detector()
    dataset = open_stream(detector.frames())
    await until(lambda: detector.n_asked == 1)
    del dataset
    gc.collect()
    await until(lambda: detector.is_closed)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_end_of_the_loop_is_the_end_of_the_stream(backend: str) -> None:
    detector = Detector()
    detector.give(4)
    opened: list[StreamDataSet] = []

    async def main() -> None:
        opened.append(open_stream(detector.frames()))
        await until(lambda: detector.n_asked == 5)

    anyio.run(main, backend=backend)
    with opened.pop() as dataset, dataset.open() as source:
        assert detector.is_closed
        assert source.available() == 4
        with pytest.raises(DataSetException, match=r"4 of 15 .* the event loop .* has ended"):
            eventually(lambda: source.available() != 4)


def test_without_a_loop_a_thread_takes_the_frames() -> None:
    detector = Detector()
    with open_stream(detector.frames()) as dataset, dataset.open() as source:
        detector.give(4)
        eventually(lambda: source.available() == 4)
        dataset.check_blocking()
    assert detector.is_closed
    assert threading.get_ident() not in detector.threads


@pytest.mark.anyio
async def test_the_iterator_is_not_asked_before_its_frame_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reused = np.zeros((6, 8), "u2")
    written = []

    async def frames() -> AsyncIterator[np.ndarray]:
        for number in range(15):
            assert len(written) == number
            reused[:] = number
            yield reused

    write = spool.Spool.write

    def note(self: spool.Spool, start: int, frames: np.ndarray) -> None:
        write(self, start, frames)
        written.append(start)

    monkeypatch.setattr(spool.Spool, "write", note)
    async with open_stream(frames()) as dataset:
        await until(lambda: not dataset.is_growing)
        with dataset.open() as source:
            np.testing.assert_array_equal(read(source, 15)[:, 0, 0], np.arange(15))


@pytest.mark.anyio
async def test_an_iterator_that_never_waits_lets_others_go_on() -> None:
    is_over = False

    async def frames() -> AsyncIterator[np.ndarray]:
        while not is_over:
            time.sleep(0.001)
            yield FRAMES[0]

    async with open_stream(frames(), nav_shape=(100, 100, 100)) as dataset:
        with dataset.open() as source:
            await until(lambda: (source.available() or 0) > 10)
        is_over = True


def test_a_full_disk_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = r"GB of room, expected 1.2e\+09 GB .* pass spool_dir="
    with pytest.raises(DataSetException, match=message):
        open_stream(Detector().frames(), nav_shape=(10**9, 10**4), sig_shape=(10**4, 6))
    with pytest.raises(DataSetException, match=r"nowhere cannot keep the frames .* spool_dir="):
        open_stream(Detector().frames(), spool_dir=tmp_path / "nowhere")
    detector = Detector()
    detector.give(100)
    opened = spool.tempfile.TemporaryFile

    def with_room_for_four(**options: Any) -> Any:
        file = opened(**options)
        write = file.write

        class Small:
            def write(self, data: memoryview) -> int:
                if file.tell() >= 4 * FRAMES[0].nbytes:
                    raise OSError(28, "No space left on device")
                return write(data[:50])  # as the system may do, less than asked for

            def __getattr__(self, name: str) -> Any:
                return getattr(file, name)

        return Small()

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", with_room_for_four)
    monkeypatch.setattr(
        spool.np, "memmap", lambda file, *args: np.zeros(FRAMES.shape, FRAMES.dtype)
    )
    message = r"4 of 15 .* No space left on device; pass"
    with (
        open_stream(detector.frames()) as dataset,
        dataset.open() as source,
        pytest.raises(DataSetException, match=message),
    ):
        eventually(lambda: source.available() not in range(5))


def test_the_spool_has_no_name_and_goes(tmp_path: Path) -> None:
    detector = Detector()
    detector.give(100)
    with open_stream(detector.frames(), spool_dir=tmp_path) as dataset:
        eventually(lambda: not dataset.is_growing)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (list(FRAMES), "frames is of type list, expected an async iterator"),
        (Detector().frames, "Detector.frames, expected an async iterator: call it"),
    ],
    ids=["a list", "a function"],
)
def test_frames_must_be_an_async_iterator(frames: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        open_stream(frames)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "U3"}, "dtype=<U3, expected a dtype of numbers"),
        ({"nav_shape": (0, 2)}, "nav_shape="),
        ({"sig_shape": ()}, "sig_shape="),
        ({"stall_timeout": 0}, "stall_timeout=0, expected seconds"),
    ],
    ids=["dtype", "nav_shape", "sig_shape", "stall_timeout"],
)
def test_arguments_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_stream(Detector().frames(), **options)
