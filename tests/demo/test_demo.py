from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from udfwidgets.demo import FORMATS, Sample, make_scan
from udfwidgets.demo import write as demo_write
from udfwidgets.demo.__main__ import main
from udfwidgets.io.dataset.base import Scratch
from udfwidgets.io.load import load

SMALL = {"nav_shape": (5, 7), "sig_shape": (32, 48)}


def test_the_same_seed_gives_the_same_frames() -> None:
    one, two = Sample(**SMALL, seed=3), Sample(**SMALL, seed=3)
    np.testing.assert_array_equal(one.frames(0, 35), two.frames(0, 35))
    assert (Sample(**SMALL, seed=4).frames(0, 35) != one.frames(0, 35)).any()


def test_a_frame_does_not_depend_on_its_neighbours() -> None:
    sample = Sample(**SMALL)
    np.testing.assert_array_equal(sample.frames(0, 35)[11:20], sample.frames(11, 20))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_files_hold_the_frames(tmp_path: Path, name: str) -> None:
    path = make_scan(tmp_path / "new" / "folder", **SMALL, formats=[name])[name]
    dataset = load("auto", path=path)
    assert dataset.shape == (5, 7, 32, 48)
    assert dataset.dtype == np.uint16
    with dataset.open() as source:
        np.testing.assert_array_equal(source.read(0, 35, Scratch()), Sample(**SMALL).frames(0, 35))
    assert not list(tmp_path.rglob("*unfinished*"))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_complete_file_is_kept_and_another_scan_replaces_it(tmp_path: Path, name: str) -> None:
    def state() -> dict[str, tuple[int, int]]:
        files = tmp_path.iterdir()
        return {f.name: (f.stat().st_mtime_ns, f.stat().st_ino) for f in files}

    make_scan(tmp_path, **SMALL, formats=[name])
    first = state()
    make_scan(tmp_path, **SMALL, formats=[name])
    assert state() == first
    make_scan(tmp_path, **SMALL, seed=1, formats=[name])
    assert state() != first


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_interrupted_run_leaves_no_half_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Sample):
        def frames(self, start: int, stop: int) -> np.ndarray:
            if start > 10:
                raise KeyboardInterrupt
            return super().frames(start, stop)

    with monkeypatch.context() as patch:
        patch.setattr(demo_write, "Sample", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_scan(tmp_path, **SMALL, formats=[name])
    assert not list(tmp_path.iterdir())
    path = make_scan(tmp_path, **SMALL, formats=[name])[name]
    assert load("auto", path=path).shape.nav == (5, 7)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_two_notebooks_can_begin_at_once(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_write = threading.Barrier(2)

    class Slow(Sample):
        def frames(self, start: int, stop: int) -> np.ndarray:
            if start == 0:
                both_write.wait(20)
            return super().frames(start, stop)

    expected = Sample(**SMALL).frames(0, 35)
    monkeypatch.setattr(demo_write, "Sample", Slow)
    with ThreadPoolExecutor(2) as threads:
        made = [threads.submit(make_scan, tmp_path, **SMALL, formats=[name]) for _ in "ab"]
        (path,) = {each.result()[name] for each in made}
    with load("auto", path=path).open() as source:
        np.testing.assert_array_equal(source.read(0, 35, Scratch()), expected)
    assert not list(tmp_path.glob(".*"))


def test_a_truncated_file_is_written_anew(tmp_path: Path) -> None:
    make_scan(tmp_path, **SMALL)
    mib = tmp_path / "default.mib"
    content = mib.read_bytes()
    mib.write_bytes(content[:-100])
    make_scan(tmp_path, **SMALL)
    assert mib.read_bytes() == content


def test_a_size_with_one_line_and_one_pixel_works(tmp_path: Path) -> None:
    path = make_scan(tmp_path, nav_shape=(1, 3), sig_shape=(1, 1))["mib"]
    assert load("mib", path=path).shape == (1, 3, 1, 1)


def test_the_truth_shows_in_the_frames() -> None:
    sample = Sample((24, 24), (64, 64), defects=False)
    truth = sample.truth()
    frames = sample.frames(0, 24 * 24).astype(float)
    intensity = frames.sum(axis=(1, 2)).reshape(24, 24)
    hole = truth.grain == -1
    assert 0 < hole.mean() < 0.4
    np.testing.assert_array_equal(hole, truth.thickness == 0)
    # Nothing is lost in the hole, and the disk is where the truth says.
    assert abs(intensity[hole].mean() / sample.dose - 1) < 0.05
    assert intensity[truth.thickness > 0.3].max() < intensity[hole].min()
    y, x = np.mgrid[:64, :64] - 31.5
    in_hole = frames[hole.ravel()]
    com_y = (in_hole * y).sum(axis=(1, 2)) / in_hole.sum(axis=(1, 2))
    com_x = (in_hole * x).sum(axis=(1, 2)) / in_hole.sum(axis=(1, 2))
    np.testing.assert_allclose(com_y, truth.shift[hole][:, 0], atol=0.1)
    np.testing.assert_allclose(com_x, truth.shift[hole][:, 1], atol=0.1)


def test_grains_show_as_contrast_between_them() -> None:
    sample = Sample((48, 48), (64, 64), defects=False)
    grain = sample.truth().grain.ravel()
    y, x = np.mgrid[:64, :64] - 31.5
    # A small aperture on the ring of the first reflections.
    aperture = np.hypot(y, x - 13) < 4
    image = (sample.frames(0, 48 * 48) * aperture).sum(axis=(1, 2))
    means = [image[grain == g].mean() for g in set(grain) - {-1} if (grain == g).sum() > 20]
    assert len(means) > 15
    assert max(means) > 5 * min(means)


@pytest.mark.parametrize("shape", [(4,), (0, 4), (2, 3, 4)])
def test_impossible_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected two positive numbers"):
        Sample(shape, (8, 8))


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\['tiff'\].*'hdf5', 'hdf5-gzip', 'mib'"):
        make_scan(tmp_path, formats=["mib", "tiff"])
    assert not list(tmp_path.iterdir())


def test_the_command_line_prints_what_it_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--nav", "2", "3", "--sig", "8", "9", "--seed", "5", "--format", "hdf5"]
    main([str(tmp_path), *options, "--format", "mib"])
    printed = capsys.readouterr().out.split()
    assert printed == [str(tmp_path / "default.h5"), str(tmp_path / "default.hdr")]
    assert load("auto", path=printed[0]).shape == (2, 3, 8, 9)


def test_the_module_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "udfwidgets.demo", str(tmp_path), "--nav", "1", "0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "expected 1 or more" in result.stderr
