from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.merlin import Array, write_hdr, write_mib
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Scratch
from udfwidgets.io.dataset.mib.dataset import MIBDataSet
from udfwidgets.udf.sum import SumUDF

# Most scans here are of a square number of frames, and what is guessed is not what is looked at.
pytestmark = pytest.mark.filterwarnings("ignore:.* is a guess:UserWarning")

KINDS = {
    "U08": ("U08", 6, 1, "u1"),
    "U16": ("U16", 12, 1, "u2"),
    "U32": ("U32", 24, 1, "u4"),
    "U16 quad": ("U16", 12, 4, "u2"),
    "R64 1 bit": ("R64", 1, 1, "u1"),
    "R64 6 bit": ("R64", 6, 1, "u1"),
    "R64 12 bit": ("R64", 12, 1, "u2"),
    "R64 24 bit": ("R64", 24, 1, "u4"),
    "R64 1 bit quad": ("R64", 1, 4, "u1"),
    "R64 6 bit quad": ("R64", 6, 4, "u1"),
    "R64 12 bit quad": ("R64", 12, 4, "u2"),
}


def make_truth(depth: int, dtype: str, shape: tuple[int, ...] = (3, 5, 6, 128)) -> Array:
    return np.random.default_rng(depth).integers(0, 1 << depth, shape).astype(dtype)


class TestOneFile(DataSetContract):
    @pytest.fixture(params=KINDS)
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        kind, depth, n_chips, dtype = KINDS[request.param]
        truth = make_truth(depth, dtype)
        write_mib(tmp_path / "scan.mib", truth.reshape(15, 6, 128), kind, depth, n_chips)
        return Case(MIBDataSet(write_hdr(tmp_path / "scan.hdr", 15, 5)), truth)


class TestPartFiles(DataSetContract):
    @pytest.fixture(params=["U16", "R64 12 bit quad"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        kind, depth, n_chips, dtype = KINDS[request.param]
        truth = make_truth(depth, dtype)
        frames = truth.reshape(15, 6, 128)
        # Named so that their order by name is not their order by frame.
        for number, start, stop in [(2, 0, 4), (10, 4, 5), (1, 5, 12), (3, 12, 15)]:
            part = tmp_path / f"scan_{number}.mib"
            write_mib(part, frames[start:stop], kind, depth, n_chips, start + 1)
        return Case(MIBDataSet(write_hdr(tmp_path / "scan.hdr", 15, 5)), truth)


class TestSynced(DataSetContract):
    @pytest.fixture(params=[4, -4])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        frames = make_truth(12, "u2").reshape(15, 6, 128)
        write_mib(tmp_path / "scan.mib", frames, "U16", 12)
        truth = np.zeros_like(frames)
        if request.param > 0:
            truth[:11] = frames[4:]
        else:
            truth[4:] = frames[:11]
        hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
        dataset = MIBDataSet(hdr, sync_offset=request.param)
        return Case(dataset, truth.reshape(3, 5, 6, 128))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A `.mib` of 9 frames of U16, 384 + 1536 bytes each."""
    return write_mib(tmp_path / "scan.mib", make_truth(12, "u2", (9, 6, 128)), "U16", 12)


# The scan shape


def test_a_bare_mib_of_a_square_number_is_a_square(scan: Path) -> None:
    assert MIBDataSet(scan).shape == (3, 3, 6, 128)


def test_a_bare_mib_takes_nav_shape(scan: Path) -> None:
    assert MIBDataSet(scan, nav_shape=(9,)).shape == (9, 6, 128)


def test_a_bare_mib_of_another_number_needs_nav_shape(tmp_path: Path) -> None:
    write_mib(tmp_path / "a.mib", make_truth(12, "u2", (6, 6, 128)), "U16", 12)
    with pytest.raises(DataSetException, match=r"6 frames, which is not a square.*nav_shape="):
        MIBDataSet(tmp_path / "a.mib")


def test_scanx_and_scany_go_before_triggers(scan: Path) -> None:
    hdr = write_hdr(scan.with_suffix(".hdr"), 9, 3, ScanX=9, ScanY=1)
    assert MIBDataSet(hdr).shape.nav == (1, 9)


@pytest.mark.parametrize("per_trigger", [0, 1])
def test_triggers_per_position_leave_a_square(scan: Path, per_trigger: int) -> None:
    assert MIBDataSet(write_hdr(scan.with_suffix(".hdr"), 9, per_trigger)).shape.nav == (3, 3)


def test_an_endless_acquisition_is_counted(scan: Path) -> None:
    assert MIBDataSet(write_hdr(scan.with_suffix(".hdr"), 0, 3)).shape.nav == (3, 3)


def test_a_mib_finds_its_hdr(tmp_path: Path) -> None:
    write_mib(tmp_path / "a.mib", make_truth(12, "u2", (6, 6, 128)), "U16", 12)
    write_hdr(tmp_path / "a.hdr", 6, 3)
    assert MIBDataSet(tmp_path / "a.mib").shape.nav == (2, 3)


def test_sig_shape_folds_a_frame(scan: Path) -> None:
    assert MIBDataSet(scan, sig_shape=(768,)).shape == (3, 3, 768)


# Which files belong together


def test_files_of_other_scans_are_left_out(scan: Path) -> None:
    write_mib(scan.with_name("scan_dark.mib"), make_truth(6, "u1", (2, 6, 128)), "U08", 6)
    write_mib(scan.with_name("scan2.mib"), make_truth(6, "u1", (2, 6, 128)), "U08", 6)
    write_hdr(scan.with_name("scan2.hdr"), 2, 2)
    assert MIBDataSet(write_hdr(scan.with_suffix(".hdr"), 9, 3)).shape.nav == (3, 3)


def test_one_mib_finds_the_other_parts(tmp_path: Path) -> None:
    frames = make_truth(12, "u2", (9, 6, 128))
    for number, start in enumerate([0, 3, 6]):
        part = tmp_path / f"part{number:03d}.mib"
        write_mib(part, frames[start : start + 3], "U16", 12, first=start + 1)
    np.testing.assert_array_equal(read_all(MIBDataSet(tmp_path / "part001.mib")), frames)
    alone = MIBDataSet(tmp_path / "part001.mib", nav_shape=(3,), disable_glob=True)
    np.testing.assert_array_equal(read_all(alone), frames[3:6])


def test_more_parts_than_maps_are_held(tmp_path: Path) -> None:
    frames = make_truth(6, "u1", (100, 2, 8))
    for number, frame in enumerate(frames):
        write_mib(tmp_path / f"p{number}.mib", frame[None], "U08", 6, first=number + 1)
    np.testing.assert_array_equal(read_all(MIBDataSet(tmp_path / "p0.mib")), frames)


def test_a_hdr_without_mib_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetException, match=r"no file lonely\*\.mib"):
        MIBDataSet(write_hdr(tmp_path / "lonely.hdr", 4, 2))


@pytest.mark.parametrize(
    ("hdr", "other"),
    [("scan1", "scan10"), ("scan1", "scan12_1"), ("e", "empty"), ("scan", "scanner1")],
)
def test_a_hdr_does_not_take_the_data_of_another_scan(tmp_path: Path, hdr: str, other: str) -> None:
    frames = make_truth(12, "u2", (4, 6, 128))
    write_mib(tmp_path / f"{other}.mib", frames, "U16", 12)
    path = write_hdr(tmp_path / f"{hdr}.hdr", 4, 2)
    with pytest.raises(DataSetException, match=rf"no file {hdr}\*\.mib .* after '{hdr}'"):
        MIBDataSet(path)
    write_mib(tmp_path / f"{hdr}.mib", frames[::-1], "U16", 12)
    np.testing.assert_array_equal(read_all(MIBDataSet(path)), frames[::-1])


@pytest.mark.parametrize("name", ["scan1", "scan1_1", "scan1-001", "scan1 2", "scan1_a"])
def test_a_hdr_takes_what_goes_on_from_its_name(tmp_path: Path, name: str) -> None:
    write_mib(tmp_path / f"{name}.mib", make_truth(12, "u2", (4, 6, 128)), "U16", 12)
    assert MIBDataSet(write_hdr(tmp_path / "scan1.hdr", 4, 2)).shape.nav == (2, 2)


def test_a_missing_part_is_refused(tmp_path: Path) -> None:
    frames = make_truth(12, "u2", (9, 6, 128))
    write_mib(tmp_path / "s1.mib", frames[:3], "U16", 12)
    write_mib(tmp_path / "s3.mib", frames[6:], "U16", 12, first=7)
    with pytest.raises(DataSetException, match=r"s3\.mib begins with frame 7.*frames 4 to 6 are"):
        MIBDataSet(tmp_path / "s1.mib")


def test_a_missing_last_part_is_said(scan: Path) -> None:
    hdr = write_hdr(scan.with_suffix(".hdr"), 12, 3)
    with pytest.warns(UserWarning, match=r"scan\.hdr: 3 of 12 frames are missing.* only 9"):
        dataset = MIBDataSet(hdr)
    assert dataset.shape.nav == (4, 3)
    assert MIBDataSet(hdr, nav_shape=(3, 3)).shape.nav == (3, 3)


def test_a_missing_first_part_is_refused(tmp_path: Path) -> None:
    write_mib(tmp_path / "s2.mib", make_truth(12, "u2", (4, 6, 128)), "U16", 12, first=9)
    hdr = write_hdr(tmp_path / "s.hdr", 12, 4)
    with pytest.raises(DataSetException, match=r"begins with frame 9, expected 1 .*lost='missing'"):
        MIBDataSet(hdr)
    with pytest.warns(UserWarning, match="8 of 12 frames are missing, as frames were lost"):
        dataset = MIBDataSet(hdr, lost="missing")
    assert dataset.missing is not None
    assert dataset.missing.tolist() == [[True] * 4, [True] * 4, [False] * 4]


def test_scans_that_only_look_like_parts_are_refused(tmp_path: Path) -> None:
    frames = make_truth(12, "u2", (4, 6, 128))
    write_mib(tmp_path / "s1.mib", frames, "U16", 12)
    write_mib(tmp_path / "s2.mib", frames, "U16", 12)
    with pytest.raises(DataSetException, match=r"the same frames.*disable_glob=True"):
        MIBDataSet(tmp_path / "s1.mib")


def test_parts_of_another_layout_are_refused(tmp_path: Path) -> None:
    write_mib(tmp_path / "s1.mib", make_truth(12, "u2", (4, 6, 128)), "U16", 12)
    write_mib(tmp_path / "s2.mib", make_truth(6, "u1", (4, 6, 128)), "U08", 6, first=5)
    with pytest.raises(DataSetException, match=r"s2\.mib has another layout"):
        MIBDataSet(tmp_path / "s1.mib")


# What is damaged


def test_a_truncated_last_frame_is_refused(scan: Path) -> None:
    scan.write_bytes(scan.read_bytes()[:-7])
    with pytest.raises(DataSetException, match=r"scan\.mib is truncated: frame 8 .* byte 15360"):
        MIBDataSet(scan)


def test_a_file_cut_after_loading_is_refused(scan: Path) -> None:
    dataset = MIBDataSet(scan)
    scan.write_bytes(scan.read_bytes()[:1920])
    with pytest.raises(DataSetException, match=r"scan\.mib has 1920 bytes"):
        dataset.open()


def test_a_damaged_header_within_is_refused_when_read(scan: Path) -> None:
    content = bytearray(scan.read_bytes())
    content[5 * 1920 : 5 * 1920 + 3] = b"XXX"
    scan.write_bytes(content)
    with MIBDataSet(scan).open() as source:
        source.read(0, 5, Scratch())
        with pytest.raises(DataSetException, match=r"scan\.mib has b'XXX,' at byte 9600"):
            source.read(4, 7, Scratch())


def edit_header(path: Path, frame: int, old: bytes, new: bytes) -> None:
    """Change the header of one frame of `scan`."""
    content = bytearray(path.read_bytes())
    at = frame * 1920
    header = bytes(content[at : at + 384])
    assert old in header
    content[at : at + 384] = header.replace(old, new, 1)
    path.write_bytes(content)


FIELDS = {
    "sequence": (b",000006,", b",000007,"),
    "no sequence": (b",000006,", b",......,"),
    "header size": (b",00384,", b",00768,"),
    "chips": (b",01,", b",04,"),
    "width": (b",0128,", b",0064,"),
    "height": (b",0006,", b",0012,"),
    "type": (b",U16,", b",U08,"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_frame_unlike_the_first_is_refused_when_read(scan: Path, field: str) -> None:
    edit_header(scan, 5, *FIELDS[field])
    with MIBDataSet(scan).open() as source:
        source.read(0, 5, Scratch())
        source.read(6, 9, Scratch())
        with pytest.raises(DataSetException, match=r"scan\.mib has .* at byte 9600.* frame 5 of"):
            source.read(4, 7, Scratch())


@pytest.mark.parametrize("field", FIELDS)
def test_a_last_frame_unlike_the_first_is_refused_at_once(scan: Path, field: str) -> None:
    old, new = FIELDS[field]
    edit_header(scan, 8, old.replace(b"6,", b"9,") if "sequence" in field else old, new)
    with pytest.raises(DataSetException, match=r"scan\.mib has .* at byte 15360.* frame 8 of"):
        MIBDataSet(scan)


def test_lost_frames_are_named_with_what_was_expected(scan: Path) -> None:
    content = scan.read_bytes()
    scan.write_bytes(content[: 3 * 1920] + content[5 * 1920 :])
    message = r"b'MQ1,000009,00384,01,0128,0006,U16,' at byte 11520, expected b'MQ1,000007,"
    with pytest.raises(DataSetException, match=message + ".*frames are missing"):
        MIBDataSet(scan, nav_shape=(7,))


@pytest.mark.parametrize("first", [1, 0, 999_996])
def test_a_sequence_may_start_anywhere(tmp_path: Path, first: int) -> None:
    frames = make_truth(12, "u2", (9, 6, 128))
    path = write_mib(tmp_path / "a.mib", frames, "U16", 12, first=first)
    np.testing.assert_array_equal(read_all(MIBDataSet(path)), frames)


def test_a_sequence_may_start_over_after_six_digits(tmp_path: Path) -> None:
    frames = make_truth(12, "u2", (4, 6, 128))
    path = write_mib(tmp_path / "a.mib", frames[:2], "U16", 12, first=999_998)
    over = write_mib(tmp_path / "over", frames[2:], "U16", 12, first=0)
    path.write_bytes(path.read_bytes() + over.read_bytes())
    np.testing.assert_array_equal(read_all(MIBDataSet(path)), frames)


Edit = Callable[[bytes], bytes]
LIES: dict[str, tuple[Edit, str]] = {
    "not MQ1": (lambda h: b"MQ2" + h[3:], "b'MQ2,' at byte 0"),
    "empty": (lambda h: b"", "b'' at byte 0"),
    "few fields": (lambda h: b"MQ1,000001,", "header of 3 fields"),
    "no number": (lambda h: h.replace(b",0128,", b",01x8,"), "'01x8' as width"),
    "zero": (lambda h: h.replace(b",0128,", b",0000,"), "a size or chip count of 0"),
    "wider": (lambda h: h.replace(b",0128,", b",0256,"), "is truncated"),
    "short header": (lambda h: h.replace(b",00384,", b",00010,"), "a header of 10 bytes"),
    "long header": (lambda h: h.replace(b",00384,", b",99999,"), "a header of 99999 bytes"),
    "other type": (lambda h: h.replace(b",U16,", b",F32,"), "'F32', expected U08"),
    "raw depth": (lambda h: h.replace(b",U16,", b",R64,").replace(b"ns,12,", b"ns,13,"), "of 13,"),
    "raw chips": (lambda h: h.replace(b",U16,", b",R64,").replace(b",01,", b",02,"), "of 2 chips"),
    "raw width": (lambda h: h.replace(b",U16,", b",R64,").replace(b",0128,", b",0126,"), "126"),
}


@pytest.mark.parametrize("lie", LIES)
def test_headers_that_lie_are_refused(scan: Path, lie: str) -> None:
    edit, message = LIES[lie]
    frame = scan.read_bytes()[:1920]
    scan.write_bytes(
        edit(frame[:384]) + (frame[384:] if lie not in ("empty", "few fields") else b"")
    )
    with pytest.raises(DataSetException, match=message) as caught:
        MIBDataSet(scan)
    assert str(scan) in str(caught.value)


def test_raw_24_bit_of_four_chips_is_refused(tmp_path: Path) -> None:
    frames = np.zeros((1, 64, 128), "u4")
    path = write_mib(tmp_path / "a.mib", frames, "U32", 24, 4)
    path.write_bytes(path.read_bytes().replace(b",U32,", b",R64,"))
    with pytest.raises(DataSetException, match="24 bit from 4 chips"):
        MIBDataSet(path)


def test_a_hdr_that_is_none_is_refused(scan: Path) -> None:
    scan.with_suffix(".hdr").write_text("nothing")
    with pytest.raises(DataSetException, match=r"scan\.hdr begins with 'noth'"):
        MIBDataSet(scan.with_suffix(".hdr"))


def test_lines_that_do_not_come_out_end_with_missing_frames(scan: Path) -> None:
    with pytest.warns(UserWarning, match="3 of 12 frames are missing"):
        dataset = MIBDataSet(write_hdr(scan.with_suffix(".hdr"), 9, 4))
    assert dataset.shape.nav == (3, 4)


def test_a_guess_of_the_lines_is_said(scan: Path) -> None:
    write_mib(scan, make_truth(12, "u2", (8, 6, 128)), "U16", 12)
    with pytest.warns(UserWarning, match=r"not tell how long a line is; the shape \(8, 1\)"):
        dataset = MIBDataSet(write_hdr(scan.with_suffix(".hdr"), 8, 1))
    assert dataset.shape.nav == (8, 1)
    assert "is a guess" in dataset.notes[0]


def test_more_frames_than_the_hdr_promises(scan: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert MIBDataSet(write_hdr(scan.with_suffix(".hdr"), 6, 3)).shape.nav == (2, 3)
    assert "holds 9 frames" in caplog.text


@settings(max_examples=200)
@given(
    at=st.integers(0, 100),
    byte=st.integers(0, 255),
    cut=st.one_of(st.none(), st.integers(0, 9 * 1920)),
)
def test_no_damage_gives_a_wrong_shape(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: int | None
) -> None:
    path = tmp_path_factory.mktemp("mib") / "a.mib"
    write_mib(path, make_truth(12, "u2", (9, 6, 128)), "U16", 12)
    content = bytearray(path.read_bytes())[:cut]
    if at < len(content):
        content[at] = byte
    path.write_bytes(content)
    try:
        frames = read_all(MIBDataSet(path))
    except DataSetException:
        return
    # What was read must account for every byte of the file.
    assert frames.nbytes + 384 * len(frames) == len(content)


# Real files


@pytest.fixture(scope="session")
def real_files(request: pytest.FixtureRequest) -> Path:
    """Two files recorded with a Merlin, out of the wheel of scikit-ued, fetched once."""
    folder = request.config.rootpath / ".cache" / "scikit-ued"
    names = ("test.mib", "test_multi.mib")
    if not all((folder / name).exists() for name in names):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        result = subprocess.run(
            [*command, "scikit-ued==2.2.1"], capture_output=True, text=True, check=False
        )
        if result.returncode:
            pytest.skip(f"the wheel of scikit-ued cannot be fetched: {result.stderr[-200:]}")
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            for name in names:
                (folder / name).write_bytes(wheel.read(f"skued/io/tests/data/{name}"))
    return folder


@pytest.mark.parametrize(
    ("name", "dtype", "n_frames", "total"),
    [("test.mib", ">u2", 1, 728470), ("test_multi.mib", "u1", 9, 18074910)],
)
def test_real_files(real_files: Path, name: str, dtype: str, n_frames: int, total: int) -> None:
    content = np.fromfile(real_files / name, np.uint8).reshape(n_frames, -1)
    truth = np.ascontiguousarray(content[:, 384:]).view(dtype).reshape(n_frames, 256, 256)
    dataset = MIBDataSet(real_files / name)
    side = int(n_frames**0.5)
    assert dataset.shape == (side, side, 256, 256)
    assert dataset.dtype == np.dtype(dtype).newbyteorder("=")
    frames = read_all(dataset)
    np.testing.assert_array_equal(frames, truth)
    assert int(frames.sum()) == total


NAMES = [("S.MIB", "S.HDR"), ("s.mib", "s.HDR"), ("s.MIB", "s.hdr"), ("s.mib", "S.HDR")]


@pytest.mark.parametrize("asked", [0, 1], ids=["by the mib", "by the hdr"])
@pytest.mark.parametrize("names", NAMES, ids=["-".join(names) for names in NAMES])
def test_a_header_in_capitals_is_found(tmp_path: Path, names: tuple[str, str], asked: int) -> None:
    write_mib(tmp_path / names[0], make_truth(12, "u2", (16, 1, 6, 8))[:, 0], "U16", 12)
    write_hdr(tmp_path / names[1], 16, 8)
    dataset = MIBDataSet(tmp_path / names[asked])
    assert dataset.shape.nav == (2, 8)
    assert dataset.notes == ()


def test_the_parts_of_a_scan_find_the_header_they_share(tmp_path: Path) -> None:
    frames = make_truth(12, "u2", (16, 1, 6, 8))[:, 0]
    write_mib(tmp_path / "scan_1.mib", frames[:9], "U16", 12)
    write_mib(tmp_path / "scan_2.mib", frames[9:], "U16", 12, first=10)
    write_hdr(tmp_path / "scan.HDR", 16, 8)
    assert MIBDataSet(tmp_path / "scan_1.mib").shape.nav == (2, 8)


def test_a_guess_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mib"
    write_mib(path, make_truth(12, "u2", (16, 1, 6, 8))[:, 0], "U16", 12)
    with pytest.warns(
        UserWarning, match=r"a\.mib.*16 frames.*\(4, 4\) is a guess.*nav_shape="
    ) as w:
        dataset = MIBDataSet(path)
    assert w[0].filename == __file__
    assert dataset.notes == (str(w[0].message),)
    assert {"name": "Note", "value": dataset.notes[0]} in dataset.diagnostics
    assert MIBDataSet(path, nav_shape=(2, 8)).notes == ()


@pytest.mark.parametrize("kind", ["U08", "U16"])
def test_a_damaged_header_fails_a_run_that_sees_frames_where_they_lie(
    tmp_path: Path, kind: str
) -> None:
    truth = make_truth(6, "u1" if kind == "U08" else "u2")
    path = write_mib(tmp_path / "scan.mib", truth.reshape(15, 6, 128), kind, 6)
    dataset = MIBDataSet(path, (3, 5))
    with dataset.open() as source:
        assert (source.stretches is not None) == (kind == "U08")
    content = bytearray(path.read_bytes())
    stride = len(content) // 15
    content[7 * stride] = 0
    path.write_bytes(content)
    roi = np.ones((3, 5), bool)
    with Context.make_with("inline") as ctx:
        with pytest.raises(DataSetException, match="at the start of frame 7 of this file"):
            ctx.run_udf(dataset=dataset, udf=SumUDF())
        roi[1, 2] = False  # the frame that nobody asks for
        found = ctx.run_udf(dataset=dataset, udf=SumUDF(), roi=roi)["intensity"].data
    np.testing.assert_array_equal(found, truth[roi].sum(axis=0))
