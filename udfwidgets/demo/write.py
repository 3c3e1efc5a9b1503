"""Writes the scan to files, line by line, so that its size is bounded by the disk alone.

A file gets its name only when it is complete, also where two notebooks write it at once. A complete
file of the same scan is kept as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from udfwidgets.demo.sample import Sample
from udfwidgets.io.writing.hdf5 import nexus_data
from udfwidgets.io.writing.merlin import HEADER_BYTES, merlin_frame_header, merlin_hdr
from udfwidgets.replacing import replacing

# Raise this when other frames come out for the same seed.
_VERSION = 1


def make_scan(
    folder: str | os.PathLike[str],
    *,
    nav_shape: Sequence[int] = (96, 96),
    sig_shape: Sequence[int] = (64, 64),
    seed: int = 0,
    formats: Sequence[str] = ("mib",),
) -> dict[str, Path]:
    """Write a demo scan, unless the same one is there already.

    Parameters
    ----------
    folder : str or os.PathLike
        Is made if needed; ``~`` is expanded.
    nav_shape, sig_shape : (int, int)
        Of the scan and of the detector. The default is 75 MB of uint16, made in a second or two.
    seed : int
        The same seed gives the same sample and the same noise.
    formats : sequence of str
        Of `FORMATS`: ``'mib'`` is a Merlin `default.hdr` with its `default.mib`; ``'hdf5'`` is a
        NeXus-like `default.h5`, and ``'hdf5-gzip'`` the same, shuffled and compressed, in chunks
        of frames (`default-gzip.h5`).

    Returns
    -------
    dict
        For each format the path to load; for ``'mib'`` that is the `.hdr`.

    Raises
    ------
    ValueError
        If a format does not exist.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ValueError(f"formats={unknown}, expected some of {sorted(FORMATS)}")
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    sample = Sample(nav_shape, sig_shape, seed=seed)
    return {name: FORMATS[name](target, sample) for name in formats}


def _lines(sample: Sample) -> Iterator[npt.NDArray[np.uint16]]:
    width = sample.shape.nav[1]
    for first in range(0, sample.shape.nav.size, width):
        yield sample.frames(first, first + width)


def _description(sample: Sample) -> str:
    nav, sig = sample.shape.nav, sample.shape.sig
    return f"udfwidgets demo {_VERSION}, nav {nav}, sig {sig}, seed {sample.seed}"


# Merlin


def _write_mib(folder: Path, sample: Sample) -> Path:
    hdr, mib = folder / "default.hdr", folder / "default.mib"
    content = merlin_hdr(sample.shape, _description(sample))
    n_frames, n_pixels = sample.shape.nav.size, sample.shape.sig.size
    n_bytes = n_frames * (HEADER_BYTES + 2 * n_pixels)
    # The .hdr comes last and says which scan it is.
    is_complete = (
        hdr.exists()
        and hdr.read_bytes() == content
        and mib.exists()
        and mib.stat().st_size == n_bytes
    )
    if is_complete:
        return hdr
    hdr.unlink(missing_ok=True)
    with replacing(mib) as unfinished, unfinished.open("wb") as file:
        number = 1
        for line in _lines(sample):
            stored = np.empty((len(line), HEADER_BYTES + 2 * n_pixels), np.uint8)
            for row in stored:
                row[:HEADER_BYTES] = np.frombuffer(
                    merlin_frame_header(sample.shape.sig, number), np.uint8
                )
                number += 1
            pixels = line.astype(">u2").reshape(len(line), -1)
            stored[:, HEADER_BYTES:] = pixels.view(np.uint8)
            file.write(stored.data)
    with replacing(hdr) as unfinished:
        unfinished.write_bytes(content)
    return hdr


# HDF5


def _write_hdf5(folder: Path, sample: Sample) -> Path:
    return _write_nexus(folder / "default.h5", sample, {})


def _write_hdf5_gzip(folder: Path, sample: Sample) -> Path:
    depth = min(16, sample.shape.nav[1])
    chunks = (1, depth, *sample.shape.sig)
    options = {"chunks": chunks, "compression": "gzip", "compression_opts": 1, "shuffle": True}
    return _write_nexus(folder / "default-gzip.h5", sample, options)


def _write_nexus(path: Path, sample: Sample, options: dict[str, Any]) -> Path:
    if _holds(path, _description(sample)):
        return path
    with replacing(path) as unfinished, h5py.File(unfinished, "w") as file:
        data = nexus_data(file, _description(sample))
        counts = data.create_dataset("counts", sample.shape.to_tuple(), "u2", **options)
        counts.attrs["long_name"] = "electrons"
        for number, line in enumerate(_lines(sample)):
            counts[number] = line
    return path


def _holds(path: Path, description: str) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return bool(file["entry/title"].asstr()[()] == description)
    except (OSError, KeyError, TypeError):
        return False


FORMATS: dict[str, Callable[[Path, Sample], Path]] = {
    "mib": _write_mib,
    "hdf5": _write_hdf5,
    "hdf5-gzip": _write_hdf5_gzip,
}
