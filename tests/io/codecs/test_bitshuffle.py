from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.io.codecs.bitshuffle import ITEMSIZES, unshuffle_blocks


@given(
    itemsize=st.sampled_from(ITEMSIZES),
    n_items=st.integers(0, 900),
    block_groups=st.integers(2, 60),
    seed=st.integers(0, 1 << 32),
)
def test_undoes_what_the_library_does(
    itemsize: int, n_items: int, block_groups: int, seed: int
) -> None:
    content = np.random.default_rng(seed).bytes(n_items * itemsize)
    shuffled = imagecodecs.bitshuffle_encode(content, itemsize=itemsize, blocksize=8 * block_groups)
    out = np.zeros(len(content), np.uint8)
    data = np.frombuffer(bytes(shuffled), np.uint8)
    unshuffle_blocks(data, 8 * block_groups * itemsize, itemsize, out)
    assert out.tobytes() == content


@pytest.mark.parametrize("itemsize", ITEMSIZES)
def test_each_bit_comes_to_its_place(itemsize: int) -> None:
    for bit in range(8 * itemsize):
        shuffled = np.zeros(8 * itemsize, np.uint8)
        shuffled[bit] = 0b00100000  # of the element with number 5
        out = np.zeros(8 * itemsize, np.uint8)
        unshuffle_blocks(shuffled, 8 * itemsize, itemsize, out)
        assert out.view(f"u{itemsize}").tolist() == [0] * 5 + [1 << bit] + [0, 0]
