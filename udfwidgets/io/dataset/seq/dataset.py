"""Opens sequences as datasets."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from udfwidgets.errors import DataSetException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.seq.beside import frames_per_buffer, image_beside, settings_path
from udfwidgets.io.dataset.seq.halves import Halves, HalvesSource, both_halves, missing_half
from udfwidgets.io.dataset.seq.header import frames_in, pixels_of, read_header
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import check_unchanged
from udfwidgets.io.layout.folding import axes
from udfwidgets.io.source import Array, Source
from udfwidgets.names import further


class SEQDataSet(StridedFile):
    """Frames in a `.seq` file, which tells no scan shape, or in the two of a Celeritas.

    Takes the parameters of a `StridedFile`. Of a Celeritas, either half is named; where no settings
    of the camera are beside them, `sig_shape` tells how high a whole frame is.

    Raises
    ------
    DataSetException
        If it is not such a file, holds no frame, or frames that are compressed or coloured; or if
        two halves do not belong together.
    """

    #: Whether the halves of a Celeritas can be put together.
    _joins = True
    _halves: Halves | None = None

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        found = both_halves(path)
        if found is not None:
            return self._find_halves(*found)
        header = read_header(path)
        piece, rest = frames_in(path, header)
        notes = [f"the last {rest} bytes are no whole frame, and are left out"] if rest > 0 else []
        if missing := missing_half(path):
            notes.append(f"there is no {missing} beside it, and these may be halves of frames")
        sig = (header["height"], header["width"])
        self._look_beside(path, path.stem.removesuffix(".seq"), sig)
        return Layout([piece], sig, pixels_of(header), None, notes, header)

    def _find_halves(self, name: str, *paths: Path) -> Layout:
        if not self._joins:
            raise DataSetException(
                f"{paths[0]} and {paths[1].name} are halves of the same frames, which cannot be "
                "followed; load them without follow=True when they are complete"
            )
        header, other = (read_header(path) for path in paths)
        for what in ("width", "height", "bits"):
            if header[what] != other[what]:
                raise DataSetException(
                    f"{paths[0]} and {paths[1].name} have the {what} {header[what]} and "
                    f"{other[what]}, expected the same of two halves; move one away to read the "
                    "other by itself"
                )
        (top, _), (bottom, _) = (frames_in(path, header) for path in paths)
        n_buffers = min(top.n_frames, bottom.n_frames)
        notes = []
        if top.n_frames != bottom.n_frames:
            notes = [f"the halves have {top.n_frames} and {bottom.n_frames} buffers"]
        per_buffer = self._per_buffer(settings_path(paths[0], name), header)
        top, bottom = (replace(piece, n_frames=n_buffers) for piece in (top, bottom))
        self._halves = Halves(top, bottom, per_buffer)
        sig = (2 * header["height"] // per_buffer, header["width"])
        self._look_beside(paths[0], name, sig)
        # As many as there are frames: where they are, `open` finds in the halves.
        counted = replace(top, n_frames=self._halves.n_frames)
        return Layout([counted], sig, pixels_of(header), None, notes, header)

    def _per_buffer(self, settings: Path, header: dict[str, Any]) -> int:
        """Return how many frames are in a buffer: by the settings, or by the size of a frame."""
        height, width = header["height"], header["width"]
        told = frames_per_buffer(settings)
        if told is None and self._asked_sig is not None:
            told = 2 * height * width // math.prod(axes(self._asked_sig, "sig_shape"))
        if told is None:
            raise DataSetException(
                f"{settings} is not there, expected it to tell how many frames are in the "
                f"buffers of {height} x {width} pixels; pass sig_shape=(rows, {width}) of a frame"
            )
        if not told or height % told:
            raise DataSetException(
                f"{settings.name.removesuffix('.Config.Metadata.xml')} would have {told} frames in "
                f"buffers of {height} rows, expected a part of them"
            )
        return told

    def _look_beside(self, path: Path, name: str, sig: tuple[int, int]) -> None:
        self._beside = {kind: image_beside(path, name, kind, sig) for kind in ("dark", "gain")}

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, or both halves."""
        if self._halves is None:
            return super().files
        return (self._halves.top.path, self._halves.bottom.path)

    def open(self) -> Source:
        """Map the files."""
        if self._halves is None:
            return super().open()
        for piece in self._halves[:2]:
            check_unchanged(piece.path, piece.n_bytes)
        sig = self.shape.sig.to_tuple()
        width = int(self._metadata["width"])
        stored = (int(self._metadata["height"]) // self._halves.per_buffer, width)
        return self._placed(HalvesSource(self._halves, self._stored_dtype, stored, sig))

    def get_correction_data(self) -> CorrectionSet:
        """Return the dark and the gain image that are beside the file."""
        return CorrectionSet(dark=self._image("dark"), gain=self._image("gain"))

    def _image(self, kind: str) -> Array | None:
        image = self._beside[kind]
        return None if image is None else image.reshape(self.shape.sig.to_tuple())


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
