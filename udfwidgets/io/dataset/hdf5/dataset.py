"""Scans in HDF5 files, read without HDF5's lock wherever the storage allows it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.dataset.hdf5.chunks import KnownIndices, check_promise
from udfwidgets.io.dataset.hdf5.families import (
    corrections_of,
    folded_corrections,
    note_on_master,
    scales_without_single,
    scan_shape_of,
    sig_dims_of,
    without_single,
)
from udfwidgets.io.dataset.hdf5.find import find_dataset, is_scan, numbered, walk
from udfwidgets.io.dataset.hdf5.pixels import metadata_of
from udfwidgets.io.dataset.hdf5.source import (
    block_of,
    is_by_itself,
    open_joined,
    open_turned,
    read_image,
)
from udfwidgets.io.dataset.hdf5.turned import stored_shape, turned_axes
from udfwidgets.io.dataset.hdf5.virtual import check_circle
from udfwidgets.io.layout.files import PathLike, existing_file
from udfwidgets.io.layout.folding import fold, split_axes
from udfwidgets.io.source import Source
from udfwidgets.warned import warn

if TYPE_CHECKING:
    from collections.abc import Iterator


class H5DataSet(FoldedDataSet):
    """A dataset in an HDF5 file: plain, NeXus, EMD, py4DSTEM, hspy or DECTRIS.

    Contiguous data are memory-mapped. Chunks are read and decoded in the worker threads for
    gzip, shuffle, LZF, LZ4, Blosc, Zstd and Bitshuffle (also with LZ4 or Zstd). Everything else
    that HDF5 can read is read through h5py, one thread at a time, and a line is logged.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    ds_path : str, optional
        Path of the dataset in the file. Without it, what NeXus or EMD attributes point at is
        taken, or else the largest dataset of the highest rank; the others are logged, and `ds_path`
        and the repr tell which one it is. If it is a group of stacks named
        `data_000001` and so on, as in DECTRIS master files, they are joined.
    nav_shape, sig_shape : sequence of int, optional
        Scan and detector axes to fold the array into, such as a stack of three axes. Of a scan with
        more frames, some are missing.
    sig_dims : int, optional
        How many of the last axes belong to the detector. By default as NeXus or hyperspy tell, else
        two.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.

    Raises
    ------
    DataSetException
        If the file is not a complete HDF5 file, if it is not clear which dataset is meant, or if
        a file that it links to is missing.
    """

    def __init__(
        self,
        path: PathLike,
        ds_path: str | None = None,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sig_dims: int | None = None,
        *,
        sync_offset: int = 0,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        self._path = existing_file(path)
        with _opened(self._path) as file:
            notes: tuple[str, ...] = ()
            if ds_path is None:
                ds_path, notes = find_dataset(self._path, file)
            self._ds_path = ds_path
            members = _members(self._path, file, self._ds_path)
            notes += _lost(self._path, file, self._ds_path)
            where = f"{self._path}:{self._ds_path}"
            self._axes = turned_axes(file, self._ds_path)
            self._stored, self._stored_dtype = _common(where, members)
            if self._axes is not None:
                self._stored = stored_shape(members[0], self._axes)
            if sig_dims is None:
                sig_dims = sig_dims_of(file, ds_path)
            nav, sig = split_axes(where, self._stored, sig_dims, sig_shape)
            self._sig_dims = len(sig)
            scales = metadata_of(file, ds_path, self._sig_dims, self._axes)
            self._metadata = scales_without_single(scales, nav)
            n_stored = int(np.prod(nav, dtype=object))
            told = scan_shape_of(file, ds_path, n_stored) if len(nav) == 1 else None
            self._corrections = corrections_of(file, ds_path, sig, read_image)
            folded = fold(
                where,
                n_stored,
                sig,
                told or without_single(nav),
                nav_shape=nav_shape,
                sig_shape=sig_shape,
                sync_offset=sync_offset,
                flyback=flyback,
                snake=snake,
            )
            self._block = 1 if self._axes is not None else block_of(members[0], self._sig_dims)
            self._is_by_itself = all(is_by_itself(self._path, member) for member in members)
        self._known = KnownIndices()
        beside = note_on_master(self._path)
        super().__init__(where, folded, self._stored_dtype, beside, said=notes)
        self.open().close()  # missing sources and truncated data are found now, not in a run

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
        return self._block

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, if nothing is in others, and HDF5 itself need not keep it open."""
        return (self._path,) if self._is_by_itself else ()

    @property
    def named_files(self) -> tuple[Path, ...]:
        """The file that was named; frames may be in others that it refers to."""
        return (self._path,)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} ds_path={self._ds_path!r}>"

    def open(self) -> Source:
        """Look up how the dataset is stored, and open what can read it."""
        existing_file(self._path)
        with _opened(self._path) as file:
            members = _members(self._path, file, self._ds_path)
            shape, dtype = _common(str(self._path), members)
            found = (stored_shape(members[0], self._axes) if self._axes else shape), dtype
            if found != (self._stored, self._stored_dtype):
                raise DataSetException(
                    f"{self._path}:{self._ds_path} is now {found[0]} {found[1]}, but was "
                    f"{self._stored} {self._stored_dtype} when it was loaded; load it again"
                )
            sig = self.shape.sig.to_tuple()
            if self._axes is not None:
                source = open_turned(members[0], self._axes, self._sig_dims, sig, self._known)
            else:
                source = open_joined(members, self._sig_dims, sig, self._known)
        return self._placed(source)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataSetException(
            f"{path} is not a complete HDF5 file, or cannot be read: {error}"
        ) from error
    try:
        yield file
    except (OSError, RuntimeError, KeyError, UnicodeError) as error:
        # HDF5 reports damaged structures only when it comes to them.
        raise DataSetException(f"{path} is damaged: {error}") from error
    finally:
        file.close()


def _members(path: Path, file: h5py.File, ds_path: str) -> list[h5py.Dataset]:
    """Return the dataset at a path, or the numbered stacks in a group."""
    group = file.get(ds_path)
    names = numbered(group) if isinstance(group, h5py.Group) else []
    if names:
        return [_dataset(path, file, f"{ds_path.rstrip('/')}/{name}") for name in names]
    return [_dataset(path, file, ds_path)]


def _lost(path: Path, file: h5py.File, ds_path: str) -> tuple[str, ...]:
    """Tell which of the numbered stacks in a group are not there, if some are missing between."""
    group = file[ds_path]
    if not isinstance(group, h5py.Group):
        return ()
    numbers = [int(name[-6:]) for name in numbered(group)]
    lost = sorted({*range(numbers[0], numbers[-1])} - {*numbers})
    if not lost:
        return ()
    note = (
        f"{path}:{ds_path} has stacks {numbers[0]} to {numbers[-1]}, but not {lost[:10]}: their "
        "frames are left out, and those behind them come too early"
    )
    warn(note)
    return (note,)


def _common(
    where: str, members: list[h5py.Dataset]
) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Return the shape of all members joined along the first axis, and their dtype."""
    first = members[0]
    for member in members[1:]:
        if member.shape[1:] != first.shape[1:] or member.dtype != first.dtype:
            raise DataSetException(
                f"{where}: {member.name} has shape {member.shape} and dtype {member.dtype}, "
                f"expected frames like those of {first.name}, {first.shape} {first.dtype}"
            )
    if len(members) == 1:
        return first.shape, first.dtype
    return (sum(member.shape[0] for member in members), *first.shape[1:]), first.dtype


def _dataset(path: Path, file: h5py.File, ds_path: str) -> h5py.Dataset:
    try:
        dataset = file[ds_path]
    except (KeyError, OSError, ValueError) as error:
        listed = ", ".join(name for name, d in walk(path, file) if is_scan(d))
        raise DataSetException(
            f"{path} has no dataset {ds_path!r} ({error}), expected one of: {listed or 'none'}"
        ) from error
    if isinstance(dataset, h5py.Dataset):
        check_circle(Path(dataset.file.filename), dataset)
    else:
        raise DataSetException(
            f"{path}: ds_path={ds_path!r} is a group of {list(dataset)[:10]}, expected a dataset"
        )
    if dataset.dtype.kind not in "buifc" or dataset.shape is None:
        raise DataSetException(
            f"{path}: {ds_path} has dtype {dataset.dtype} and shape {dataset.shape}, "
            "expected an array of numbers"
        )
    check_promise(f"{path}:{ds_path}", dataset)
    return dataset
