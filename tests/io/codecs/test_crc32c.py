from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.io.codecs.crc32c import crc32c, without_checksum

DIGITS = np.frombuffer(b"123456789", np.uint8)


def test_it_is_the_value_that_all_have_for_the_digits() -> None:
    assert crc32c(DIGITS) == 0xE3069283
    assert crc32c(DIGITS[:0]) == 0


def test_long_data_are_as_byte_by_byte() -> None:
    data = np.random.default_rng(0).integers(0, 256, 1001).astype("u1")
    for n_bytes in (7, 8, 9, 1001):
        value = 0xFFFFFFFF
        for byte in data[:n_bytes].tolist():
            value ^= byte
            for _ in range(8):
                value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        assert crc32c(data[:n_bytes]) == value ^ 0xFFFFFFFF


def test_a_checksum_is_taken_off_or_refused() -> None:
    stored = np.append(DIGITS, np.array([0xE3069283], "<u4").view(np.uint8))
    assert without_checksum(stored).tobytes() == b"123456789"
    for wrong in (stored[:-1], stored[1:], stored[:3], stored[:0]):
        with pytest.raises(ValueError, match="do not fit their checksum"):
            without_checksum(wrong)
