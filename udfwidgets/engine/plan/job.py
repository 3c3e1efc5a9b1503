"""A job: several UDFs over one dataset, checked and resolved, before any work is done."""

from __future__ import annotations

import itertools
import os
import uuid
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from udfwidgets.engine.plan.binding import bound
from udfwidgets.engine.plan.order import Order, Sight, check_order
from udfwidgets.engine.plan.partitions import READ_BYTES, Plan
from udfwidgets.engine.plan.roi import resolve_roi
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.origin import DataOrigin
from udfwidgets.udf.base import UDF, UDFMethod, parameters_of
from udfwidgets.udf.compiled.frames import TILE_BYTES, frame_loops

# A UDF that looks at single frames gets so many at first; the number grows at each partition.
FIRST_FRAMES = 8
# And where nobody looks before the end, compiled UDFs get so much at first: some 20 ms' worth, and
# of a slow disk no more than a dashboard can wait for.
UNWATCHED_BYTES = 256 * 1024 * 1024

_PROCESS = uuid.uuid4().hex
_runs = itertools.count()
# Of data in memory: made anew, it takes 3 % of a short run.
_origins: weakref.WeakKeyDictionary[DataSet, DataOrigin] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Job:
    """What was asked for. Make one with `of`.

    Attributes
    ----------
    dataset : DataSet
        What to read.
    udfs : tuple of UDF
        Bound to the dataset: copies of what the user gave.
    plan : Plan
        Which frames, in which tiles.
    corrections : CorrectionSet or None
        Applied to the data first.
    order : {'scan', 'progressive'} or None
        In which the scan has to be visited: as recorded, or from coarse to fine. None for as it
        comes, if other runs read the same dataset.
    preferred_order : {'scan', 'progressive'}
        In which it is visited otherwise.
    run_key : str
        Of its UDFs, see `UDFMeta`.
    sight : Sight or None
        What comes first, where it is visited from coarse to fine and shares that with nobody.
    """

    dataset: DataSet
    udfs: tuple[UDF, ...]
    plan: Plan
    corrections: CorrectionSet | None
    order: Order | None
    preferred_order: Order
    run_key: str
    sight: Sight | None = None

    @classmethod
    def of(
        cls,
        dataset: DataSet,
        udfs: Sequence[UDF],
        roi: Any = None,
        *,
        corrections: CorrectionSet | None = None,
        tile_depth: int | None = None,
        order: Order | None = None,
        preferred_order: Order = "scan",
        sight: Sight | None = None,
    ) -> Job:
        """Check and resolve what was asked for.

        Parameters
        ----------
        dataset, order, preferred_order, sight
            As the attributes.
        udfs : sequence of UDF
            They are copied: the same instances may be in several jobs at once.
        roi : object
            Which scan positions, in any form that `resolve_roi` takes.
        corrections : CorrectionSet, optional
            By default those that the dataset itself declares.
        tile_depth : int, optional
            Frames in a tile; by default as many as fit into the cache.

        Raises
        ------
        TypeError, ValueError
            If `udfs`, `roi` or `order` are not what they should be.
        """
        check_order(order)
        if corrections is None:
            corrections = dataset.get_correction_data()
        plan = Plan.of(
            dataset.shape,
            dataset.dtype,
            dataset.frames_per_block,
            resolve_roi(roi, dataset.shape.nav),
            tile_depth,
            corrections,
            dataset.missing,
            _origin_of(dataset),
        )
        # Of this process, which may have been forked; a UUID for each run takes 1 % of a short one.
        run_key = f"{_PROCESS}-{os.getpid()}-{next(_runs)}"
        copies = tuple(bound(udf, plan, corrections, run_key) for udf in udfs)
        if order is None and any(udf.get_method() is UDFMethod.PARTITION for udf in copies):
            order = "scan"  # frames that follow each other are what it is made for
        if not tile_depth:
            preferences = [_tiling_of(udf) for udf in copies]
            plan = plan.with_tiles_for(preferences, [udf.meta.input_dtype for udf in copies])
        return cls(dataset, copies, plan, corrections, order, preferred_order, run_key, sight)

    def with_parameters(self, parameters: Sequence[Mapping[str, Any]]) -> Job:
        """Return the job with other parameters of its UDFs, and the same plan.

        Parameters
        ----------
        parameters : sequence of mapping
            One per UDF, of parameters to change.

        Raises
        ------
        ValueError
            If there is not one per UDF, or results would have other shapes or dtypes.
        """
        changed = self._changed(parameters)
        udfs = tuple(bound(udf, self.plan, self.corrections, self.run_key) for udf in changed)
        for before, after in zip(self.udfs, udfs, strict=True):
            if before.declarations != after.declarations:
                raise ValueError(
                    f"with these parameters the results of {type(after).__name__} would have other "
                    "names, shapes or dtypes than those it has begun with: start a new run"
                )
        return replace(self, udfs=udfs)

    def anew(self, parameters: Sequence[Mapping[str, Any]] | None = None) -> Job:
        """Return the job resolved once more, with other parameters where they are given."""
        return Job.of(
            self.dataset,
            self._changed([{}] * len(self.udfs) if parameters is None else parameters),
            self.plan.roi,
            corrections=self.corrections,
            order=self.order,
            preferred_order=self.preferred_order,
            sight=self.sight,
        )

    def _changed(self, parameters: Sequence[Mapping[str, Any]]) -> list[UDF]:
        if len(parameters) != len(self.udfs):
            raise ValueError(
                f"got parameters for {len(parameters)} UDFs, this run has {len(self.udfs)}: "
                "give one dict per UDF, an empty one where nothing changes"
            )
        return [
            type(udf)(**{**parameters_of(udf), **new})
            for udf, new in zip(self.udfs, parameters, strict=True)
        ]

    @property
    def is_compiled(self) -> bool:
        """Whether no UDF brings Python code of a user's."""
        return all("fused_step" in vars(type(udf)) for udf in self.udfs)

    def first_partition(self, workers: int) -> int:
        """Return how many frames to begin with: few where Python may need long for each."""
        n_frames, depth = self.plan.n_frames, self.plan.tile_depth
        if n_frames <= depth and self.is_compiled:
            return n_frames  # compiled code is through with them before another thread is awake
        by_tile = all(udf.get_method() is UDFMethod.TILE for udf in self.udfs)
        return min(depth if by_tile else FIRST_FRAMES, depth, -(-n_frames // workers))

    def unwatched_partition(self, workers: int, most: int = UNWATCHED_BYTES) -> int:
        """Return how many frames to begin with where nobody waits for a first picture.

        Parameters
        ----------
        workers : int
            Who share the run.
        most : int
            Bytes of these frames.
        """
        first = self.first_partition(workers)
        if not self.is_compiled:
            return first
        room = max(1, most // max(self.plan.frame_bytes, 1))
        return max(first, min(room, self.plan.n_frames // (2 * workers)))

    @property
    def largest_partition(self) -> int:
        """How many frames may be in memory at once, if a UDF wants to see them so."""
        if any(udf.get_method() is UDFMethod.PARTITION for udf in self.udfs):
            return max(1, READ_BYTES // max(self.plan.frame_bytes, 1))
        return max(1, self.plan.n_frames)


def _tiling_of(udf: UDF) -> Mapping[str, Any]:
    """Return what a UDF prefers; those whose frames are seen in compiled code want large tiles."""
    is_usual = type(udf).get_tiling_preferences is UDF.get_tiling_preferences
    if is_usual and udf.get_method() is UDFMethod.FRAME and frame_loops(type(udf)):
        return {"depth": UDF.TILE_DEPTH_DEFAULT, "total_size": TILE_BYTES}
    return udf.get_tiling_preferences()


def _origin_of(dataset: DataSet) -> DataOrigin:
    """Return what is remembered of a dataset; not itself, which may be an array in memory."""
    known, calibration = _origins.get(dataset), dataset.calibration
    if known is not None and known.calibration is calibration:
        return known
    shape, paths = dataset.shape, dataset.named_files
    made = DataOrigin(repr(dataset), shape.nav.axes, shape.sig.axes, paths, calibration)
    if not paths:  # files are looked at for each run
        _origins[dataset] = made
    return made
