from __future__ import annotations

import struct

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
