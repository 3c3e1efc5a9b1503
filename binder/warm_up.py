"""Run the built-in sums once over the demo scan, which fills numba's cache on disk."""

from pathlib import Path

from udfwidgets.api import Context
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF


def main() -> None:
    """Compile what the first notebook will use."""
    path = Path("demo-data") / "default.hdr"
    with Context() as ctx:
        dataset = ctx.load("auto", path=str(path))
        ctx.run_udf(dataset=dataset, udf=[SumUDF(), SumSigUDF()])


if __name__ == "__main__":
    main()
