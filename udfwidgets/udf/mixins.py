"""Names for what a UDF implements, as base classes and for `isinstance`."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from udfwidgets.buffers import Array


@runtime_checkable
class UDFTileMixin(Protocol):
    """Works on tiles."""

    def process_tile(self, tile: Array) -> None:
        """Process a part of several frames."""
        raise NotImplementedError


@runtime_checkable
class UDFFrameMixin(Protocol):
    """Works on frames."""

    def process_frame(self, frame: Array) -> None:
        """Process one frame."""
        raise NotImplementedError


@runtime_checkable
class UDFPartitionMixin(Protocol):
    """Works on partitions."""

    def process_partition(self, partition: Array) -> None:
        """Process all frames of a partition."""
        raise NotImplementedError


@runtime_checkable
class UDFPreprocessMixin(Protocol):
    """Prepares its buffers; every UDF may."""

    def preprocess(self) -> None:
        """Prepare the buffers of a partition."""


@runtime_checkable
class UDFPostprocessMixin(Protocol):
    """Finishes its buffers; every UDF may."""

    def postprocess(self) -> None:
        """Finish the buffers of a partition."""


@runtime_checkable
class UDFMergeAllMixin(Protocol):
    """Merges all partitions at once; accepted, and not called here."""

    def merge_all(self, ordered_results: Any) -> Any:
        """Merge all partitions."""
        raise NotImplementedError
