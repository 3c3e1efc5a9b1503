"""Runs the examples of CONTRIBUTING.md as they stand there, on data of the kind they are for."""

from __future__ import annotations

import io
import queue
import re
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import ModuleType

import comm
import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.errors import DataSetException, UDFRunCancelled
from udfwidgets.live.wire.hub import hub
from udfwidgets.live.wire.protocol import TARGET
from udfwidgets.udf.base import UDF

ROOT = Path(__file__).parents[1]
PATIENCE = 10
RNG = np.random.default_rng(14)


def example(chapter: str) -> ModuleType:
    """Return the Python code of a chapter as a module that can be imported, and pickled from."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    begin = text.index(f"\n## {chapter}\n")
    at = text.index("\n```python\n", begin) + len("\n```python\n")
    assert "\n## " not in text[begin + 1 : at], f"no Python code in chapter {chapter!r}"
    # As many lines before it as in the file: a traceback points into CONTRIBUTING.md.
    source = "\n" * text[:at].count("\n") + text[at : text.index("\n```\n", at)]
    module = ModuleType("contributing_" + re.sub(r"\W", "_", chapter.lower()))
    sys.modules[module.__name__] = module
    code = compile(source, str(ROOT / "CONTRIBUTING.md"), "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


FORMAT, FUNCTION = example("A format"), example("A UDF")
EXECUTOR, WIDGET = example("An executor"), example("A widget")


def write_camera(path: Path, frames: np.ndarray) -> Path:
    """As the camera writes them: a header, and eight bytes behind each frame."""
    with path.open("wb") as file:
        file.write(b"CAM1" + np.array([*frames.shape[1:], len(frames)], "<u4").tobytes())
        for number, frame in enumerate(frames):
            file.write(frame.astype("<u2").tobytes() + number.to_bytes(8, "little"))
    return path


class TestFormat(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        truth = RNG.integers(0, 1000, (3, 5, 6, 7)).astype("u2")
        path = write_camera(tmp_path / "scan.cam", truth.reshape(-1, 6, 7))
        return Case(FORMAT.CameraDataSet(path, (3, 5)), truth)

    def test_runs(self, case: Case) -> None:
        with Context() as ctx:
            result = ctx.run_udf(dataset=case.dataset, udf=SumSigUDF())
        np.testing.assert_array_equal(result["intensity"].data, case.truth.sum((2, 3)))

    def test_refuses_a_truncated_file(self, case: Case, tmp_path: Path) -> None:
        content = (tmp_path / "scan.cam").read_bytes()
        cut = tmp_path / "cut.cam"
        cut.write_bytes(content[:50])
        with pytest.raises(DataSetException, match="expected 15 frames of 84 bytes from byte 16"):
            FORMAT.CameraDataSet(cut)
        cut.write_bytes(content[:-9])
        with pytest.warns(UserWarning, match="1 of 15 frames are missing, as there are only 14"):
            stopped = FORMAT.CameraDataSet(cut, (3, 5))
        assert stopped.missing.sum() == 1
        cut.write_bytes(b"CAM2" + content[4:])
        with pytest.raises(DataSetException, match="expected b'CAM1'"):
            FORMAT.CameraDataSet(cut)


@pytest.mark.parametrize("dtype", ["u1", ">u2", "i4", "f4"])
@pytest.mark.parametrize("shape", [(7, 5, 4, 6), (13, 1, 9), (1, 1, 3, 3)])
@pytest.mark.parametrize("with_roi", [False, True])
def test_udf_is_one_line_of_numpy(dtype: str, shape: tuple[int, ...], with_roi: bool) -> None:
    data = (RNG.integers(0, 200, shape) - (150 if np.dtype(dtype).kind in "if" else 0)).astype(
        dtype
    )
    nav = shape[:-2]
    roi = RNG.random(nav) < 0.5 if with_roi else np.ones(nav, bool)
    roi.flat[-1] = True
    with Context.make_with("threads", cpus=2) as ctx:
        dataset = ctx.load("memory", data=data)
        for order in ("scan", "progressive"):
            got = ctx.run_udf(dataset, FUNCTION.MaximumUDF(), roi=roi, order=order)
            np.testing.assert_array_equal(got["of_pixels"].data, data[roi].max(axis=0))
            np.testing.assert_array_equal(got["of_frames"].raw_data, data.max(axis=(-2, -1))[roi])


class Failing(UDF):
    def get_result_buffers(self):
        return {"none": self.buffer("nav")}

    def process_frame(self, frame):
        raise KeyError("of the user")


@pytest.fixture
def plain():
    with closing(EXECUTOR.PlainThreads(2)) as executor, Context(executor) as ctx:
        yield ctx
    assert not [thread for thread in threading.enumerate() if thread.name == "plain"]


@pytest.fixture
def data():
    return RNG.integers(0, 100, (32, 32, 16, 16)).astype("u2")


@pytest.mark.anyio
async def test_executor_does_runs_side_by_side(plain, data):
    dataset = plain.load("memory", data=data)
    pending = [plain.run_udf(dataset, [SumSigUDF(), SumUDF()], sync=False) for _ in range(4)]
    for result in pending:
        frames, sums = await result
        np.testing.assert_array_equal(frames["intensity"].data, data.sum((2, 3)))
        np.testing.assert_array_equal(sums["intensity"].data, data.sum((0, 1)))


@pytest.mark.anyio
async def test_executor_serves_a_loop(plain, data):
    dataset, steps = plain.load("memory", data=data), []
    async for step in plain.run_udf_iter(dataset, SumUDF(), sync=False):
        steps.append(step.damage.data.sum())
    assert steps[-1] == 32 * 32
    assert steps == sorted(steps)


def test_executor_stops_a_run_whose_loop_is_left(plain, data):
    dataset = plain.load("memory", data=data)
    for _ in plain.run_udf_iter(dataset, SumUDF()):
        break
    assert plain.executor.runs == ()


def test_executor_hands_an_error_to_the_one_who_waits(plain, data):
    dataset = plain.load("memory", data=data)
    with pytest.raises(KeyError, match="of the user"):
        plain.run_udf(dataset, Failing())
    assert plain.run_udf(dataset, SumUDF())["intensity"].data.sum() == data.sum()


def test_executor_that_is_closed_ends_its_runs(plain, data):
    gate, entered = threading.Event(), threading.Event()

    class Slow(UDF):
        def get_result_buffers(self):
            return {"none": self.buffer("nav")}

        def process_frame(self, frame):
            entered.set()
            gate.wait(PATIENCE)

    plain.run_udf(plain.load("memory", data=data), Slow(), sync=False)
    assert entered.wait(PATIENCE)
    (run,) = plain.executor.runs
    closer = threading.Thread(target=plain.close)
    closer.start()
    run.bell.wait(run.is_stopping)
    gate.set()
    closer.join(PATIENCE)
    assert not closer.is_alive()
    with pytest.raises(RuntimeError, match="closed"):
        plain.run_udf(plain.load("memory", data=data), SumUDF())
    with pytest.raises(UDFRunCancelled):
        run.result()


class Page:
    """A comm that a browser has opened, seen from the kernel."""

    def __init__(self):
        self._sent = queue.SimpleQueue()
        opened = comm.get_comm_manager().targets[TARGET]
        opened(self, {"content": {"data": {"type": "hello", "page": "page"}}})

    def send(self, data, buffers):
        self._sent.put(data)

    def on_msg(self, callback):
        self._heard = callback

    def on_close(self, callback):
        self._closed = callback

    def say(self, **data):
        self._heard({"content": {"data": {"page": "page", **data}}})

    def paint(self):
        """Take the images of the next message, and acknowledge them."""
        images = self._sent.get(timeout=PATIENCE)["images"]
        self.say(type="ack", painted=[[part["key"], part["sequence"]] for part in images])
        return images

    def close(self):
        self._closed({})


def test_widget_gets_its_frames():
    y = np.arange(32)[:, None, None, None]
    # Every fourth line is brighter: frequency 8 of 32, on both sides of the middle, and twice that.
    data = (100 + 50 * (y % 4 == 0) * np.ones((32, 32, 8, 8))).astype("u2")
    views = []

    def view(run, plots):
        views.append(WIDGET.SpectrumView(run, plots))
        return views[-1]

    with Context(plot_class=view) as ctx:
        dataset = ctx.load("memory", data=data)
        stream = ctx.run_udf_iter(dataset, SumSigUDF(), plots=True)
        image = views[0].image
        with closing(Page()) as page:
            page.say(type="want", key=image._feed.key, view="visible")
            for _ in stream:
                pass
            frames = page.paint()
            while not frames[-1]["final"]:
                frames += page.paint()
    assert {part["key"] for part in frames} == {image._feed.key}
    power = image._feed.picture.values
    np.testing.assert_allclose(
        power,
        np.abs(np.fft.fftshift(np.fft.fft2(data.sum((2, 3)) - data.sum((2, 3)).mean()))) ** 2,
        rtol=1e-4,
        atol=1,
    )
    bright = {tuple(spot) for spot in np.argwhere(power > power.max() / 2).tolist()}
    assert bright == {(0, 16), (8, 16), (24, 16)}
    assert image._feed.picture.final
    assert io.BytesIO(image.png()).read(4) == b"\x89PNG"
    image.close()
    hub().close()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_paths_that_are_named_exist(page: str) -> None:
    missing = [name for name in paths_in((ROOT / page).read_text()) if not exists(name, page)]
    assert missing == []


MADE = ("demo-data", ".venv", "dist", "udfwidgets/static")
"""Beginnings of paths that are made on the way, and not part of the source."""


def paths_in(text: str) -> set[str]:
    """Return what looks like a path in links and in code of one word, outside of Python code."""
    prose = re.sub(r"```python\n.*?\n```", "", text, flags=re.S)
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", prose) if "://" not in link}
    words = re.findall(r"`([^`\s]+)`", prose) + re.findall(r"^[^#\n]*?(\S+\.\w+)", prose, re.M)
    paths = {
        word for word in words if re.fullmatch(r"[\w.-]+(/[\w.-]*)+|[\w-]+\.(py|ts|md|json)", word)
    }
    return {path for path in links | paths if not path.startswith(MADE)}


def exists(name: str, page: str) -> bool:
    bases = [ROOT, (ROOT / page).parent, ROOT / "udfwidgets"]
    return any((base / name).exists() for base in bases)
