"""The simulated detector delivers the same frames live, in stacks and into files."""

from __future__ import annotations

from pathlib import Path

import anyio
import h5py
import numpy as np
import pytest

from udfwidgets.demo import Sample, SimulatedDetector, acquire
from udfwidgets.io.dataset.base import Scratch
from udfwidgets.io.load import load

NAV, SIG = (5, 8), (16, 16)
FRAMES = Sample(NAV, SIG).frames(0, 40)


@pytest.mark.anyio
async def test_frames_come_one_by_one() -> None:
    detector = SimulatedDetector(NAV, SIG, frames_per_second=1e4)
    frames = [frame async for frame in detector.frames()]
    np.testing.assert_array_equal(frames, FRAMES)
    assert detector.shape.to_tuple() == (*NAV, *SIG)
    assert frames[0].dtype == detector.dtype


def test_stacks_are_of_the_same_frames() -> None:
    stacks = list(SimulatedDetector(NAV, SIG, frames_per_second=1e4).blocks())
    np.testing.assert_array_equal(np.concatenate(stacks), FRAMES)


@pytest.mark.parametrize(
    ("sig", "factor"), [((256, 256), 4), ((64, 64), 1), ((130, 192), 2), ((129, 256), 1)]
)
def test_large_frames_are_drawn_small(sig: tuple[int, int], factor: int) -> None:
    (frame,) = SimulatedDetector((2, 2), sig).expose(3, 9)
    drawn = Sample((2, 2), [n // factor for n in sig]).frames(3, 4)[0]
    np.testing.assert_array_equal(frame, np.kron(drawn, np.ones((factor, factor), "u2")))


@pytest.mark.anyio
async def test_it_waits_for_the_beam() -> None:
    detector = SimulatedDetector(NAV, SIG, frames_per_second=200)
    detector.pause()
    frames = detector.frames()
    with anyio.move_on_after(0.1) as scope:
        await anext(frames)
    assert scope.cancelled_caught
    detector.resume()
    frames = detector.frames()
    np.testing.assert_array_equal(await anext(frames), FRAMES[0])
    detector.pause()
    n_left = 0
    with anyio.move_on_after(0.3) as scope:
        async for _ in frames:
            n_left += 1
    assert scope.cancelled_caught
    assert n_left < 39
    detector.resume()
    assert len([frame async for frame in detector.frames()]) == 40


@pytest.mark.anyio
async def test_it_stops_and_it_fails() -> None:
    detector = SimulatedDetector(NAV, SIG, frames_per_second=1e4)
    taken = []
    async for frame in detector.frames():
        taken.append(frame)
        if len(taken) == 7:
            detector.stop()
    assert len(taken) == 7
    detector = SimulatedDetector(NAV, SIG)
    detector.fail()
    with pytest.raises(ConnectionError, match="does not answer"):
        await anext(detector.frames())
    detector.fail(OSError("no cooling"))
    with pytest.raises(OSError, match="no cooling"):
        next(detector.blocks())


def test_impossible_paces_are_refused() -> None:
    with pytest.raises(ValueError, match="frames_per_second is 0"):
        SimulatedDetector(frames_per_second=0)


@pytest.mark.parametrize("name", ["scan.h5", "scan.hdr"])
def test_a_recorded_file_is_like_any_other(tmp_path: Path, name: str) -> None:
    with acquire(tmp_path / name, NAV, SIG, frames_per_second=1e4) as acquisition:
        acquisition.wait()
        assert not acquisition.is_running
        with pytest.raises(RuntimeError, match="has ended"):
            acquisition.pause()
    dataset = load("auto", path=acquisition.path)
    assert dataset.shape.to_tuple() == (*NAV, *SIG)
    with dataset.open() as source:
        np.testing.assert_array_equal(source.read(0, 40, Scratch()), FRAMES)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_recording_can_be_ended(tmp_path: Path, end: str) -> None:
    with acquire(tmp_path / "scan.h5", (999, 999), SIG) as acquisition:
        acquisition.pause()
        acquisition.resume()
        assert acquisition.is_running
        getattr(acquisition, end)()
        assert not acquisition.is_running
    if end == "stop":
        with h5py.File(acquisition.path, "r") as file:  # which was closed in order
            assert file["entry/data/counts"].shape == (999, 999, *SIG)
    else:
        with pytest.raises(OSError, match="already open for write"):
            h5py.File(acquisition.path, "r")


def test_recordings_that_cannot_begin(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in '\.tif', expected one of \['\.h5', '\.hdr'\]"):
        acquire(tmp_path / "scan.tif")
    with pytest.raises(RuntimeError, match=r"scan\.h5 could not begin"):
        acquire(tmp_path / "nowhere" / "scan.h5")
