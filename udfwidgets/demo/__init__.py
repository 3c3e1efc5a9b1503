"""A 4D-STEM scan of a polycrystal that never existed, for notebooks, tests and benchmarks.

::

    paths = make_scan("demo-data")               # once; later calls find the finished files
    dataset = ctx.load("auto", path=paths["mib"])

or, in a shell, ``python -m udfwidgets.demo demo-data``.
"""

from udfwidgets.demo.pace import PacedDataSet
from udfwidgets.demo.sample import Sample, Truth
from udfwidgets.demo.write import FORMATS, make_scan

__all__ = ["FORMATS", "PacedDataSet", "Sample", "Truth", "make_scan"]
