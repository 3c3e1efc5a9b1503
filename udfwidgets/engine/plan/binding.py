"""Binding: copies of UDFs that know the dataset which they work on."""

from __future__ import annotations

import copy
from dataclasses import replace

from udfwidgets.buffers import BoolArray
from udfwidgets.engine.plan.partitions import Plan
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.udf.base import (
    UDF,
    UDFMeta,
    check_choices,
    declare,
    input_dtype_of,
    parameters_of,
)
from udfwidgets.udf.contract.auxiliary import shown_params
from udfwidgets.udf.contract.views import Views


def bound(udf: UDF, plan: Plan, corrections: CorrectionSet | None, run_key: str) -> UDF:
    """Return a copy of a UDF that knows the dataset and has declared its buffers."""
    udf = copy.copy(udf)
    check_choices(udf)
    meta = UDFMeta(
        dataset_shape=plan.shape,
        dataset_dtype=plan.dtype,
        input_dtype=input_dtype_of(udf, plan.corrected_dtype),
        roi=plan.roi,
        tiling_scheme=plan.scheme,
        frames=plan.frames,
        missing=plan.missing,
        corrections=corrections,
        run_key=run_key,
    )
    declare(udf, meta)
    return udf


def at_rest(udf: UDF, plan: Plan, damage: BoolArray | None = None) -> UDF:
    """Return a copy of a UDF that knows the dataset but is at no partition."""
    # A shallow copy: it keeps attributes that were set after the UDF was made.
    resting = copy.copy(udf)
    resting.meta = replace(udf.meta, valid_nav=damage, in_hand=(0, plan.n_selected))
    resting.params = shown_params(parameters_of(udf), plan.shape, plan.roi)
    resting.task_data = Views({}, {})
    return resting
