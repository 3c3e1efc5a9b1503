"""A scan that was stopped early: what is missing is hatched to the end, and the card says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import nbformat
import numpy as np
import numpy.typing as npt
import pytest

from tests.io.merlin import write_hdr, write_mib
from tests.io.writers.blo import write_blo
from tests.io.writers.dm import write_dm
from tests.io.writers.empad import write_empad_raw
from tests.io.writers.frms6 import write_frms6
from tests.io.writers.mrc import write_mrc
from tests.io.writers.seq import write_seq
from tests.io.writers.ser import write_ser
from tests.io.writers.tvips import write_tvips

from .cards import (
    SETUP,
    run_cells,
    show,
    wait_for_fraction,
    wait_for_python,
    wait_for_states,
)
from .conftest import NotebookMaker
from .lab import Lab
from .test_live_plotting import distance_to_map, sampled

pytestmark = pytest.mark.browser

#: Whole numbers, of which a blank result would be 0, a value like any other.
STOPPED = """
import warnings
counts = (data[:, :, :16, :16] * 50).astype(np.uint16).reshape(4096, 16, 16)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    scan = ctx.load("memory", data=counts[:2600], nav_shape=(64, 64))
print(caught[0].message)
"""
LIVE = """
live = ctx.live(demo.PacedDataSet(scan, {rate}), SumSigUDF(), order={order!r})
live
"""
NOTE = "1496 of 4096 frames are missing, as there are only 2600"
WHOLE = "() => document.querySelector('.udfw-canvas')?.dataset.udfwFraction === '1'"
# What was merged last glows for a moment.
STILL = "() => document.querySelector('.udfw-canvas').dataset.udfwFading === 'false'"


def check_hatch(lab: Lab) -> None:
    """The last lines have two colours, those of the hatch, and the first ones those of the map."""
    lab.wait_until(STILL)
    pixels = sampled(lab, 0, (64, 64))
    there, missing = pixels[:40], pixels[42:]
    assert (distance_to_map(there, "viridis") <= 3).mean() > 0.95
    assert (distance_to_map(missing, "viridis") > 12).mean() > 0.95
    grey = np.ptp(missing, axis=-1)
    assert (grey < 25).mean() > 0.95, "something shines through the hatch"


def reading(lab: Lab, row: int, column: int) -> str:
    """Return what is said of a data pixel under the pointer."""
    canvas, readout = lab.page.locator(".udfw-canvas"), lab.page.locator(".udfw-readout")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    lab.page.mouse.move(
        box["x"] + (column + 0.5) * box["width"] / 64, box["y"] + (row + 0.5) * box["height"] / 64
    )
    readout.wait_for()
    text = readout.inner_text()
    assert text.startswith(f"y {row}, x {column}: ")
    return text.partition(": ")[2]


def card_note(lab: Lab) -> str:
    return str(lab.page.locator(".udfw-note").first.inner_text())


@pytest.mark.parametrize("order", ["progressive", "scan"])
def test_missing_positions_are_hatched_to_the_end(
    lab: Lab, lab_notebook: NotebookMaker, order: str
) -> None:
    notebook = lab_notebook([SETUP, STOPPED, LIVE.format(rate=1500, order=order)])
    lab.open(notebook)
    run_cells(lab, [0, 1, 2])
    assert NOTE in lab.output(1)
    wait_for_fraction(lab, 0.3)
    assert card_note(lab) == NOTE
    pixels = sampled(lab, 0, (64, 64))[44:]
    assert (np.ptp(pixels, axis=-1) < 25).mean() > 0.95, "an estimate of what never comes"
    assert reading(lab, 50, 20) == "nothing here"
    wait_for_states(lab, "done")
    lab.wait_until(WHOLE)
    check_hatch(lab)
    assert re.sub(r"\W", "", lab.page.locator(".udfw-line").inner_text()).startswith("2600frames")
    wait_for_python(
        lab,
        "bool((live.result()[0]['intensity'].valid_mask == ~scan.missing).all()"
        " and (live.result()[0]['intensity'].data[~scan.missing]"
        " == counts[:2600].sum(axis=(1, 2))).all())",
    )
    # Once more from what is saved, in a page that has seen nothing of the run.
    lab.restart_page()
    show(lab)
    lab.wait_until(WHOLE)
    check_hatch(lab)
    assert card_note(lab) == NOTE


# A stopped scan of each format

NAV, SIG, THERE = (24, 32), (8, 64), 500
Array = npt.NDArray[Any]


def numpy_cut_short(path: Path, frames: Array) -> None:
    np.save(path, np.concatenate([frames, frames])[: NAV[0] * NAV[1]])
    path.write_bytes(path.read_bytes()[: 128 + frames.nbytes + 100])


def merlin(kind: str, depth: int) -> Callable[[Path, Array], object]:
    return lambda path, frames: write_mib(path, frames, kind, depth)


def merlin_of_two_files(path: Path, frames: Array) -> None:
    """Write a header and two files, the second of which ends within a frame."""
    write_mib(path.with_name("two1.mib"), frames[:300], "U16", 12)
    second = write_mib(path.with_name("two2.mib"), frames[300:], "U16", 12, first=301)
    second.write_bytes(second.read_bytes() + b"MQ1,000501,00384")
    write_hdr(path, NAV[0] * NAV[1], NAV[1])


def blockfile(path: Path, frames: Array) -> None:
    """Write a whole scan of bytes, and leave out what was not recorded."""
    scan = np.resize(frames.astype("u1"), (*NAV, *frames.shape[1:]))
    write_blo(path, scan)
    n_missing = NAV[0] * NAV[1] - len(frames)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - n_missing * (6 + frames[0].size)])


def merlin_followed(path: Path, frames: Array) -> None:
    """Write what a detector had written when it was switched off, within a frame."""
    recorded = write_mib(path.with_suffix(".mib"), frames, "U16", 12)
    recorded.write_bytes(recorded.read_bytes() + b"MQ1,000501,00384")
    write_hdr(path, NAV[0] * NAV[1], NAV[1])


def hdf5_followed(path: Path, frames: Array) -> None:
    """Write a file of the final size, and the frames there are."""
    with h5py.File(path, "w", libver="latest") as file:
        scan = file.create_dataset("scan", (*NAV, *SIG), frames.dtype, chunks=(1, 1, *SIG))
        file.swmr_mode = True
        for number, frame in enumerate(frames):
            scan[divmod(number, NAV[1])] = frame


def of_pnccd(path: Path, frames: Array) -> None:
    """Write frames, and one without beam, which is to be taken from all of them."""
    write_frms6(path.parent, frames + 7, np.full((1, *SIG), 7, "u2"), NAV)


def zarr_store(path: Path, frames: Array) -> None:
    """Write a store of version 2, in small chunks."""
    told = {"zarr_format": 2, "shape": frames.shape, "chunks": (16, *SIG), "dtype": "<u2"}
    none = {"compressor": None, "filters": None, "fill_value": 0, "order": "C"}
    path.mkdir()
    (path / ".zarray").write_text(json.dumps({**told, **none}))
    for number in range(-(-len(frames) // 16)):
        chunk = np.zeros((16, *SIG), "<u2")
        part = frames[16 * number : 16 * number + 16]
        chunk[: len(part)] = part
        (path / f"{number}.0.0").write_bytes(chunk.tobytes())


def movie(path: Path, frames: Array) -> None:
    """Write two files, as `path` is the first one."""
    write_tvips(path.with_name("t"), frames, cuts=(300,))


def hdf5(**how: Any) -> Callable[[Path, Array], None]:
    def write(path: Path, frames: Array) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("scan", data=frames, **how)

    return write


#: Of each format: the name of a file, what writes it, and how it is opened.
SHAPED = "path, nav_shape=NAV"
CHUNKS = {"chunks": (16, *SIG)}
FORMATS: dict[str, tuple[str, Callable[[Path, Array], object], str]] = {
    "memory": ("a.npy", np.save, "'memory', np.load(path), nav_shape=NAV"),
    "npy": ("b.npy", np.save, f"'npy', {SHAPED}"),
    "npy, cut": ("c.npy", numpy_cut_short, f"'npy', {SHAPED}"),
    "raw": ("d.raw", lambda p, f: f.tofile(p), f"'raw', {SHAPED}, dtype='u2', sig_shape=SIG"),
    "MIB": ("e.mib", merlin("U16", 12), f"'mib', {SHAPED}"),
    "MIB, a .hdr of two": ("two.hdr", merlin_of_two_files, "'auto', path"),
    **{
        f"R64 MIB, {depth} bits": (f"{letter}.mib", merlin("R64", depth), f"'mib', {SHAPED}")
        for depth, letter in ((1, "n"), (6, "o"), (12, "p"), (24, "q"))
    },
    "HDF5, contiguous": ("f.h5", hdf5(), f"'auto', {SHAPED}"),
    "HDF5, in chunks": ("g.h5", hdf5(**CHUNKS), f"'hdf5', {SHAPED}"),
    "HDF5, gzip": ("h.h5", hdf5(**CHUNKS, compression="gzip", shuffle=True), f"'hdf5', {SHAPED}"),
    "HDF5, lzf": ("i.h5", hdf5(**CHUNKS, compression="lzf"), f"'hdf5', {SHAPED}"),
    "HDF5, Bitshuffle": ("j.h5", hdf5(**CHUNKS, **hdf5plugin.Bitshuffle()), f"'hdf5', {SHAPED}"),
    "HDF5, Blosc": ("k.h5", hdf5(**CHUNKS, **hdf5plugin.Blosc()), f"'hdf5', {SHAPED}"),
    "HDF5, Zstd": ("l.h5", hdf5(**CHUNKS, **hdf5plugin.Zstd()), f"'hdf5', {SHAPED}"),
    "DM": ("a.dm4", write_dm, f"'auto', {SHAPED}"),
    "EMPAD": ("a_empad.raw", write_empad_raw, f"'empad', {SHAPED}"),
    "BLO": ("a.blo", blockfile, f"'auto', {SHAPED}"),
    "SEQ": ("a.seq", write_seq, f"'auto', {SHAPED}"),
    "MRC": ("a.mrc", write_mrc, f"'auto', {SHAPED}"),
    "SER": ("a_1.ser", lambda p, f: write_ser(p, f, (("", 1.0),)), f"'auto', {SHAPED}"),
    "FRMS6": ("scan.hdr", of_pnccd, f"'frms6', {SHAPED}"),
    "Zarr": ("a.zarr", zarr_store, f"'auto', {SHAPED}"),
    "TVIPS": ("t_000.tvips", movie, f"'auto', {SHAPED}"),
    # Long enough to look at what is there before it is given up.
    "MIB, followed": ("r.hdr", merlin_followed, "'auto', path, follow=True, stall_timeout=5"),
    "HDF5, followed": ("s.h5", hdf5_followed, "'auto', path, follow=True"),
    "stream": (
        "m.npy",
        np.save,
        "'stream', coming(np.load(path), go), NAV, SIG, 'u2', background=True",
    ),
}
OPEN = f"""
import asyncio, threading, warnings
from udfwidgets import ApplyMasksUDF, StdDevUDF, UDF
from udfwidgets.udf.auto import AutoUDF
from udfwidgets.udf.com import CoMUDF

NAV, SIG, THERE = {NAV}, {SIG}, {THERE}
there = np.arange({NAV[0] * NAV[1]}).reshape(NAV) < THERE

go = threading.Event()

class HeldDataSet(demo.PacedDataSet):
    "Holds back what is read once a quarter of the scan is merged, until `go` is set."
    def open(self):
        source, until = super().open(), go
        read = source.read
        def held(start, stop, scratch):
            # By what is merged: how much of what was read is not yet depends on the machine.
            while live is None or live.snapshot().damage.data.mean() > 0.25:
                if until.wait(0.01):
                    break
            return read(start, stop, scratch)
        source.read = held
        return source

async def coming(frames, until):
    for n, frame in enumerate(frames):
        while n == THERE // 2 and not until.is_set():
            await asyncio.sleep(0.01)
        yield frame

class Highest(UDF):
    def get_result_buffers(self):
        return {{"at": self.buffer("nav", (2,), dtype=int), "highest": self.buffer("nav")}}
    def process_frame(self, frame):
        self.results.highest[:] = frame.max()
        self.results.at[:] = self.meta.coordinates[0]

def wrong(buffers, frames):
    "Name the results that are not those of NumPy over the frames there are."
    each, total, spread, masked, top, seen, com = buffers
    f = frames.astype(float)
    width = f.shape[2]
    x = (f.sum(1) * np.arange(width)).sum(1) / f.sum((1, 2)) - width // 2
    of_scan = {{
        "sums": (each["intensity"], f.sum((1, 2))),
        "masks": (masked["intensity"], (f * mask).sum((1, 2))[:, None]),
        "auto": (top["result"], f.max((1, 2))),
        "highest": (seen["highest"], f.max((1, 2))),
        "places": (seen["at"], np.argwhere(there)),
        "field_x": (com["field_x"], x),
    }}
    of_detector = {{
        "sum": (total["intensity"], f.sum(0)),
        "mean": (spread["mean"], f.mean(0)),
        "var": (spread["var"], f.var(0)),
    }}
    close = lambda a, b: np.allclose(a, b, rtol=1e-4, atol=1e-3)
    bad = [name for name, (got, want) in of_scan.items()
           if not close(got.data[there], want.reshape(got.data[there].shape))
           or not (got.valid_mask.reshape(*NAV, -1) == there[..., None]).all()]
    bad += [name for name, (got, want) in of_detector.items()
            if not close(got.data, want) or not got.valid_mask.all()]
    return bad + ["num_frames"] * int(spread["num_frames"].data[0] != len(frames))
"""
SHOW = """
go.set()
go = threading.Event()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    scan = opened()
print(*{str(warning.message) for warning in caught})
mask = np.arange(float(scan.shape.sig.size)).reshape(scan.shape.sig)
udfs = [SumSigUDF(), SumUDF(), StdDevUDF(), ApplyMasksUDF(lambda: mask, mask_dtype=float),
        AutoUDF(lambda frame: frame.max()), Highest(), CoMUDF.with_params()]
plots = [["intensity"], [], [], [], [], ["highest"], []]
live = None
live = ctx.live(scan if scan.is_growing else HeldDataSet(scan, 1000), udfs, plots=plots)
live
"""
WRONG = "wrong(live.snapshot().buffers, np.load(truth))"


@pytest.fixture(scope="module")
def formats(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Open one notebook, on one kernel, for all formats; return a folder for their files."""
    folder = tmp_path_factory.mktemp("formats")
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, OPEN, SHOW)]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "f.ipynb")
    lab.open(folder / "f.ipynb")
    for cell in (0, 1):
        lab.run_cell(cell)
    return folder


def check_hatched(lab: Lab, image: int) -> None:
    """Where no frame is, or will be, no colour of the map is."""
    missing = sampled(lab, image, NAV)[1 + THERE // NAV[1] :]
    assert (distance_to_map(missing, "viridis") > 12).mean() > 0.95
    assert (np.ptp(missing, axis=-1) < 25).mean() > 0.95, "something shines through the hatch"


@pytest.mark.parametrize("name", FORMATS)
def test_a_stopped_scan_of_each_format(lab: Lab, formats: Path, name: str) -> None:
    file, write, how = FORMATS[name]
    sig = {"EMPAD": (128, 128), "BLO": (16, 16)}.get(name, SIG)
    frames = np.random.default_rng(3).integers(1, 40, (THERE, *sig)).astype("u2")
    frames += (np.arange(THERE) // 25).astype("u2")[:, None, None]
    if "1 bit" in name:
        frames &= 1
    if name == "EMPAD":
        frames = frames.astype("f4")
    write(formats / file, frames)
    np.save(formats / "truth.npy", frames)
    lab.execute(f"path, truth = {str(formats / file)!r}, {str(formats / 'truth.npy')!r}")
    lab.execute(f"opened = lambda: ctx.load({how})")
    lab.run_cell(2)
    show(lab)
    may_come = name == "stream" or "followed" in name
    # A stream that brings nothing for a second is said to wait.
    if name == "stream":
        wait_for_states(lab, "stalled")
    elif not may_come:
        wait_for_states(lab, "running")
        assert "268 of 768 frames are missing" in lab.output(2)
        assert card_note(lab).startswith("268 of 768 frames are missing")
    for image in (0, 1):
        wait_for_fraction(lab, 0.25, image)
        check_hatched(lab, image)
    lab.execute("go.set()")
    wait_for_states(lab, "failed" if may_come else "done")
    if may_come:
        said = lab.page.locator(".udfw-status").first.inner_text()
        why = "nothing has come for 5 s" if name == "MIB, followed" else "no more will"
        assert f"500 of 768 frames have come, and {why}" in said
    wait_for_python(lab, WRONG, [])
    for image in (0, 1):
        wait_for_fraction(lab, 0.65 if may_come else 0.999, image)
    lab.wait_until(STILL)
    for image in (0, 1):
        check_hatched(lab, image)
