"""The contract of a user-defined function.

A UDF declares buffers and says what one tile, one frame or one partition adds to them. Everything
else - reading, parallel work, merging, drawing - is the engine's.

::

    class MaxUDF(UDF):
        def get_result_buffers(self):
            return {"maximum": self.buffer(kind="sig", dtype="float32")}

        def process_frame(self, frame):
            self.results.maximum[:] = np.maximum(self.results.maximum, frame)

        def merge(self, dest, src):
            dest.maximum[:] = np.maximum(dest.maximum, src.maximum)

One instance is never at work in two places: the engine makes a copy for every partition.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration, BufferWrapper, UDFResults
from udfwidgets.errors import UDFException, text_of
from udfwidgets.masked import blanked, left_out, without_mask
from udfwidgets.names import further
from udfwidgets.told.names import Listed
from udfwidgets.told.values import called
from udfwidgets.udf.contract.auxiliary import AuxData, shown_params
from udfwidgets.udf.contract.backends import Backends
from udfwidgets.udf.contract.meta import UDFMeta
from udfwidgets.udf.contract.views import Views

__all__ = ["UDF", "NoOpUDF", "UDFException", "UDFMeta", "UDFMethod", "UDFResults"]


class UDFMethod(Enum):
    """Which of the `process_*` methods a UDF works with."""

    TILE = "tile"
    FRAME = "frame"
    PARTITION = "partition"


class UDF(Listed, Backends):
    """Base class of all user-defined functions.

    Parameters
    ----------
    **kwargs
        The parameters of the UDF, seen as ``self.params.name`` while it works. A copy of the UDF
        is made by calling its class with them again, so a subclass with an `__init__` of its own
        passes on all that it takes.

    Attributes
    ----------
    params : Views
        The parameters; auxiliary data show the part that belongs to the data in hand.
    results : Views
        The declared buffers, zero at the start; views that belong to the data in hand and write
        through.
    task_data : Views
        What `get_task_data` returned.
    meta : UDFMeta
        Facts about the dataset and the data in hand.
    """

    #: As preferred input dtype: the dataset's own dtype, without a copy.
    USE_NATIVE_DTYPE = np.dtype(bool)
    TILE_SIZE_BEST_FIT = "best_fit"
    TILE_SIZE_MAX = float("inf")
    TILE_DEPTH_DEFAULT = "default"
    TILE_DEPTH_MAX = float("inf")
    UDF_METHOD = UDFMethod

    #: Whether `process_tile` does without knowing which frames it has: such a UDF is also handed
    #: tiles of frames that do not follow each other, when a scan is visited from coarse to fine.
    takes_any_frames = False
    #: What the slices of a result with an `extra_shape` are called where they are shown: with
    #: ``{"intensity": "mask"}`` they are "mask 0", "mask 1".
    slice_names: ClassVar[Mapping[str, str]] = {}
    #: In which colour map a result is shown at first: with ``{"field": "vik"}`` zero is in the
    #: middle of a diverging one.
    colormaps: ClassVar[Mapping[str, str]] = {}
    #: What the values of a result are counted in, where that is known: ``{"field": "px"}``. What
    #: is in pixels of the detector is also told in its unit, where that is known.
    result_units: ClassVar[Mapping[str, str]] = {}
    #: Results with an `extra_shape` of (2,) that are vectors, y and x: each is shown as one image,
    #: the first of them unless a user names another.
    vector_results: ClassVar[Sequence[str]] = ()
    #: Images that are made of the results only when a user asks to see them, by name: functions
    #: that are given the results by name.
    derived_images: ClassVar[Mapping[str, Callable[[Mapping[str, BufferWrapper]], Any]]] = {}

    meta: UDFMeta
    results: Views
    task_data: Views

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs = kwargs
        self.params = Views({}, {}, kwargs)

    # Array libraries that are not here, and what compiled UDFs work together by.
    _unlisted = (
        *(vars(Backends).keys() - {"BACKEND_NUMPY", "BACKEND_ALL"}),
        *("forbuf", "fused_step", "xp"),
    )

    @property
    def slice_titles(self) -> Mapping[str, Sequence[str]]:
        """What each slice of a result is called, where they have names of their own."""
        return {}

    def __repr__(self) -> str:
        return called(type(self).__name__, _chosen(self))

    # What a UDF author writes

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare the results, by name; may look at `self.meta` and `self.params`."""
        raise NotImplementedError(
            f"{type(self).__name__} declares no results: implement get_result_buffers()"
        )

    def get_method(self) -> UDFMethod:
        """Return which `process_*` method is to be used: tile before frame before partition."""
        for method in UDFMethod:
            if callable(getattr(self, f"process_{method.value}", None)):
                return method
        raise TypeError(
            f"{type(self).__name__} has no process_tile, process_frame or process_partition: "
            "implement one of them"
        )

    def get_task_data(self) -> Mapping[str, Any]:
        """Return what is to be prepared once per partition and found at `self.task_data`."""
        return {}

    def preprocess(self) -> None:
        """Prepare the buffers of a partition before it sees data.

        The result that partitions are merged into is prepared in the same way, once and without
        task data: whoever looks for a minimum starts from infinity in both.
        """

    def postprocess(self) -> None:
        """Finish the buffers of a partition after it has seen its data."""

    def merge(self, dest: Views, src: Views) -> None:
        """Fold the buffers of one partition, `src`, into the result so far, `dest`.

        The default copies nav buffers: for them `dest` is the part that belongs to the partition.
        Any other kind needs to be merged by the UDF.
        """
        for name, declaration in self.declarations.items():
            if not declaration.stored:
                continue
            if declaration.kind != "nav":
                raise NotImplementedError(
                    f"{type(self).__name__} has a buffer {name!r} of kind {declaration.kind!r}: "
                    "implement merge(dest, src) to say how partitions add up"
                )
            dest[name][:] = src[name]

    def get_results(self) -> Mapping[str, Any]:
        """Make the results for the user from the merged buffers in `self.results`.

        Returns
        -------
        mapping of str to array
            One entry for each buffer declared as 'result_only', in a dtype of the declared kind,
            and for others that are to be changed; those left out come as they were merged, which
            is what the default gives. An entry can be wrapped by `with_mask`; what is masked in
            a masked array is not valid.
        """
        visible = (name for name, d in self.declarations.items() if d.visible and d.stored)
        return {name: self.results[name] for name in visible}

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Return the dtype to calculate with; it is combined with the dataset's dtype."""
        return np.float32

    def get_tiling_preferences(self) -> Mapping[str, Any]:
        """Return the wished-for 'depth' in frames and 'total_size' in bytes of a tile."""
        return {"depth": self.TILE_DEPTH_DEFAULT, "total_size": self.TILE_SIZE_BEST_FIT}

    def get_backends(self) -> Sequence[str] | str:
        """Return the array libraries the UDF works with."""
        return self.BACKEND_NUMPY

    def cleanup(self) -> None:
        """Give back what `preprocess` or `get_task_data` opened; called once per partition."""

    # What a UDF author uses

    @staticmethod
    def buffer(
        kind: str,
        extra_shape: Sequence[int] | int = (),
        dtype: npt.DTypeLike = "float32",
        where: str | None = None,
        use: str | None = None,
    ) -> BufferDeclaration:
        """Declare a buffer, see `BufferDeclaration` for the parameters."""
        return BufferDeclaration.of(kind, extra_shape, dtype, where, use)

    @staticmethod
    def aux_data(
        data: npt.ArrayLike,
        kind: str,
        extra_shape: Sequence[int] | int = (),
        dtype: npt.DTypeLike = "float32",
    ) -> AuxData:
        """Wrap an array, given as a parameter, that is to be sliced like a buffer of that kind."""
        array = without_mask(data, "aux_data", "pass data.filled(...), and the mask as another")
        return AuxData(np.asarray(array, dtype), BufferDeclaration.of(kind, extra_shape, dtype))

    @staticmethod
    def with_mask(data: npt.ArrayLike, mask: npt.ArrayLike | bool) -> MaskedResult:
        """Attach to a result which of its elements are valid, for use in `get_results`.

        Parameters
        ----------
        data : array_like
            The result. What is masked in a masked array is not valid.
        mask : bool or array_like of bool
            True where valid; it is broadcast to the shape of the result.

        Raises
        ------
        UDFException
            If the mask is not of dtype bool or does not broadcast.
        """
        array, valid = np.asarray(blanked(data)), np.asarray(left_out(mask))
        if valid.dtype != bool:
            raise UDFException(f"the mask of a result is of dtype {valid.dtype}, expected bool")
        try:
            return MaskedResult(array, np.broadcast_to(valid, array.shape) & _known(data))
        except ValueError as error:
            raise UDFException(
                f"a mask of shape {valid.shape} does not fit a result of shape {array.shape}"
            ) from error

    @property
    def xp(self) -> Any:
        """The array library of the data in hand: NumPy."""
        return np

    def forbuf(self, arr: npt.ArrayLike, target: Array) -> Array:
        """Return an array that can be assigned to a buffer; here it is only shaped like it."""
        return np.asarray(arr).reshape(target.shape)

    def copy(self) -> UDF:
        """Return a new instance with the same parameters, not bound to any run.

        Raises
        ------
        UDFException
            If the class takes other parameters than it has passed on to ``super().__init__``.
        """
        try:
            return type(self)(**self._kwargs)
        except TypeError as error:
            passed_on = ", ".join(self._kwargs) or "nothing"
            raise UDFException(
                f"{type(self).__name__} cannot be copied ({text_of(error)}): it has passed on "
                f"{passed_on}; pass all parameters of its __init__ on, as in "
                "super().__init__(name=name)"
            ) from error

    # What the engine uses

    #: The declared buffers, by name, once the UDF is bound to a dataset.
    declarations: Mapping[str, BufferDeclaration]


# What the engine does with a UDF. Functions, so that a subclass may have methods of these names.


def parameters_of(udf: UDF) -> dict[str, Any]:
    """Return the parameters of a UDF as they were given."""
    return dict(udf._kwargs)


def _chosen(udf: UDF) -> dict[str, Any]:
    """Return the parameters that are not the defaults of the class."""
    given = getattr(udf, "_kwargs", {})  # none where its `__init__` forgets that of this class
    defaults = inspect.signature(type(udf).__init__).parameters
    return {
        name: value
        for name, value in given.items()
        if name not in defaults or not _is_default(value, defaults[name].default)
    }


def _is_default(value: Any, default: Any) -> bool:
    plain = isinstance(value, (str, int, float, tuple)) and type(value) is type(default)
    return value is default or (plain and bool(value == default))


def input_dtype_of(udf: UDF, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that a UDF is handed, for a dataset of the given dtype."""
    return np.result_type(udf.get_preferred_input_dtype(), dtype)


def check_choices(udf: UDF) -> None:
    """Raise what is wrong with the method and the array libraries that a UDF chooses."""
    name = type(udf).__name__
    if "_kwargs" not in vars(udf):
        raise UDFException(
            f"{name}.__init__ does not call super().__init__: write super().__init__(name=name) in "
            "it, with all parameters that it takes, or super().__init__() where it takes none"
        )
    offered = udf.get_backends()
    if UDF.BACKEND_NUMPY not in ([offered] if isinstance(offered, str) else offered):
        raise ValueError(
            f"{name}.get_backends() gives {offered!r}, expected at least self.BACKEND_NUMPY: the "
            "data are NumPy arrays"
        )
    method = udf.get_method()
    if not isinstance(method, UDFMethod):
        raise UDFException(
            f"{name}.get_method() gives {method!r}, expected one of self.UDF_METHOD.TILE, FRAME "
            "and PARTITION"
        )
    if not callable(getattr(udf, f"process_{method.value}", None)):
        raise UDFException(
            f"{name}.get_method() chooses process_{method.value}, which it does not implement"
        )


def declare(udf: UDF, meta: UDFMeta) -> None:
    """Tie a UDF to a dataset and let it declare its buffers."""
    udf.meta, given = meta, udf.params
    udf.params = shown_params(parameters_of(udf), meta.dataset_shape, meta.roi)
    declarations = udf.get_result_buffers()
    udf.params = given
    for name, declaration in declarations.items():
        if not isinstance(declaration, BufferDeclaration):
            raise UDFException(
                f"{type(udf).__name__}.get_result_buffers() gives a "
                f"{type(declaration).__name__} for {name!r}, expected self.buffer(...)"
            )
    udf.declarations = declarations


def _known(data: npt.ArrayLike) -> Any:
    """Tell which elements of a result are not masked."""
    return ~np.ma.getmaskarray(data) if isinstance(data, np.ma.MaskedArray) else True


def check_cast(fromvar: Array, tovar: Array) -> None:
    """Raise a TypeError unless the numbers of one array fit into another without loss."""
    if not np.can_cast(fromvar.dtype, tovar.dtype, casting="safe"):
        raise TypeError(
            f"{fromvar.dtype} does not go into {tovar.dtype} without loss: convert it with astype()"
        )


class MaskedResult:
    """A result and which of its elements are valid.

    Parameters
    ----------
    data : numpy.ndarray
        The result.
    mask : numpy.ndarray of bool
        True where valid, of the same shape.
    """

    def __init__(self, data: Array, mask: npt.NDArray[np.bool_]) -> None:
        self.data = data
        self.mask = mask


class NoOpUDF(UDF):
    """Looks at nothing: what a run costs without any UDF, reading left to the file format.

    Parameters
    ----------
    preferred_input_dtype : dtype, optional
        The dtype to ask the data in.
    """

    def __init__(self, preferred_input_dtype: npt.DTypeLike = bool) -> None:
        super().__init__(preferred_input_dtype=preferred_input_dtype)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Return the parameter of that name."""
        preferred: npt.DTypeLike = self.params.preferred_input_dtype
        return preferred

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare nothing."""
        return {}

    def process_tile(self, tile: Array) -> None:
        """Do nothing."""


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
