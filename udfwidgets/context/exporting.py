"""Where all frames of a dataset are written to: a file of their own until they are whole."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.calibration import Scale
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.telling import is_zarr
from udfwidgets.io.writing.outline import Axes, Outline, Writer
from udfwidgets.replacing import replacing, replacing_folder
from udfwidgets.udf.base import UDF
from udfwidgets.udf.record import RecordUDF
from udfwidgets.warned import warn

# Zeros for positions without a frame are written so many bytes at a time.
_PIECE_BYTES = 8 << 20


class WriteUDF(UDF):
    """Hands every frame to a writer, which is in this process.

    Parameters
    ----------
    writer : Writer
        It is called by several threads at once.
    """

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer=writer)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare nothing: the file is all there is."""
        return {}

    def process_tile(self, tile: Array) -> None:
        """Write a tile."""
        self.params.writer.write(self.meta.slice.origin[0], tile)


@contextmanager
def exporting(dataset: DataSet, path: str | os.PathLike[str], overwrite: bool) -> Iterator[UDF]:
    """Check what `Context.export_dataset` was given, and hand out what writes when it is run.

    Raises
    ------
    ValueError, FileExistsError
        As `Context.export_dataset` says.
    """
    target = Path(path).expanduser()
    if target.suffix.lower() not in (".npy", *_WRITERS):
        raise ValueError(
            f"cannot export to {target}: expected a name that ends in .npy, "
            f"{', '.join(sorted(_WRITERS))}"
        )
    for each in _with_others(target):
        _check_target(dataset, each, overwrite)
    missing = dataset.missing
    if missing is not None:
        warn(
            f"{np.count_nonzero(missing)} of {dataset.shape.nav.size} frames are "
            f"missing, and zeros in {target}"
        )
    with ExitStack() as stack:
        if target.suffix.lower() == ".npy":
            yield RecordUDF(stack.enter_context(replacing(target, overwrite=overwrite)))
            return
        with _opened(target, stack, overwrite, _outline(dataset)) as writer:
            yield WriteUDF(writer)
            if missing is not None:
                _write_zeros(writer, dataset, missing)
            writer.finish()


def _with_others(target: Path) -> tuple[Path, ...]:
    """Return all files that are written for one."""
    if target.suffix.lower() in (".mib", ".hdr"):
        return target.with_suffix(".hdr"), target.with_suffix(".mib")
    return (target,)


def _check_target(dataset: DataSet, target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    own = {*dataset.files, *(v for v in vars(dataset).values() if isinstance(v, Path))}
    if any(path.exists() and path.samefile(target) for path in own):
        raise ValueError(f"{target} is what is read: export to another name")
    if not overwrite:
        raise FileExistsError(f"{target} exists: pass overwrite=True to replace it")
    if target.is_dir() and not (target.suffix.lower() == ".zarr" and is_zarr(target)):
        raise FileExistsError(f"{target} is a directory that is no Zarr store: remove it first")


def _outline(dataset: DataSet) -> Outline:
    dtype = dataset.dtype
    if dataset.get_correction_data().have_corrections():
        dtype = np.result_type(np.float32, dtype)
    known, shape = dataset.calibration, dataset.shape
    nav, sig = known.scales("nav", shape.nav.dims), known.scales("sig", shape.sig.dims)
    return Outline(shape, dtype, _axes(nav), _axes(sig))


def _axes(scales: Sequence[Scale | None]) -> Axes:
    """Return how large pixels are, nothing where that is not known of all axes."""
    known = tuple((scale.size, scale.unit) for scale in scales if scale is not None)
    return known if len(known) == len(scales) else ()


def _write_zeros(writer: Writer, dataset: DataSet, missing: npt.NDArray[np.bool_]) -> None:
    """Write frames for all positions that have none."""
    dtype = dataset.dtype
    most = max(1, _PIECE_BYTES // (dataset.shape.sig.size * dtype.itemsize))
    zeros = np.zeros((most, *dataset.shape.sig.to_tuple()), dtype)
    numbers = np.flatnonzero(missing)
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        for begin in range(0, len(run), most):
            part = run[begin : begin + most]
            writer.write(int(part[0]), zeros[: len(part)])


def _opened(target: Path, stack: ExitStack, overwrite: bool, outline: Outline) -> Writer:
    """Return what writes a file, under other names that the stack turns into the right ones."""
    # Imported by who exports: all of them take a part of the time in which a Context is imported.
    opens: Callable[..., Writer] = pkgutil.resolve_name(_WRITERS[target.suffix.lower()])
    if target.suffix.lower() == ".zarr":
        return opens(stack.enter_context(replacing_folder(target, overwrite=overwrite)), outline)
    # A header is entered first, so that it gets its name last: with it, the scan is there.
    names = [stack.enter_context(replacing(n, overwrite=overwrite)) for n in _with_others(target)]
    return opens(*names, outline)


_WRITERS = {
    **dict.fromkeys((".h5", ".hdf5", ".nxs"), "udfwidgets.io.writing.hdf5:HDF5Writer"),
    **dict.fromkeys((".mib", ".hdr"), "udfwidgets.io.writing.merlin:MerlinWriter"),
    ".blo": "udfwidgets.io.writing.blo:BloWriter",
    ".zarr": "udfwidgets.io.writing.zarr:ZarrWriter",
}
