from __future__ import annotations

from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.io.codecs.lz4 import SLACK
from udfwidgets.io.codecs.lz4_chunks import decode_chunks

GUARD = 0xA5
KINDS: dict[str, tuple[dict[str, Any], int]] = {
    "lz4": (dict(hdf5plugin.LZ4(nbytes=200)), 0),
    "lz4 in one block": (dict(hdf5plugin.LZ4()), 0),
    "bitshuffle": (dict(hdf5plugin.Bitshuffle(cname="lz4", nelems=16)), 2),
    "bitshuffle in one block": (dict(hdf5plugin.Bitshuffle(cname="lz4")), 2),
}


def stored(chunks: npt.NDArray[np.uint16], options: dict[str, Any]) -> list[bytes]:
    """Return what the filter of the HDF5 library makes of each row."""
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
        scan = file.create_dataset("scan", data=chunks, chunks=(1, chunks.shape[1]), **options)
        return [scan.id.read_direct_chunk((i, 0))[1] for i in range(len(chunks))]


def decode(parts: list[bytes], n_bytes: int, itemsize: int) -> tuple[int, npt.NDArray[np.uint8]]:
    """Decode chunks between guards, and check that nothing outside of the slack has changed."""
    data = np.frombuffer(b"".join(parts) + bytes(SLACK), np.uint8)
    length = np.array([len(part) for part in parts])
    out = np.full(64 + len(parts) * n_bytes + SLACK + 64, GUARD, np.uint8)
    to = 64 + n_bytes * np.arange(len(parts))
    bad = decode_chunks(data, np.cumsum(length) - length, length, out, to, n_bytes, itemsize)
    end = 64 + len(parts) * n_bytes
    assert (out[:64] == GUARD).all()
    assert (out[end + SLACK :] == GUARD).all()
    return int(bad), out[64:end]


@pytest.mark.parametrize("kind", KINDS)
@given(n_chunks=st.integers(1, 4), n_items=st.integers(1, 700), seed=st.integers(0, 1 << 32))
def test_decodes_what_the_filters_write(kind: str, n_chunks: int, n_items: int, seed: int) -> None:
    options, itemsize = KINDS[kind]
    rng = np.random.default_rng(seed)
    chunks = rng.poisson(rng.choice([0.1, 5, 3000]), (n_chunks, n_items)).astype("u2")
    bad, decoded = decode(stored(chunks, options), 2 * n_items, itemsize)
    assert bad == -1
    np.testing.assert_array_equal(decoded.view("u2").reshape(chunks.shape), chunks)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_damaged_chunks_never_leave_their_place(kind: str, data: st.DataObject) -> None:
    options, itemsize = KINDS[kind]
    chunks = np.random.default_rng(1).poisson(2, (2, 300)).astype("u2")
    first, second = (bytearray(part) for part in stored(chunks, options))
    for _ in range(data.draw(st.integers(1, 4))):
        second[data.draw(st.integers(0, len(second) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(second[: data.draw(st.integers(1, len(second)))])
    bad, decoded = decode([bytes(first), cut], 600, itemsize)
    assert bad in (-1, 1)
    np.testing.assert_array_equal(decoded[:600].view("u2"), chunks[0])


def test_chunks_of_no_length_are_left_out() -> None:
    options, itemsize = KINDS["bitshuffle"]
    chunks = np.arange(600, dtype="u2").reshape(2, 300)
    parts = stored(chunks, options)
    bad, decoded = decode([parts[0], b"", parts[1]], 600, itemsize)
    assert bad == -1
    assert (decoded[600 + SLACK : 1200] == GUARD).all()
    np.testing.assert_array_equal(decoded[1200:].view("u2"), chunks[1])
