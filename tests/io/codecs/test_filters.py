from __future__ import annotations

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest

from udfwidgets.io.codecs.filters import Filter, can_undo, undo
from udfwidgets.io.codecs.lz4 import SLACK

DEFLATE = Filter(1, (4,))
SHUFFLE = Filter(2, (2,))
BITSHUFFLE = Filter(32008, (0, 4, 2, 0, 0))
BITSHUFFLE_LZ4 = Filter(32008, (0, 4, 2, 0, 2))


def with_slack(content: bytes) -> npt.NDArray[np.uint8]:
    """Return an array of the content that has `SLACK` more bytes behind its end."""
    return np.frombuffer(bytearray(content + bytes(SLACK)), np.uint8)[: len(content)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), True),
        ((SHUFFLE, DEFLATE), True),
        ((BITSHUFFLE, DEFLATE), True),
        ((DEFLATE, SHUFFLE), False),
        ((BITSHUFFLE_LZ4, DEFLATE), False),
        ((Filter(3, ()),), False),
        ((Filter(2, (3,)),), False),
        ((Filter(32008, (0, 4, 2, 0, 9)),), False),
    ],
)
def test_only_the_last_filter_may_compress(filters: tuple[Filter, ...], expected: bool) -> None:
    assert can_undo(filters) is expected


def test_an_lz4_block_as_long_as_its_data_is_still_lz4() -> None:
    # The LZ4 filter would take such a block for raw data; Bitshuffle never stores one raw.
    # 59 literals, a match of 6 bytes one byte back, and 63 literals: 128 bytes into 128.
    first, last = bytes(range(59)), bytes(range(100, 163))
    block = b"\xf2" + bytes([59 - 15]) + first + b"\x01\x00" + b"\xf0" + bytes([63 - 15]) + last
    shuffled = first + first[-1:] * 6 + last
    assert len(block) == len(shuffled) == 128
    expected = imagecodecs.bitshuffle_decode(shuffled, itemsize=2, blocksize=64)
    data = with_slack(struct.pack(">QII", 128, 128, 128) + block)
    out, spare = with_slack(bytes(128)), with_slack(bytes(128))
    undo((BITSHUFFLE_LZ4,), data, out, spare)
    assert out.tobytes() == bytes(expected)


@pytest.mark.parametrize("n_bytes", [0, 3, 11, 12, 15, 20])
def test_a_cut_bitshuffle_chunk_is_refused(n_bytes: int) -> None:
    data = with_slack((struct.pack(">QII", 256, 128, 50) + bytes(60))[:n_bytes])
    out, spare = with_slack(bytes(256)), with_slack(bytes(256))
    with pytest.raises(Exception, match=r".+"):
        undo((BITSHUFFLE_LZ4,), data, out, spare)


TRUTH = np.random.default_rng(8).integers(0, 9, 133, "u2").view(np.uint8)


def blosc(content: bytes) -> bytes:
    return bytes(imagecodecs.blosc_encode(content, typesize=2, shuffle=True, compressor="lz4"))


def bitshuffle_zstd(content: bytes, block_bytes: int = 64) -> bytes:
    """Write as the filter does: blocks with their lengths before them, the odd items raw."""
    n_tail = len(content) % 16
    blocks = content[: len(content) - n_tail]
    stored = struct.pack(">QI", len(content), block_bytes)
    for at in range(0, len(blocks), block_bytes):
        block = blocks[at : at + block_bytes]
        shuffled = imagecodecs.bitshuffle_encode(block, itemsize=2, blocksize=len(block) // 2)
        packed = imagecodecs.zstd_encode(shuffled)
        stored += struct.pack(">I", len(packed)) + bytes(packed)
    return stored + content[len(blocks) :]


def lz4(content: bytes) -> bytes:
    packed = bytes(imagecodecs.lz4_encode(content, header=False))
    return struct.pack(">QII", len(content), len(content), len(packed)) + packed


BLOSC = Filter(32001, (2, 2, 2, 266, 5, 1, 1))
SIZED = {
    "blosc": (BLOSC, blosc),
    "lz4": (Filter(32004, (0,)), lz4),
    "bitshuffle zstd": (Filter(32008, (0, 4, 2, 32, 3)), bitshuffle_zstd),
}


def undone(step: Filter, content: bytes) -> bytes:
    out, spare = with_slack(bytes(len(TRUTH))), with_slack(bytes(len(TRUTH)))
    undo((step,), with_slack(content), out, spare)
    return out.tobytes()


@pytest.mark.parametrize(("step", "encode"), SIZED.values(), ids=SIZED)
def test_a_chunk_shorter_than_it_says_is_refused(
    step: Filter, encode: Callable[[bytes], bytes]
) -> None:
    whole = encode(TRUTH.tobytes())
    assert undone(step, whole) == TRUTH.tobytes()
    assert undone(step, whole + b"more") == TRUTH.tobytes()  # HDF5 leaves such bytes alone, too
    for wrong in (whole[:-1], whole[: len(whole) // 2], whole[:10], b"", encode(bytes(100))):
        with pytest.raises((ValueError, struct.error)):
            undone(step, wrong)


@pytest.mark.parametrize(
    ("at", "value"), [(4, 90), (4, 1 << 31), (8, 0), (8, 1 << 20), (8, 1), (12, 40), (12, 1 << 30)]
)
def test_a_blosc_header_that_lies_never_reaches_blosc(
    monkeypatch: pytest.MonkeyPatch, at: int, value: int
) -> None:
    content = bytearray(blosc(bytes(len(TRUTH))))
    content[at : at + 4] = struct.pack("<I", value)
    monkeypatch.setattr(imagecodecs, "blosc_decode", None)
    with pytest.raises(ValueError, match="Blosc chunk"):
        undone(BLOSC, bytes(content))


@pytest.mark.parametrize("length", [4000, 1 << 31])
def test_a_bitshuffle_block_beyond_its_chunk_is_refused(length: int) -> None:
    content = bytearray(bitshuffle_zstd(TRUTH.tobytes()))
    content[12:16] = struct.pack(">I", length)
    with pytest.raises(ValueError, match=f"block of {length} bytes"):
        undone(SIZED["bitshuffle zstd"][0], bytes(content))
