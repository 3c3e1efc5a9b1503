from __future__ import annotations

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.io.codecs.lz4 import SLACK, decode_block

GUARD = 0xA5


def decode(block: bytes, n_bytes: int) -> npt.NDArray[np.uint8] | None:
    """Decode between guards, and check that nothing outside of the slack has changed."""
    data = np.frombuffer(block + bytes(SLACK), np.uint8)
    out = np.full(64 + n_bytes + SLACK + 64, GUARD, np.uint8)
    is_whole = decode_block(data, 0, len(block), out, 64, 64 + n_bytes)
    assert (out[:64] == GUARD).all()
    assert (out[64 + n_bytes + SLACK :] == GUARD).all()
    return out[64 : 64 + n_bytes] if is_whole else None


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Bytes that compress in all ways: repeated with periods of any length, and not at all."""
    pieces = draw(
        st.lists(st.tuples(st.binary(min_size=1, max_size=70), st.integers(1, 90)), max_size=12)
    )
    return b"".join(piece * times for piece, times in pieces) or b"\0"


@given(content=contents())
def test_decodes_what_the_library_encodes(content: bytes) -> None:
    block = bytes(imagecodecs.lz4_encode(content, header=False))
    decoded = decode(block, len(content))
    assert decoded is not None
    assert decoded.tobytes() == content


@pytest.mark.parametrize("n_bytes", [4, 5, 15, 16, 17, 33, 300])
@pytest.mark.parametrize("distance", [*range(1, 34), 100])
def test_repeats_with_every_period(distance: int, n_bytes: int) -> None:
    literals = bytes(range(1, 1 + distance))
    token = min(distance, 15) << 4 | min(n_bytes - 4, 15)
    block = bytes([token]) + _more(distance) + literals + distance.to_bytes(2, "little")
    block += _more(n_bytes - 4) + b"\x10\xff"
    expected = (literals * (n_bytes // distance + 2))[: distance + n_bytes] + b"\xff"
    decoded = decode(block, len(expected))
    assert decoded is not None
    assert decoded.tobytes() == expected


def _more(length: int) -> bytes:
    """The bytes that go on with a length behind the token."""
    if length < 15:
        return b""
    n_full, rest = divmod(length - 15, 255)
    return b"\xff" * n_full + bytes([rest])


@given(content=contents(), data=st.data())
def test_a_damaged_block_never_leaves_its_place(content: bytes, data: st.DataObject) -> None:
    block = bytearray(imagecodecs.lz4_encode(content, header=False))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    decode(bytes(block[: data.draw(st.integers(0, len(block)))]), len(content))


@given(block=st.binary(max_size=200), n_bytes=st.integers(0, 500))
def test_any_bytes_never_leave_their_place(block: bytes, n_bytes: int) -> None:
    decode(block, n_bytes)


TOO_LONG = {
    "literals": b"\xf0" + b"\xff" + b"\x00" + b"a" * 270,
    "repeat of one byte": b"\x1fa\x01\x00" + b"\xff" * 4 + b"\x00\x10a",
    "repeat of ten": b"\xafabcdefghij\x0a\x00" + b"\xff" * 4 + b"\x00\x10a",
    "repeat of twenty": b"\xff\x05" + b"a" * 20 + b"\x14\x00" + b"\xff" * 4 + b"\x00\x10a",
}
REACHING = {
    "before the place": b"\x10a\x02\x00\x10a",
    "nowhere": b"\x10a\x00\x00\x10a",
    "for literals behind the end": b"\xf0\x20aaaa",
    "for half a distance": b"\x10a\x01",
}


@pytest.mark.parametrize("block", TOO_LONG.values(), ids=TOO_LONG)
def test_more_than_fits_is_not_written(block: bytes) -> None:
    assert decode(block, 40) is None


@pytest.mark.parametrize("block", REACHING.values(), ids=REACHING)
def test_what_reaches_out_is_refused(block: bytes) -> None:
    assert decode(block, 6) is None


@pytest.mark.parametrize("change", [-1, 1])
def test_another_length_is_refused(change: int) -> None:
    block = bytes(imagecodecs.lz4_encode(b"abcd" * 50, header=False))
    assert decode(block, 200) is not None
    assert decode(block, 200 + change) is None
