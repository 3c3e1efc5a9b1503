"""Scans that are kept in several files: how rows have them written, and what is opened of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.io.writers.frms6 import write_frms6
from tests.io.writers.k2is import write_k2is

_N_DARK = 8

Shape = tuple[int, int]
Rows = Iterator[Any]


@dataclass(frozen=True)
class Several:
    """A format of several files.

    Parameters
    ----------
    write : callable
        Writes a scan into a folder, and returns what is opened of it.
    sig : tuple of int, optional
        Shape of its frames, where it has but one; else that of other rows.
    needs_shape : bool
        Whether a scan shape has to be passed.
    """

    write: Callable[[Path, Rows, Shape, Shape], Path]
    sig: Shape | None = None
    needs_shape: bool = False


def _k2is(folder: Path, rows: Rows, nav: Shape, sig: Shape) -> Path:
    return write_k2is(folder, np.concatenate(list(rows)))


def _frms6(folder: Path, rows: Rows, nav: Shape, sig: Shape) -> Path:
    frames = np.concatenate(list(rows))
    dark = np.zeros((_N_DARK, *sig), "u2")
    return write_frms6(folder, frames, dark, nav, cuts=(len(frames) // 2,))


def _zarr(folder: Path, rows: Rows, nav: Shape, sig: Shape) -> Path:
    # Not there for Python 3.10, with which the other rows run.
    zarr = importlib.import_module("zarr")
    store = zarr.create_array(
        folder / "scan.zarr",
        shape=(*nav, *sig),
        dtype="u2",
        chunks=(1, 8, *sig),
        compressors=zarr.codecs.ZstdCodec(level=3),
    )
    for y, row in enumerate(rows):
        store[y] = row
    return folder / "scan.zarr"


SEVERAL: Mapping[str, Several] = {
    "k2is": Several(_k2is, (1860, 2048), needs_shape=True),
    "frms6": Several(_frms6, (264, 264)),
    "zarr": Several(_zarr),
}
