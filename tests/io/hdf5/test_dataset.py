from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.io.contract import Case, DataSetContract, read_all
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.io.dataset.hdf5 import chunks
from udfwidgets.io.dataset.hdf5.chunked import ChunkedSource
from udfwidgets.io.dataset.hdf5.chunks import chunk_layout, frames_per_block, read_index
from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.dataset.hdf5.locked import LockedSource
from udfwidgets.io.dataset.hdf5.store import ChunkStore
from udfwidgets.io.dataset.memory import ArraySource
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.layout.joined import JoinedSource

Array = npt.NDArray[Any]
TRUTH = np.random.default_rng(3).poisson(20, (3, 5, 7, 9)).astype("u2")


def write(path: Path, data: Array = TRUTH, name: str = "scan", **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=data, **options)
    return path


FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "gzip": {"compression": "gzip"},
    "gzip shuffle": {"compression": "gzip", "shuffle": True},
    "shuffle": {"shuffle": True},
    "lzf shuffle": {"compression": "lzf", "shuffle": True},
    "lz4": dict(hdf5plugin.LZ4(nbytes=128)),
    "blosc": dict(hdf5plugin.Blosc(cname="zstd", shuffle=2)),
    "zstd": dict(hdf5plugin.Zstd()),
    "bitshuffle": dict(hdf5plugin.Bitshuffle(cname="none")),
    "bitshuffle lz4": dict(hdf5plugin.Bitshuffle(cname="lz4", nelems=16)),
    "bitshuffle zstd": dict(hdf5plugin.Bitshuffle(cname="zstd", nelems=16)),
    "bitshuffle in large blocks": dict(hdf5plugin.Bitshuffle()),
}
CHUNKS = {
    "a frame each": (1, 1, 7, 9),
    "a line each": (1, 5, 7, 9),
    "uneven along the scan": (2, 2, 7, 9),
    "uneven everywhere": (2, 3, 4, 4),
    "whole": (3, 5, 7, 9),
    "split frames": (1, 1, 3, 9),
}


class TestChunked(DataSetContract):
    @pytest.fixture(params=FILTERS)
    def filter_options(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        return FILTERS[request.param]

    @pytest.fixture(params=CHUNKS)
    def case(
        self, request: pytest.FixtureRequest, tmp_path: Path, filter_options: dict[str, Any]
    ) -> Case:
        path = write(tmp_path / "a.h5", chunks=CHUNKS[request.param], **filter_options)
        return Case(H5DataSet(path), TRUTH)

    def test_it_goes_without_the_lock(self, case: Case) -> None:
        with case.dataset.open() as source:
            assert isinstance(source, ChunkedSource)


def _plain(path: Path) -> tuple[H5DataSet, Array]:
    return H5DataSet(write(path)), TRUTH


def _big_endian(path: Path) -> tuple[H5DataSet, Array]:
    return H5DataSet(write(path, TRUTH.astype(">u2"))), TRUTH


def _big_endian_chunks(path: Path) -> tuple[H5DataSet, Array]:
    data = TRUTH.astype(">f4")
    return H5DataSet(write(path, data, chunks=(1, 2, 7, 5), compression="gzip", shuffle=True)), data


def _bool(path: Path) -> tuple[H5DataSet, Array]:
    return H5DataSet(write(path, TRUTH > 20)), TRUTH > 20


def _complex(path: Path) -> tuple[H5DataSet, Array]:
    data = (TRUTH + 2j).astype("c8")
    return H5DataSet(write(path, data, chunks=True)), data


def _stack(path: Path) -> tuple[H5DataSet, Array]:
    dataset = H5DataSet(write(path, TRUTH.reshape(15, 7, 9), chunks=(4, 7, 9)), nav_shape=(3, 5))
    return dataset, TRUTH


def _synced(path: Path) -> tuple[H5DataSet, Array]:
    dataset = H5DataSet(write(path, chunks=(1, 2, 7, 9)), sync_offset=4)
    truth = np.zeros((15, 7, 9), "u2")
    truth[:11] = TRUTH.reshape(15, 7, 9)[4:]
    return dataset, truth.reshape(TRUTH.shape)


def _sparse_chunks(path: Path) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w") as file:
        scan = file.create_dataset(
            "scan", TRUTH.shape, "u2", chunks=(1, 2, 4, 9), fillvalue=7, compression="gzip"
        )
        scan[1, 1:4] = TRUTH[1, 1:4]
        truth = scan[...]
    return H5DataSet(path), truth


def _nothing_written(path: Path) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w") as file:
        file.create_dataset("scan", TRUTH.shape, "u2", fillvalue=5)
    return H5DataSet(path), np.full_like(TRUTH, 5)


def _nothing_written_in_chunks(path: Path) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w") as file:
        file.create_dataset("scan", TRUTH.shape, "u2", fillvalue=5, chunks=(1, 1, 7, 9))
    return H5DataSet(path), np.full_like(TRUTH, 5)


def _compact(path: Path) -> tuple[H5DataSet, Array]:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(TRUTH.shape)
        created = h5py.h5d.create(file.id, b"scan", h5py.h5t.NATIVE_UINT16, space, plist)
        h5py.Dataset(created)[...] = TRUTH
    return H5DataSet(path), TRUTH


def _virtual(path: Path) -> tuple[H5DataSet, Array]:
    layout = h5py.VirtualLayout(TRUTH.shape, "u2")
    for i, line in enumerate(TRUTH):
        write(path.with_name(f"part{i}.h5"), line, chunks=(2, 7, 9), compression="gzip")
        layout[i] = h5py.VirtualSource(f"part{i}.h5", "scan", line.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout)
    return H5DataSet(path), TRUTH


def _virtual_of_virtual(path: Path) -> tuple[H5DataSet, Array]:
    layout = h5py.VirtualLayout(TRUTH.shape, "u2")
    for i, lines in enumerate((slice(0, 1), slice(1, 3))):
        half = h5py.VirtualLayout(TRUTH[lines].shape, "u2")
        for k, line in enumerate(TRUTH[lines]):
            write(path.with_name(f"part{i}{k}.h5"), line)
            half[k] = h5py.VirtualSource(f"part{i}{k}.h5", "scan", line.shape)
        with h5py.File(path.with_name(f"half{i}.h5"), "w") as file:
            file.create_virtual_dataset("scan", half)
        layout[lines] = h5py.VirtualSource(f"half{i}.h5", "scan", TRUTH[lines].shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout)
    return H5DataSet(path), TRUTH


def _virtual_without_end(path: Path) -> tuple[H5DataSet, Array]:
    grows = (None, *TRUTH.shape[1:])
    with h5py.File(path.with_name("part.h5"), "w") as file:
        file.create_dataset("scan", data=TRUTH, maxshape=grows, chunks=(1, 1, 7, 9))
    layout = h5py.VirtualLayout(TRUTH.shape, "u2", maxshape=grows)
    part = h5py.VirtualSource("part.h5", "scan", TRUTH.shape, maxshape=grows)
    whole = slice(0, h5py.h5s.UNLIMITED)
    layout[whole, :, :, :] = part[whole, :, :, :]
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout)
    return H5DataSet(path), TRUTH


def _virtual_parts_of_frames(path: Path) -> tuple[H5DataSet, Array]:
    layout = h5py.VirtualLayout(TRUTH.shape, "u2")
    for i, half in enumerate((TRUTH[..., :4, :], TRUTH[..., 4:, :])):
        write(path.with_name(f"half{i}.h5"), half)
        source = h5py.VirtualSource(f"half{i}.h5", "scan", half.shape)
        layout[:, :, 4 * i : 4 * i + half.shape[2]] = source
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout)
    return H5DataSet(path), TRUTH


def _virtual_with_gap(path: Path) -> tuple[H5DataSet, Array]:
    layout = h5py.VirtualLayout(TRUTH.shape, "u2")
    truth = TRUTH.copy()
    truth[1] = 3
    for i in (0, 2):
        write(path.with_name(f"part{i}.h5"), TRUTH[i])
        layout[i] = h5py.VirtualSource(f"part{i}.h5", "scan", TRUTH[i].shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout, fillvalue=3)
    return H5DataSet(path), truth


def _virtual_in_steps(path: Path) -> tuple[H5DataSet, Array]:
    layout = h5py.VirtualLayout(TRUTH.shape, "u2")
    write(path.with_name("part.h5"), TRUTH)
    layout[0::2] = h5py.VirtualSource(path.with_name("part.h5"), "scan", TRUTH.shape)[:2]
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout, fillvalue=3)
    return H5DataSet(path), np.stack([TRUTH[0], np.full_like(TRUTH[0], 3), TRUTH[1]])


def _dectris_master(path: Path) -> tuple[H5DataSet, Array]:
    stack = TRUTH.reshape(15, 7, 9)
    bitshuffle = FILTERS["bitshuffle lz4"]
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        file["entry/instrument/mask"] = np.zeros((7, 9))
        for i, (start, stop) in enumerate([(0, 6), (6, 12), (12, 15)], 1):
            part = path.with_name(f"a_data_{i:06d}.h5")
            write(part, stack[start:stop], "entry/data/data", chunks=(1, 7, 9), **bitshuffle)
            link = h5py.ExternalLink(part.name, "entry/data/data")
            file[f"entry/data/data_{i:06d}"] = link
    return H5DataSet(path, nav_shape=(3, 5)), TRUTH


def _external_link(path: Path) -> tuple[H5DataSet, Array]:
    write(path.with_name("data.h5"), name="deep/data", chunks=(1, 1, 7, 9))
    with h5py.File(path, "w") as file:
        file["entry/data"] = h5py.ExternalLink("data.h5", "deep/data")
    return H5DataSet(path), TRUTH


def _external_raw(path: Path) -> tuple[H5DataSet, Array]:
    TRUTH.tofile(path.with_name("pixels.raw"))
    with h5py.File(path, "w") as file:
        # Relative to the working directory when it is written.
        raw = [(str(path.with_name("pixels.raw")), 0, TRUTH.nbytes)]
        file.create_dataset("scan", TRUTH.shape, "u2", external=raw)
    return H5DataSet(path), TRUTH


def _user_block(path: Path) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("scan", data=TRUTH)
    return H5DataSet(path), TRUTH


def _user_block_chunks(path: Path) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w", userblock_size=1024) as file:
        file.create_dataset("scan", data=TRUTH, chunks=(1, 5, 7, 9))
    return H5DataSet(path), TRUTH


def _checksum(path: Path) -> tuple[H5DataSet, Array]:
    return H5DataSet(write(path, chunks=(1, 1, 7, 9), fletcher32=True)), TRUTH


def _twelve_bit_integers(path: Path) -> tuple[H5DataSet, Array]:
    kind = h5py.h5t.NATIVE_UINT16.copy()
    kind.set_precision(12)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(TRUTH.shape)
        created = h5py.h5d.create(file.id, b"scan", kind, space)
        h5py.Dataset(created)[...] = TRUTH
    return H5DataSet(path), TRUTH


def _skipped_filter(path: Path) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w") as file:
        scan = file.create_dataset(
            "scan", data=TRUTH, chunks=(1, 1, 7, 9), compression="gzip", shuffle=True
        )
        # 3: this chunk has skipped the first and the second filter.
        scan.id.write_direct_chunk((1, 2, 0, 0), TRUTH[1, 2].tobytes(), filter_mask=3)
    return H5DataSet(path), TRUTH


def _two_compressors(path: Path) -> tuple[H5DataSet, Array]:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1, 1, 7, 9))
    plist.set_deflate(4)
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(TRUTH.shape)
        created = h5py.h5d.create(file.id, b"scan", h5py.h5t.NATIVE_UINT16, space, plist)
        h5py.Dataset(created)[...] = TRUTH
    return H5DataSet(path), TRUTH


def _numbered(path: Path, *, signal: bool) -> tuple[H5DataSet, Array]:
    stack = TRUTH.reshape(15, 7, 9)
    with h5py.File(path, "w") as file:
        file["entry/data/other"] = np.zeros((2, 7, 9), "u2")
        for i in range(3):
            # The same name in the other file, and other data by that name here.
            name = f"entry/data/data_{i + 1:06d}"
            write(path.with_name(f"part{i}.h5"), stack[5 * i : 5 * i + 5], "deep/stack")
            file[name] = h5py.ExternalLink(f"part{i}.h5", "deep/stack")
        file["deep/stack"] = np.ones((3, 7, 9), "u2")
        if signal:
            file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
            file["entry/data"].attrs["signal"] = "data_000001"
    return H5DataSet(path, nav_shape=(3, 5)), TRUTH


def _numbered_by_signal(path: Path) -> tuple[H5DataSet, Array]:
    return _numbered(path, signal=True)


def _numbered_among_others(path: Path) -> tuple[H5DataSet, Array]:
    return _numbered(path, signal=False)


def _signal_elsewhere(path: Path) -> tuple[H5DataSet, Array]:
    write(path.with_name("data.h5"), name="deep/data")
    with h5py.File(path, "w") as file:
        file["deep/data"] = np.zeros_like(TRUTH)
        file["entry/counts"] = h5py.ExternalLink("data.h5", "deep/data")
        file.attrs["default"], file["entry"].attrs["signal"] = "entry", "counts"
    return H5DataSet(path), TRUTH


def _virtual_with_overlap(path: Path) -> tuple[H5DataSet, Array]:
    layout = h5py.VirtualLayout((4, *TRUTH.shape[1:]), "u2")
    for i, first in enumerate((0, 1)):
        write(path.with_name(f"part{i}.h5"), TRUTH[:2] + i)
        layout[first : first + 2] = h5py.VirtualSource(f"part{i}.h5", "scan", TRUTH[:2].shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("scan", layout, fillvalue=3)
    gap = np.full_like(TRUTH[0], 3)
    return H5DataSet(path), np.stack([TRUTH[0], TRUTH[0] + 1, TRUTH[1] + 1, gap])


def _bit_fields(path: Path) -> tuple[H5DataSet, Array]:
    values = TRUTH.astype(">u2")
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(values.shape)
        created = h5py.h5d.create(file.id, b"scan", h5py.h5t.STD_B16BE, space)
        created.write(h5py.h5s.ALL, h5py.h5s.ALL, values, h5py.h5t.STD_B16BE)
    return H5DataSet(path), TRUTH


def _velox(path: Path, **options: Any) -> tuple[H5DataSet, Array]:
    with h5py.File(path, "w") as file:
        file["Version"] = np.bytes_('{"format":"Velox","version":"1.6"}')
        stack = np.moveaxis(TRUTH.reshape(15, 7, 9), 0, -1)
        file.create_dataset("Data/Image/0123abcd/Data", data=stack, **options)
    return H5DataSet(path, nav_shape=(3, 5)), TRUTH


def _velox_chunks(path: Path) -> tuple[H5DataSet, Array]:
    return _velox(path, chunks=(4, 9, 1), compression="gzip")


def _velox_deep_chunks(path: Path) -> tuple[H5DataSet, Array]:
    return _velox(path, chunks=(7, 9, 4))


Make = Callable[[Path], tuple[H5DataSet, Array]]
LAYOUTS: dict[str, tuple[Make, type[Source] | None]] = {
    "contiguous": (_plain, ArraySource),
    "big-endian": (_big_endian, None),
    "big-endian chunks": (_big_endian_chunks, ChunkedSource),
    "bool": (_bool, ArraySource),
    "complex": (_complex, ChunkedSource),
    "stack": (_stack, ChunkedSource),
    "sync_offset": (_synced, None),
    "missing chunks": (_sparse_chunks, ChunkedSource),
    "nothing written": (_nothing_written, LockedSource),
    "nothing written in chunks": (_nothing_written_in_chunks, ChunkedSource),
    "compact": (_compact, ArraySource),
    "virtual": (_virtual, JoinedSource),
    "virtual of virtual": (_virtual_of_virtual, JoinedSource),
    "virtual without end": (_virtual_without_end, LockedSource),
    "virtual, parts of frames": (_virtual_parts_of_frames, LockedSource),
    "virtual with a gap": (_virtual_with_gap, LockedSource),
    "virtual in steps": (_virtual_in_steps, LockedSource),
    "DECTRIS master": (_dectris_master, JoinedSource),
    "numbered by signal": (_numbered_by_signal, JoinedSource),
    "numbered among others": (_numbered_among_others, JoinedSource),
    "signal in another file": (_signal_elsewhere, ArraySource),
    "virtual with an overlap": (_virtual_with_overlap, LockedSource),
    "big-endian bit fields": (_bit_fields, LockedSource),
    "Velox": (_velox, CopiedSource),
    "Velox, chunks": (_velox_chunks, ChunkedSource),
    "Velox, deep chunks": (_velox_deep_chunks, CopiedSource),
    "external link": (_external_link, ChunkedSource),
    "external raw file": (_external_raw, LockedSource),
    "user block": (_user_block, ArraySource),
    "user block, chunks": (_user_block_chunks, LockedSource),
    "checksum": (_checksum, LockedSource),
    "12-bit integers": (_twelve_bit_integers, LockedSource),
    "skipped filter": (_skipped_filter, ChunkedSource),
    "two compressors": (_two_compressors, LockedSource),
}


class TestLayouts(DataSetContract):
    @pytest.fixture(params=LAYOUTS)
    def layout(self, request: pytest.FixtureRequest) -> tuple[Make, type[Source] | None]:
        return LAYOUTS[request.param]

    @pytest.fixture
    def case(self, layout: tuple[Make, type[Source] | None], tmp_path: Path) -> Case:
        return Case(*layout[0](tmp_path / "a.h5"))

    def test_it_is_read_by_the_fastest_source(
        self, case: Case, layout: tuple[Make, type[Source] | None]
    ) -> None:
        with case.dataset.open() as source:
            assert layout[1] is None or type(source) is layout[1]


def test_the_lock_is_logged_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    H5DataSet(write(tmp_path / "a.h5", chunks=(1, 1, 7, 9), fletcher32=True))
    assert "filters [3]" in caplog.text


@pytest.mark.parametrize(
    ("shape", "chunk", "expected"),
    [
        ((6, 8, 4, 4), (1, 1, 4, 4), 1),
        ((6, 8, 4, 4), (1, 4, 4, 4), 4),
        ((6, 8, 4, 4), (1, 16, 4, 4), 8),
        ((6, 8, 4, 4), (2, 4, 4, 4), 16),
        ((6, 8, 4, 4), (2, 1, 2, 2), 16),
        ((48, 4, 4), (5, 4, 4), 5),
        ((512, 512, 256, 256), (16, 16, 256, 256), 512),  # one line is 64 MB
        ((512, 4096, 256, 256), (16, 16, 256, 256), 16),
    ],
)
def test_blocks_end_where_chunks_end(
    tmp_path: Path, shape: tuple[int, ...], chunk: tuple[int, ...], expected: int
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        endless = tuple(None for _ in shape)
        scan = file.create_dataset("scan", shape, "u2", chunks=chunk, maxshape=endless)
        assert frames_per_block(chunk_layout(scan), len(shape) - 2) == expected


@settings(max_examples=60)
@given(
    shape=st.tuples(*[st.integers(1, 6)] * 4),
    chunk=st.tuples(*[st.integers(1, 7)] * 4),
    filters=st.sampled_from(sorted(FILTERS)),
    dtype=st.sampled_from(["u1", "<u2", ">u2", "<f4", ">f8"]),
)
def test_any_chunks_read_as_the_truth(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, ...],
    chunk: tuple[int, ...],
    filters: str,
    dtype: str,
) -> None:
    truth = np.random.default_rng(5).integers(0, 99, shape).astype(dtype)
    path = tmp_path_factory.mktemp("h5") / "a.h5"
    write(path, truth, chunks=chunk, maxshape=(None,) * 4, **FILTERS[filters])
    dataset = H5DataSet(path)
    np.testing.assert_array_equal(read_all(dataset).reshape(shape), truth)
    with dataset.open() as source:
        middle = dataset.shape.nav.size // 2
        got = source.read(middle, middle + 1, Scratch())
        np.testing.assert_array_equal(got[0], truth.reshape(-1, *shape[2:])[middle])


@pytest.mark.parametrize("filters", sorted(FILTERS))
def test_data_that_do_not_compress_read_as_the_truth(tmp_path: Path, filters: str) -> None:
    truth = np.random.default_rng(6).integers(0, 1 << 16, (2, 2, 64, 67), "u2")
    path = write(tmp_path / "a.h5", truth, chunks=(1, 1, 64, 67), **FILTERS[filters])
    np.testing.assert_array_equal(read_all(H5DataSet(path)).reshape(truth.shape), truth)


# Finding the scan


def test_the_largest_dataset_is_the_scan(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["small"] = TRUTH[:2]
        file["big"] = TRUTH
        file["stack"] = np.zeros((20, 100, 9))
        file["line"] = np.zeros(10**5)
        file["text"] = "words"
    assert H5DataSet(tmp_path / "a.h5").ds_path == "/big"


def test_the_repr_tells_which_dataset_it_is(tmp_path: Path) -> None:
    assert repr(H5DataSet(write(tmp_path / "a.h5", name="one/scan"))) == (
        "<H5DataSet nav=(3, 5) sig=(7, 9) uint16 ds_path='/one/scan'>"
    )


@pytest.mark.parametrize(
    ("other", "level"),
    [(TRUTH[:2], "WARNING"), (np.zeros((15, 7, 9)), "INFO"), (np.zeros(10**5), None)],
    ids=["a smaller scan", "a stack", "no scan"],
)
def test_what_was_not_taken_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, other: Array, level: str | None
) -> None:
    caplog.set_level(logging.INFO)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["small"] = other
        file["big"] = TRUTH
    H5DataSet(tmp_path / "a.h5")
    told = [r for r in caplog.records if "is taken" in r.message]
    assert [r.levelname for r in told] == ([level] if level else [])
    assert all(f"ds_path= would choose another of: /small {other.shape}" in r.message for r in told)
    caplog.clear()
    H5DataSet(tmp_path / "a.h5", ds_path="big")
    assert "is taken" not in caplog.text


def test_equal_datasets_are_to_be_chosen_from(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["one/data"] = TRUTH
        file["two/data"] = TRUTH
    with pytest.raises(DataSetException, match=r"(?s)ds_path=.*/one/data.*/two/data"):
        H5DataSet(tmp_path / "a.h5")
    assert H5DataSet(tmp_path / "a.h5", ds_path="two/data").shape == TRUTH.shape


def test_no_image_data_lists_what_was_found(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/line"] = np.zeros(5)
    with pytest.raises(DataSetException, match=r"(?s)expected a scan.*/group/line \(5,\)"):
        H5DataSet(tmp_path / "a.h5")


def test_nexus_default_leads_to_the_signal(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["other"] = np.zeros((9, 9, 9, 9))
        file["entry/a/counts"] = TRUTH
        file["entry/b/counts"] = TRUTH
        file.attrs["default"] = "entry"
        file["entry"].attrs["default"] = np.bytes_(b"b")
        file["entry/a"].attrs["signal"] = "counts"
        file["entry/b"].attrs["signal"] = "counts"
    assert H5DataSet(tmp_path / "a.nxs").ds_path == "/entry/b/counts"


@pytest.mark.parametrize("form", ["text", "bytes", "array of one"])
def test_nexus_attributes_in_all_forms(tmp_path: Path, form: str) -> None:
    make: dict[str, Callable[[str], Any]] = {
        "text": str,
        "bytes": str.encode,
        "array of one": lambda name: np.array([name.encode()]),
    }
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data/counts"] = np.zeros((3, 5, 7, 9), "u2")
        file["entry/data/larger"] = np.zeros((4, 5, 7, 9), "u2")
        file.attrs["default"] = make[form]("entry")
        file["entry"].attrs["default"] = make[form]("data")
        file["entry/data"].attrs["signal"] = make[form]("counts")
        # Of a dtype that NumPy does not have.
        h5py.h5d.create(file.id, b"time", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((3,)))
    assert H5DataSet(tmp_path / "a.h5").ds_path == "/entry/data/counts"
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["entry/data"].attrs["signal"] = ["counts", "larger"]  # which says nothing
    assert H5DataSet(tmp_path / "a.h5").ds_path == "/entry/data/larger"


def test_nxdata_without_default_wins_by_its_signal(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["other"] = np.zeros((9, 9, 9, 9))
        file["entry/b/counts"] = TRUTH
        file["entry/b"].attrs["signal"] = "counts"
    assert H5DataSet(tmp_path / "a.nxs").ds_path == "/entry/b/counts"


@pytest.mark.parametrize(
    "group",
    ["4DSTEM_experiment/data/datacubes/datacube_0", "datacube_root/datacube"],
    ids=["py4DSTEM 0.12", "py4DSTEM 0.14"],
)
def test_emd_group_wins(tmp_path: Path, group: str) -> None:
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["other"] = np.zeros((9, 9, 9, 9))
        file[f"{group}/data"] = TRUTH
        file[group].attrs["emd_group_type"] = 1
    assert H5DataSet(tmp_path / "a.emd").ds_path == f"/{group}/data"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/data"] = TRUTH
        file["group/again"] = file["/group"]
        file["copy"] = file["group/data"]
        file["soft"] = h5py.SoftLink("/nowhere")
    assert H5DataSet(tmp_path / "a.h5").shape == TRUTH.shape


# What is missing or damaged


def test_a_wrong_ds_path_lists_the_right_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with pytest.raises(DataSetException, match=r"no dataset 'none'.*/scan"):
        H5DataSet(path, ds_path="none")


def test_a_group_is_not_a_dataset(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", name="group/scan")
    with pytest.raises(DataSetException, match="is a group of"):
        H5DataSet(path, ds_path="group")


def test_a_missing_virtual_source_is_named(tmp_path: Path) -> None:
    dataset, _ = _virtual(tmp_path / "a.h5")
    (tmp_path / "part1.h5").unlink()
    with pytest.raises(DataSetException, match=r"part1\.h5"):
        dataset.open()
    with pytest.raises(DataSetException, match=r"part1\.h5"):
        H5DataSet(tmp_path / "a.h5")


def test_a_virtual_source_without_its_dataset_is_named(tmp_path: Path) -> None:
    _virtual(tmp_path / "a.h5")
    write(tmp_path / "part1.h5", TRUTH[1], name="other")
    with pytest.raises(DataSetException, match=r"scan in .*part1\.h5"):
        H5DataSet(tmp_path / "a.h5")


def test_a_missing_external_file_is_named(tmp_path: Path) -> None:
    _external_link(tmp_path / "a.h5")
    (tmp_path / "data.h5").unlink()
    with pytest.raises(DataSetException, match=r"data\.h5"):
        H5DataSet(tmp_path / "a.h5")
    with pytest.raises(DataSetException, match="entry/data"):
        H5DataSet(tmp_path / "a.h5", ds_path="entry/data")


def test_a_missing_stack_of_a_master_is_named(tmp_path: Path) -> None:
    _dectris_master(tmp_path / "a.h5")
    assert H5DataSet(tmp_path / "a.h5").shape == (15, 7, 9)
    (tmp_path / "a_data_000003.h5").unlink()
    with pytest.raises(DataSetException, match=r"a_data_000003\.h5"):
        H5DataSet(tmp_path / "a.h5")


def test_stacks_of_different_frames_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data/data_000001"] = np.zeros((4, 5, 6))
        file["entry/data/data_000002"] = np.zeros((4, 5, 7))
    with pytest.raises(DataSetException, match=r"data_000002 .*expected frames like those"):
        H5DataSet(tmp_path / "a.h5")


def test_a_missing_external_raw_file_is_named(tmp_path: Path) -> None:
    _external_raw(tmp_path / "a.h5")
    (tmp_path / "pixels.raw").unlink()
    with pytest.raises(DataSetException, match=r"pixels\.raw"):
        H5DataSet(tmp_path / "a.h5")


def test_a_changed_dataset_is_refused(tmp_path: Path) -> None:
    dataset = H5DataSet(write(tmp_path / "a.h5"))
    write(tmp_path / "a.h5", TRUTH[:2])
    with pytest.raises(DataSetException, match="load it again"):
        dataset.open()


@pytest.mark.parametrize("filters", sorted(FILTERS))
def test_damaged_chunks_are_named(tmp_path: Path, filters: str) -> None:
    # Blosc steps aside below 128 bytes, and others where nothing is gained.
    truth = np.full((3, 5, 16, 16), 3, "u2")
    path = write(tmp_path / "a.h5", truth, chunks=(1, 1, 16, 16), **FILTERS[filters])
    with h5py.File(path) as file:
        stored = file["scan"].id.get_chunk_info(7)
    content = bytearray(path.read_bytes())
    end = stored.byte_offset + stored.size
    content[stored.byte_offset : end] = b"\xff" * stored.size
    path.write_bytes(content)
    if filters in ("none", "shuffle", "bitshuffle"):
        assert read_all(H5DataSet(path)).max() == 0xFFFF  # nothing there tells damage from data
        return
    with pytest.raises(DataSetException, match=r"chunk \(\d, \d, 0, 0\) .* is damaged"):
        read_all(H5DataSet(path))


def test_a_chunk_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", chunks=(1, 1, 7, 9))
    with h5py.File(path) as file:
        layout = chunk_layout(file["scan"])
        index = read_index(file["scan"], layout)
    index.offset[1, 2, 0, 0] = 1 << 40
    with pytest.raises(DataSetException, match=r"a\.h5:/scan.*is truncated"):
        ChunkStore(path, "/scan", layout, index)


def test_a_file_cut_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", chunks=(1, 1, 7, 9), compression="gzip")
    dataset = H5DataSet(path)
    with dataset.open() as source:
        (tmp_path / "a.h5").write_bytes(b"")
        with pytest.raises(DataSetException, match=r"a\.h5 ends at byte"):
            source.read(0, 15, Scratch())


def test_a_file_written_anew_is_looked_up_anew(tmp_path: Path) -> None:
    options: dict[str, Any] = {"chunks": (1, 5, 7, 9), "compression": "gzip"}
    dataset = H5DataSet(write(tmp_path / "a.h5", **options))
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(-1, 7, 9))
    other = TRUTH[::-1] // 8
    write(tmp_path / "a.h5", other, **options)
    np.testing.assert_array_equal(read_all(dataset), other.reshape(-1, 7, 9))


def test_positions_are_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = H5DataSet(write(tmp_path / "a.h5", chunks=(1, 5, 7, 9)))
    monkeypatch.setattr(chunks, "read_index", None)
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(-1, 7, 9))


def test_a_chunk_too_long_for_any_filter_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", chunks=(1, 1, 7, 9), compression="gzip")
    with h5py.File(path, "a") as file:
        file["scan"].id.write_direct_chunk((1, 2, 0, 0), bytes(10_000))
    with pytest.raises(DataSetException, match=r"chunk \(1, 2, 0, 0\) of 10000 .* is damaged"):
        H5DataSet(path)


SCATTERED = {"plain": {}, "bitshuffle lz4": FILTERS["bitshuffle lz4"]}


@pytest.mark.parametrize("options", SCATTERED.values(), ids=SCATTERED)
def test_chunks_in_any_order_in_the_file(tmp_path: Path, options: dict[str, Any]) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        scan = file.create_dataset("scan", TRUTH.shape, "u2", chunks=(1, 2, 7, 9), **options)
        for line in (1, 0, 2):
            for column in (2, 4, 0):
                scan[line, column : column + 2] = TRUTH[line, column : column + 2]
                file[f"between/{line}/{column}"] = np.zeros(50_000)
    np.testing.assert_array_equal(
        read_all(H5DataSet(tmp_path / "a.h5", ds_path="scan")), TRUTH.reshape(-1, 7, 9)
    )


def test_the_blocks_of_a_virtual_scan_are_those_of_its_parts(tmp_path: Path) -> None:
    assert _virtual(tmp_path / "a.h5")[0].frames_per_block == 2


@given(cut=st.integers(min_value=0), is_chunked=st.booleans())
@settings(max_examples=50)
def test_truncated_files_are_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, is_chunked: bool
) -> None:
    path = tmp_path_factory.mktemp("h5") / "cut.h5"
    write(path, chunks=(1, 1, 7, 9) if is_chunked else None)
    content = path.read_bytes()
    path.write_bytes(content[: cut % len(content)])
    with pytest.raises(DataSetException, match=r"cut\.h5"):
        H5DataSet(path)


def test_a_lost_stack_is_said(tmp_path: Path) -> None:
    _dectris_master(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["entry/data/data_000002"]
    with pytest.warns(UserWarning, match=r"stacks 1 to 3, but not \[2\]") as told:
        dataset = H5DataSet(tmp_path / "a.h5")
    assert dataset.notes == (str(told[0].message),)
    assert dataset.shape.nav.size == 9


# What promises much


def test_a_virtual_dataset_of_itself_is_refused(tmp_path: Path) -> None:
    layout = h5py.VirtualLayout(TRUTH.shape, "u2")
    layout[:] = h5py.VirtualSource("b.h5", "scan", TRUTH.shape)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("scan", layout)
    layout[:] = h5py.VirtualSource("a.h5", "scan", TRUTH.shape)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_virtual_dataset("scan", layout)
    for name in "ab":
        with pytest.raises(DataSetException, match="takes them from there again"):
            H5DataSet(tmp_path / f"{name}.h5")


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [
        ((200_000_000, 1, 1), (1, 1, 1)),
        ((10, 30_000, 30_000), (1, 30_000, 30_000)),
        ((1 << 20, 1 << 20, 256, 256), None),
    ],
    ids=["chunks", "large chunks", "one piece"],
)
def test_a_promise_that_nothing_was_written_of_is_refused(
    tmp_path: Path, shape: tuple[int, ...], chunk: tuple[int, ...] | None
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("scan", shape, "u1", chunks=chunk)
    with pytest.raises(DataSetException, match=r"promises .* but 0 were written"):
        H5DataSet(tmp_path / "a.h5")


def test_a_large_chunk_of_nothing_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        scan = file.create_dataset(
            "scan", (1, 30_000, 30_000), "u1", chunks=(1, 30_000, 30_000), compression="gzip"
        )
        scan.id.write_direct_chunk((0, 0, 0), bytes(100))
    with pytest.raises(DataSetException, match="promises chunks of 900000000 bytes"):
        H5DataSet(tmp_path / "a.h5")
