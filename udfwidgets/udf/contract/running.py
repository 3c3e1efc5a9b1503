"""What the `run_...` functions beside some UDFs need of a Context, which stands above them."""

from __future__ import annotations

from typing import Any, Protocol


class Runner(Protocol):
    """Runs UDFs: a `udfwidgets.api.Context`."""

    def run_udf(self, dataset: Any, udf: Any, roi: Any = ..., *, progress: Any = ...) -> Any:
        """Run a UDF over a dataset and return its results."""
