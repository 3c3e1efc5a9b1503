"""The checksum CRC-32C, in compiled code and without the GIL."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled

Bytes = npt.NDArray[np.uint8]

_POLYNOMIAL, _CHECKSUM_BYTES = 0x82F63B78, 4


def _tables() -> npt.NDArray[np.uint32]:
    """Return what each byte does to the checksum, followed by 0 to 7 others."""
    tables = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        tables[0, byte] = value
    for ahead in range(1, 8):
        before = tables[ahead - 1]
        tables[ahead] = before >> 8 ^ tables[0][before & 255]
    return tables


_TABLES = _tables()


@compiled()
def crc32c(data):
    """Return the checksum of an array of uint8."""
    value = np.uint32(0xFFFFFFFF)
    at, n_bytes = 0, len(data)
    # Eight bytes in a step, whose tables do not wait for one another.
    while at + 8 <= n_bytes:
        word = value ^ (
            np.uint32(data[at])
            | np.uint32(data[at + 1]) << np.uint32(8)
            | np.uint32(data[at + 2]) << np.uint32(16)
            | np.uint32(data[at + 3]) << np.uint32(24)
        )
        value = (
            _TABLES[7, word & np.uint32(255)]
            ^ _TABLES[6, word >> np.uint32(8) & np.uint32(255)]
            ^ _TABLES[5, word >> np.uint32(16) & np.uint32(255)]
            ^ _TABLES[4, word >> np.uint32(24)]
            ^ _TABLES[3, data[at + 4]]
            ^ _TABLES[2, data[at + 5]]
            ^ _TABLES[1, data[at + 6]]
            ^ _TABLES[0, data[at + 7]]
        )
        at += 8
    while at < n_bytes:
        value = _TABLES[0, (value ^ data[at]) & np.uint32(255)] ^ value >> np.uint32(8)
        at += 1
    return value ^ np.uint32(0xFFFFFFFF)


def without_checksum(data: Bytes) -> Bytes:
    """Return what is before a checksum.

    Raises
    ------
    ValueError
        If it is that of other data.
    """
    before, stored = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if len(data) < _CHECKSUM_BYTES or int.from_bytes(stored.tobytes(), "little") != crc32c(before):
        raise ValueError(f"{len(data)} bytes do not fit their checksum")
    return before
