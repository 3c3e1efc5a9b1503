"""Scans, stacks and single images of DigitalMicrograph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.dm.images import Image, find_image
from udfwidgets.io.dataset.dm.tags import read_tags
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.layout.files import PathLike, check_unchanged, map_array, size_of
from udfwidgets.io.layout.records import whole_frames
from udfwidgets.io.layout.strided import Piece
from udfwidgets.io.source import Source

_A_GUESS = (
    "nothing tells whether the frames lie one after the other; older versions write all values of "
    "a pixel together, which is what was taken: if that is wrong, pass force_c_order=True"
)


class DMDataSet(StridedFile):
    """An image of three or four axes, or two, in a `.dm3` or `.dm4` file.

    Where all values of a pixel lie together, as older versions write scans, frames are put together
    from all over the file, which is slow.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    nav_shape, sig_shape : sequence of int, optional
        Scan and detector axes in place of those that the file tells.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    force_c_order : bool, default False
        The frames lie one after the other, whatever the file tells.
    dataset_index : int, optional
        Which image, where the file has several; 0 most often is a thumbnail.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.

    Raises
    ------
    DataSetException
        If it is not such a file, is truncated, or has several images that could be meant.
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int = 0,
        *,
        force_c_order: bool = False,
        dataset_index: int | None = None,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        self._asked = force_c_order, dataset_index
        super().__init__(path, nav_shape, sig_shape, sync_offset, flyback=flyback, snake=snake)

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        order, tags = read_tags(path)
        force_c_order, dataset_index = self._asked
        self._image = image = find_image(path, order, tags, dataset_index)
        self._is_turned = not force_c_order and image.is_turned is not False
        sig, nav = image.shape[-image.sig_dims :], image.shape[: -image.sig_dims] or (1,)
        if self._is_turned:
            sig, nav = image.shape[: image.sig_dims], image.shape[image.sig_dims :] or (1,)
        n_bytes, frame_bytes = size_of(path), math.prod(sig) * image.dtype.itemsize
        promised = math.prod(nav)
        n_stored, notes = whole_frames(
            path, n_bytes, image.offset, frame_bytes, frame_bytes, promised
        )
        if self._is_turned and n_stored < promised:
            raise DataSetException(
                f"{path} has {n_bytes} bytes, expected {image.shape} pixels from byte "
                f"{image.offset}; the file is truncated"
            )
        if self._is_turned and image.is_turned is None:
            notes = [*notes, _A_GUESS]
        piece = Piece(path, n_bytes, image.offset, frame_bytes, n_stored)
        metadata = _metadata(image, self._is_turned)
        return Layout([piece], sig, image.dtype, nav, notes, metadata)

    def open(self) -> Source:
        """Map the file."""
        if not self._is_turned:
            return super().open()
        image, (piece,) = self._image, self._pieces
        check_unchanged(piece.path, piece.n_bytes)
        stored = map_array(piece.path, image.dtype, image.offset, image.shape)
        n_sig = image.sig_dims
        turned = np.moveaxis(stored, range(n_sig), range(-n_sig, 0))
        return self._placed(CopiedSource(turned, n_sig, self.shape.sig.to_tuple()))


def _metadata(image: Image, is_turned: bool) -> dict[str, Any]:
    n_sig = image.sig_dims
    sig = slice(n_sig) if is_turned else slice(-n_sig, None)
    nav = slice(n_sig, None) if is_turned else slice(-n_sig)
    told: dict[str, Any] = {"dataset_index": image.index}
    for name, axes in (("nav", nav), ("sig", sig)):
        told[f"{name}_scales"] = image.scales[axes]
        told[f"{name}_origins"] = image.origins[axes]
        told[f"{name}_units"] = image.units[axes]
    return told
