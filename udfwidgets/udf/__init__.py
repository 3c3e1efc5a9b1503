"""User-defined functions: their contract and one module per UDF."""

from udfwidgets.udf.base import UDF, UDFMeta
from udfwidgets.udf.mixins import (
    UDFFrameMixin,
    UDFPartitionMixin,
    UDFPostprocessMixin,
    UDFPreprocessMixin,
    UDFTileMixin,
)

__all__ = [
    "UDF",
    "UDFFrameMixin",
    "UDFMeta",
    "UDFPartitionMixin",
    "UDFPostprocessMixin",
    "UDFPreprocessMixin",
    "UDFTileMixin",
]
