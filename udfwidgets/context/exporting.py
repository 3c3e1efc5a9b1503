"""Where all frames of a dataset are written to: a file of their own until they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from udfwidgets.io.dataset.base import DataSet
from udfwidgets.replacing import replacing
from udfwidgets.warned import warn


@contextmanager
def target_of(dataset: DataSet, path: str | os.PathLike[str], overwrite: bool) -> Iterator[Path]:
    """Check what `Context.export_dataset` was given, and hand out a name to write to.

    Raises
    ------
    ValueError, FileExistsError
        As `Context.export_dataset` says.
    """
    target = Path(path).expanduser()
    if target.suffix != ".npy":
        raise ValueError(f"cannot export to {target}: expected a name that ends in .npy")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists: pass overwrite=True to replace it")
    if dataset.missing is not None:
        warn(
            f"{np.count_nonzero(dataset.missing)} of {dataset.shape.nav.size} frames are "
            f"missing, and zeros in {target}"
        )
    with replacing(target, overwrite=overwrite) as unfinished:
        yield unfinished
