"""Scans in HDF5 files that are still being written, in SWMR mode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py

from udfwidgets.errors import DataSetException
from udfwidgets.io.arriving.growing import check_stall_timeout
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.hdf5.arrival import GrowingH5Source
from udfwidgets.io.dataset.hdf5.chunks import ChunkLayout, chunk_layout, frames_per_block
from udfwidgets.io.dataset.hdf5.families import corrections_of, folded_corrections
from udfwidgets.io.dataset.hdf5.find import find_dataset, walk
from udfwidgets.io.dataset.hdf5.pixels import metadata_of
from udfwidgets.io.dataset.hdf5.source import read_image
from udfwidgets.io.dataset.hdf5.swmr import growing_dataset, open_swmr, swmr_lock
from udfwidgets.io.layout.files import PathLike, existing_file
from udfwidgets.io.layout.folding import axes, sig_of
from udfwidgets.io.source import Source
from udfwidgets.shapes import Shape


class GrowingH5DataSet(DataSet):
    """A chunked dataset in an HDF5 file that another process writes in SWMR mode.

    A file that is finished is taken as well, so the same line serves before and after the end.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded. The file and the dataset in it have to be there, frames need not.
    ds_path : str, optional
        Path of the dataset in the file. Without it, the only one that can grow is taken, or else
        what `H5DataSet` would take.
    nav_shape : sequence of int, optional
        Shape of the whole scan. Needed where the dataset can grow without bounds.
    sig_shape : sequence of int, optional
        Detector axes to fold a frame into.
    sig_dims : int, default 2
        How many of the last axes belong to the detector.
    stall_timeout : float, optional
        Seconds without a new frame after which a run fails. By default it waits for ever: an
        acquisition that pauses goes on later, and the run shows since when it has been waiting.

    Raises
    ------
    DataSetException
        If the file cannot be read while it is written, if it is not clear which dataset is meant,
        or if the dataset is stored in a way that does not tell which frames have come.
    ValueError
        If an axis, or the timeout, is not positive.
    """

    def __init__(
        self,
        path: PathLike,
        ds_path: str | None = None,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sig_dims: int = 2,
        *,
        stall_timeout: float | None = None,
    ) -> None:
        self._path = existing_file(path)
        self._stall_timeout = check_stall_timeout(stall_timeout)
        self._is_complete = False
        with swmr_lock, open_swmr(self._path) as file:
            self._ds_path = _find(self._path, file) if ds_path is None else ds_path
            dataset = growing_dataset(self._path, file, self._ds_path)
            where = f"{self._path}:{self._ds_path}"
            self._layout = _whole_layout(where, dataset, sig_dims, nav_shape)
            self._metadata = metadata_of(file, self._ds_path, sig_dims)
            stored_sig = self._layout.shape[-sig_dims:]
            # Written before the first frame: nothing is added to a file that others look at.
            self._corrections = corrections_of(file, self._ds_path, stored_sig, read_image)
        self._nav_dims = len(self._layout.shape) - sig_dims
        nav = self._layout.shape[: self._nav_dims]
        if nav_shape is not None:
            nav = axes(nav_shape, "nav_shape")
        sig = sig_of(where, stored_sig, sig_shape)
        super().__init__(Shape((*nav, *sig), len(sig)), self._layout.dtype)
        self.open().close()

    @property
    def ds_path(self) -> str:
        """Path of the dataset in the file."""
        return self._ds_path

    def get_correction_data(self) -> CorrectionSet:
        """Return what the file tells of bad pixels, and factors that have not been applied."""
        return folded_corrections(self._corrections, self.shape.sig.to_tuple())

    @property
    def frames_per_block(self) -> int:
        """Depth of the chunks along the scan, bounded to 64 MB of frames."""
        return min(frames_per_block(self._layout, self._nav_dims), self.shape.nav.size)

    @property
    def is_growing(self) -> bool:
        """Whether no run has seen the last frame yet."""
        return not self._is_complete

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} ds_path={self._ds_path!r}>"

    def open(self) -> Source:
        """Open the file beside its writer."""
        return GrowingH5Source(
            self._path,
            self._ds_path,
            self._layout,
            self._nav_dims,
            self.shape,
            self._stall_timeout,
            self._note_complete,
        )

    def _note_complete(self) -> None:
        self._is_complete = True


def _find(path: Path, file: h5py.File) -> str:
    """Return the only dataset of numbers that can grow, or else what seems to be the scan."""
    growing = [
        name
        for name, found in walk(path, file)
        if found.dtype.kind in "buifc" and found.ndim >= 3 and found.maxshape != found.shape
    ]
    if len(growing) > 1:
        raise DataSetException(
            f"{path} has {len(growing)} datasets that can grow, choose one with ds_path=: "
            + ", ".join(growing)
        )
    return growing[0] if growing else find_dataset(path, file)[0]


def _whole_layout(
    where: str, dataset: h5py.Dataset, sig_dims: int, nav_shape: Sequence[int] | None
) -> ChunkLayout:
    """Return the layout that the dataset is going to have at the end.

    The first axis of the scan is the one that grows; others may still have to get their length.
    """
    if sig_dims < 1 or dataset.ndim <= sig_dims:
        raise DataSetException(
            f"{where}: an array of shape {dataset.shape}, expected scan axes before sig_dims="
            f"{sig_dims} detector axes"
        )
    nav_dims = dataset.ndim - sig_dims
    wanted = None if nav_shape is None else axes(nav_shape, "nav_shape")
    most = list(dataset.maxshape[:nav_dims])
    if wanted is not None and len(wanted) == nav_dims:
        grows = [n != m for n, m in zip(dataset.shape, most, strict=False)]
        most[1:] = [w if g else m for w, g, m in zip(wanted, grows, most, strict=True)][1:]
    if wanted is not None and None not in most[1:]:
        n_lines = -(-math.prod(wanted) // math.prod(most[1:]))
        if most[0] is not None and n_lines > most[0]:
            raise DataSetException(
                f"{where}: has room for {math.prod(most)} frames, expected {math.prod(wanted)} for "
                f"nav_shape={wanted}"
            )
        most[0] = n_lines
    sig = dataset.shape[nav_dims:]
    if None in most or 0 in most or 0 in sig:
        raise DataSetException(
            f"{where}: has the shape {dataset.shape} and may grow to {dataset.maxshape}, which "
            "leaves open how many frames the scan will have; pass nav_shape="
        )
    return replace(chunk_layout(dataset), shape=(*most, *sig))
