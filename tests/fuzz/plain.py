"""Reads files of detectors in a few lines each, and takes their headers at their word."""

from __future__ import annotations

import importlib
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

Array = npt.NDArray[Any]


def strided(content: bytes, offset: int, stride: int, dtype: str, sig: tuple[int, int]) -> Array:
    """Return the frames that are whole."""
    n_bytes = sig[0] * sig[1] * np.dtype(dtype).itemsize
    assert min(n_bytes, stride) > 0
    begins = range(offset, len(content) - n_bytes + 1, stride)
    return np.array(
        [np.frombuffer(content, dtype, sig[0] * sig[1], at).reshape(sig) for at in begins]
    )


def blo(content: bytes) -> Array:
    order = "<" if content[7] == 1 else ">"
    size, _, nx, ny = struct.unpack_from(order + "4H", content, 20)
    (offset,) = struct.unpack_from(order + "I", content, 12)
    is_new = b"\3" in content[6:8]
    bits = int(content[240:0x1000].lower().partition(b"depth:")[2].split()[0]) if is_new else 8
    frames = strided(
        content, offset + 6, size * size * bits // 8 + 6, f"{order}u{bits // 8}", (size, size)
    )
    return frames[: nx * ny]


def seq(content: bytes) -> Array:
    (version,) = struct.unpack_from("<i", content, 28)
    width, height, bits = struct.unpack_from("<3I", content, 548)
    (stride,) = struct.unpack_from("<I", content, 580)
    return strided(
        content, 8192 if version >= 5 else 1024, stride, f"<u{bits // 8}", (height, width)
    )


def mrc(content: bytes) -> Array:
    nx, ny, nz, mode = struct.unpack_from("<4i", content)
    order = "<" if 0 < nx < 1 << 24 and 0 <= mode <= 101 else ">"
    nx, ny, nz, mode = struct.unpack_from(order + "4i", content)
    (extended,) = struct.unpack_from(order + "i", content, 92)
    imod, flags = struct.unpack_from(order + "2i", content, 152)
    kind = {0: "i1", 1: "i2", 2: "f4", 4: "c8", 6: "u2", 12: "f2"}[mode]
    kind = "u1" if mode == 0 and imod == 1146047817 and not flags & 1 else kind
    stride = nx * ny * np.dtype(kind).itemsize
    return strided(content, 1024 + extended, stride, order + kind, (ny, nx))[:nz]


def tvips(content: bytes) -> Array:
    version, width, height, bits = struct.unpack_from("<4i", content, 4)
    header = struct.unpack_from("<i", content, 48)[0] if version == 2 else 12
    stride = header + width * height * bits // 8
    return strided(content, 256 + header, stride, f"<u{bits // 8}", (height, width))


def ser(content: bytes) -> Array:
    """Return the frames at the places that are listed, up to the first one that is cut off."""
    version, _, _, _, valid = struct.unpack_from("<H4I", content, 4)
    word = "I" if version <= 0x210 else "Q"
    (at,) = struct.unpack_from("<" + word, content, 22)
    frames: list[Array] = []
    for begin in struct.unpack_from(f"<{valid}{word}", content, at):
        kind, nx, ny = struct.unpack_from("<H2I", content, begin + 40)
        dtype = ("u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8", "c8", "c16")[kind - 1]
        if begin + 50 + nx * ny * np.dtype(dtype).itemsize > len(content):
            break
        frames.append(np.frombuffer(content, dtype, nx * ny, begin + 50).reshape(ny, nx)[::-1])
    return np.array(frames)


def k2is(folder: Path) -> Array:
    """Return the frames of which all blocks are there, from the first such one on."""
    found: dict[int, dict[tuple[int, int], Array]] = {}
    for sector in range(8):
        content = (folder / f"scan_{sector + 1}.bin").read_bytes()
        for at in range(0, len(content) - 22359, 22360):
            frame, x, y = struct.unpack_from(">I2H", content, at + 24)
            low, middle, high = np.frombuffer(content, "u1", 22320, at + 40).reshape(-1, 3).T
            even, odd = low | (middle & 0xF).astype("u2") << 8, middle >> 4 | high.astype("u2") << 4
            pixels = np.stack([even, odd], axis=1).reshape(930, 16)
            found.setdefault(frame, {})[sector * 256 + x, y] = pixels
    whole = [number for number, blocks in sorted(found.items()) if len(blocks) == 256]
    frames = np.zeros((len(whole), 1860, 2048), "u2")
    for frame, number in zip(frames, whole, strict=True):
        for (x, y), pixels in found[number].items():
            frame[y : y + 930, x : x + 16] = pixels
    return frames


def frms6(folder: Path) -> Array:
    (binning,) = re.findall(r"bin: *([0-9]+)", (folder / "scan.hdr").read_text("latin-1"))
    parts = []
    for number in (1, 2):
        content = (folder / f"scan_{number:03d}.frms6").read_bytes()
        width, height = struct.unpack_from("<2H", content, 88)
        (n_frames,) = struct.unpack_from("<I", content, 1020)
        stride = 64 + 2 * width * height
        rows = strided(content, 1088, stride, "<u2", (height, width))[: n_frames or None]
        upper, lower = rows[:, :, : width // 2], rows[:, ::-1, : width // 2 - 1 : -1]
        image = np.concatenate([upper, lower], axis=1)
        parts.append(np.repeat(image, int(binning), axis=1))
    return np.concatenate(parts)


def dm(content: bytes, frames: Array) -> Array:
    """Return the pixels behind the second tag of data, if what tells their order is not damaged."""
    swapped = content.index(b"Data Order Swapped") + len(b"Data Order Swapped")
    is_long = content[3] == 4
    word, n = (">q", 8) if is_long else (">i", 4)
    at = swapped + (8 if is_long else 0)
    assert content[at : at + 4] == b"%%%%"
    assert content[at + 4 : at + 4 + 2 * n] == struct.pack(word, 1) + struct.pack(word, 8)
    assert content[at + 4 + 2 * n] == 1
    assert content.count(b"ImageTags") == content.count(b"Meta Data") == 2
    data = content.index(b"\0\4Data", content.index(b"\0\4Data") + 1) + 6 + (8 if is_long else 0)
    assert content[data : data + 4] == b"%%%%"
    offset = data + 4 + 4 * n
    is_little = content[15 if is_long else 11] == 1
    dtype = frames.dtype.newbyteorder("<" if is_little else ">")
    return np.frombuffer(content, dtype, frames.size, offset).reshape(frames.shape)


def empad(path: Path) -> Array:
    frames = np.fromfile(path.with_suffix(".raw"), "<f4").reshape(-1, 130, 128)
    return frames[:, :128]


def raw_csr(path: Path) -> Array:
    tomllib = importlib.import_module("tomllib")
    told = tomllib.loads(path.read_text())
    files = told["raw_csr"]
    indptr, indices, data = (
        np.fromfile(path.with_name(files[f"{kind}_file"]), files[f"{kind}_dtype"])
        for kind in ("indptr", "indices", "data")
    )
    nav, sig = told["params"]["nav_shape"], told["params"]["sig_shape"]
    shape = (len(indptr) - 1, int(np.prod(sig)))
    frames: Array = scipy.sparse.csr_matrix((data, indices, indptr), shape).toarray()
    return frames[: int(np.prod(nav))].reshape(-1, *sig)


def zarr(path: Path) -> Array:
    """Read a store with the package that it is named after."""
    package = importlib.import_module("zarr")
    if path.suffix != ".zip":
        return np.asarray(package.open_array(path.parent, mode="r")[...])
    with package.storage.ZipStore(path, mode="r") as store:
        return np.asarray(package.open_array(store, mode="r")[...])
