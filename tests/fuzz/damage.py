"""Changes a few bytes of a file, blindly or where its header has numbers."""

from __future__ import annotations

import re

import numpy as np

_ODD = (b"\0", b"\xff", b"\x7f", b"9", b"-", b"\x80", b",", b"\n")
_NUMBERS = ("0", "1", "-1", "3", "17", "255", "256", "65536", "2147483648", "9" * 19, "1e3", "")


def damaged(content: bytes, rng: np.random.Generator, n_bytes: int) -> bytes:
    """Change a few bytes among the first ones, or cut, swell or repeat a piece of them."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at, length = int(rng.integers(n_bytes)), int(rng.integers(1, 9))
        kind = int(rng.integers(8))
        if kind < 3:
            changed[at % len(changed)] ^= 1 << int(rng.integers(8))
        elif kind < 6:
            changed[at : at + length] = _ODD[int(rng.integers(len(_ODD)))] * length
        elif kind == 6:
            other = int(rng.integers(n_bytes))
            changed[at : at + length] = changed[other : other + length]
        elif rng.integers(4) == 0:
            del changed[at + int(rng.integers(len(content))) :]
        if not changed:
            return b""
    return bytes(changed)


def damaged_text(content: bytes, rng: np.random.Generator, n_bytes: int) -> bytes:
    """Put another number in place of one in the header, or another letter; keep its length if able.

    What follows stays where it is as far as there are spaces to make up for it.
    """
    head, rest = content[:n_bytes], content[n_bytes:]
    numbers = list(re.finditer(rb"\d+", head))
    if not numbers or rng.integers(4) == 0:
        at = int(rng.integers(max(1, len(head))))
        return head[:at] + bytes([int(rng.integers(32, 127))]) + head[at + 1 :] + rest
    found = numbers[int(rng.integers(len(numbers)))]
    if rng.integers(2):
        new = str(max(0, int(found[0]) + int(rng.integers(-2, 3)))).encode()
    else:
        new = _NUMBERS[int(rng.integers(len(_NUMBERS)))].encode()
    changed = head[: found.start()] + new + head[found.end() :]
    spaces = changed.rfind(b"  ")
    if spaces >= 0 and len(changed) < len(head):
        changed = changed[:spaces] + b" " * (len(head) - len(changed)) + changed[spaces:]
    elif spaces >= 0:
        changed = changed[: spaces + 1] + changed[spaces + 1 + len(changed) - len(head) :]
    return changed + rest
