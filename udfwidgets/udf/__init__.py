"""User-defined functions: their contract and one module per UDF.

```
sum, sumsigudf, stddev, masks, com, ...   a UDF each
base                                      what a UDF is
contract/     what a UDF is shown         | compiled/   loops over pixels, without the GIL
                                          | mixins      names for what a UDF implements
```

Imports go down only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfwidgets.names import further
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

if not TYPE_CHECKING:
    __getattr__ = further(__name__)
