"""What a user asked for, resolved against a dataset, and the partitions it is done in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from udfwidgets.buffers import BoolArray
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.io.corrections import CorrectionSet, Corrector
from udfwidgets.origin import DataOrigin
from udfwidgets.shapes import Shape, Slice

# A tile is read by one UDF after the other while it is in the second-level cache of a core.
TILE_BYTES = 1024 * 1024
# A bound for tiny frames: the kernels add up so many in 32 bits without overflow.
TILE_FRAMES = 16384
# The most that a worker decodes at once, unless one frame or one chunk row is larger.
READ_BYTES = 64 * 1024 * 1024


def deepest(n_bytes: int, frame_bytes: int) -> int:
    """Return how many frames fit into a tile of a size; at least one."""
    return min(max(1, n_bytes // max(frame_bytes, 1)), TILE_FRAMES)


@dataclass(frozen=True, eq=False)
class Partition:
    """Selected frames that are worked on, and merged, together.

    They follow each other, except in a scan that is visited from coarse to fine.

    Attributes
    ----------
    start, stop : int
        From the first one to the last one (exclusive), counted among the selected frames.
    rows : numpy.ndarray of int or None
        Which ones, ascending and counted in the same way; None for all from start to stop.
    """

    start: int
    stop: int
    rows: Frames | None = None

    @classmethod
    def of(cls, rows: Frames) -> Partition:
        """Return the partition of some selected frames, in ascending order."""
        start, stop = int(rows[0]), int(rows[-1]) + 1
        # A slice where it can be one: buffers are then merged through views, without a copy.
        return cls(start, stop, None if stop - start == len(rows) else rows)

    @property
    def index(self) -> slice | Frames:
        """What picks the partition's rows out of an array with one row per selected frame."""
        return slice(self.start, self.stop) if self.rows is None else self.rows

    def __len__(self) -> int:
        return self.stop - self.start if self.rows is None else len(self.rows)


@dataclass(frozen=True, eq=False)
class Plan:
    """What the user asked for, resolved against a dataset.

    Parameters
    ----------
    shape : Shape
        Of the dataset.
    dtype : numpy.dtype
        Of the dataset.
    frames_per_block : int
        Frames that the file stores together.
    roi : numpy.ndarray of bool or None
        Of nav shape.
    frames : numpy.ndarray of int or None
        Numbers of the selected frames; None for all of them.
    missing : numpy.ndarray of bool or None
        Scan positions without a frame, of nav shape. Nav buffers have rows for those that are
        selected, too, but nothing is done for them.
    tile_depth : int
        Frames in a tile.
    scheme : tuple of Slice
        The parts of the detector that tile UDFs get one after the other.
    corrector : Corrector or None
        Puts the data right before a UDF sees them.
    data : DataOrigin or None
        What is written down of the dataset.
    """

    shape: Shape
    dtype: np.dtype[Any]
    frames_per_block: int
    roi: BoolArray | None
    frames: Frames | None
    missing: BoolArray | None
    tile_depth: int
    scheme: tuple[Slice, ...]
    corrector: Corrector | None = None
    data: DataOrigin | None = None

    @classmethod
    def of(
        cls,
        shape: Shape,
        dtype: np.dtype[Any],
        frames_per_block: int = 1,
        roi: BoolArray | None = None,
        tile_depth: int | None = None,
        corrections: CorrectionSet | None = None,
        missing: BoolArray | None = None,
        data: DataOrigin | None = None,
    ) -> Plan:
        """Resolve what was asked for; `tile_depth` is chosen to fit the cache where not given."""
        wanted = corrections is not None and corrections.have_corrections()
        return cls(
            shape=shape,
            dtype=dtype,
            frames_per_block=frames_per_block,
            roi=roi,
            frames=None if roi is None else np.flatnonzero(roi),
            missing=missing,
            tile_depth=tile_depth or deepest(TILE_BYTES, shape.sig.size * dtype.itemsize),
            scheme=(Slice((0,) * shape.sig.dims, shape.sig),),
            corrector=corrections.resolve(shape.sig, dtype) if corrections and wanted else None,
            data=data,
        )

    @property
    def corrected_dtype(self) -> np.dtype[Any]:
        """Of the data that UDFs are made for: the dataset's, unless it is corrected."""
        return self.dtype if self.corrector is None else self.corrector.dtype

    def with_tiles_for(
        self, preferences: Sequence[Mapping[str, Any]], dtypes: Iterable[np.dtype[Any]] = ()
    ) -> Plan:
        """Return the plan with tiles as UDFs prefer them, no deeper than any of them wants.

        Parameters
        ----------
        preferences : sequence of mapping
            What `UDF.get_tiling_preferences` of each UDF returned.
        dtypes : iterable of dtype
            What they want the data in: a tile and what it is converted to share the cache.
        """
        widest = max((d.itemsize for d in dtypes if d != self.dtype), default=self.dtype.itemsize)
        # Both have to stay in the cache: `frame.max()` as float32 4.7 -> 5.0 GB/s. Larger tiles
        # would spare changes of turns, and miss the cache (docs/decisions/040-turns.md).
        both = self.shape.sig.size * (self.dtype.itemsize + widest)
        plan = replace(self, tile_depth=min(self.tile_depth, deepest(2 * TILE_BYTES, both)))
        wishes = [plan._depth_for(preference) for preference in preferences]
        return replace(plan, tile_depth=min(wishes, default=plan.tile_depth))

    def _depth_for(self, preference: Mapping[str, Any]) -> int:
        depth = preference.get("depth", "default")
        size = preference.get("total_size", "best_fit")
        roomy = deepest(READ_BYTES, self.frame_bytes)
        if isinstance(size, str):
            # The size is up to us: what fits the cache, unless a depth is asked for.
            return self.tile_depth if isinstance(depth, str) else max(1, int(min(depth, roomy)))
        room = deepest(int(min(size, READ_BYTES)), self.frame_bytes)
        return room if isinstance(depth, str) else max(1, int(min(depth, room)))

    @cached_property
    def cuts(self) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
        """What the parts of the scheme cut out of the detector axes, and out of a tile."""
        return [(box.get(), (slice(None), *box.get())) for box in self.scheme]

    @cached_property
    def n_selected(self) -> int:
        """How many scan positions are selected: each has a row in nav buffers."""
        return self.shape.nav.size if self.frames is None else len(self.frames)

    @property
    def wanted(self) -> BoolArray | None:
        """The positions that are selected and have a frame, of nav shape; None for all."""
        return self.roi if self.missing is None else self._there[0]

    @property
    def n_frames(self) -> int:
        """How many frames there are at the selected positions."""
        return self.n_selected if self.missing is None else self._there[1]

    @cached_property
    def _there(self) -> tuple[BoolArray, int]:
        """The selected positions that have a frame, and how many."""
        assert self.missing is not None, "only asked for where frames are missing"
        there = ~self.missing if self.roi is None else self.roi & ~self.missing
        return there, int(np.count_nonzero(there))

    @property
    def frame_bytes(self) -> int:
        """Size of one frame."""
        return self.shape.sig.size * self.dtype.itemsize

    def rows_of(self, frames: Frames) -> Frames:
        """Return where selected frames are among all selected frames."""
        return frames if self.frames is None else np.searchsorted(self.frames, frames)

    def frames_of(self, partition: Partition) -> Frames:
        """Return the numbers of a partition's frames."""
        if self.frames is not None:
            return self.frames[partition.index]
        if partition.rows is not None:
            return partition.rows
        return np.arange(partition.start, partition.stop)
