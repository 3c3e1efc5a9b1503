"""A 4D-STEM scan of a polycrystal that never existed, for notebooks, tests and benchmarks.

::

    paths = make_scan("demo-data")               # once; later calls find the finished files
    dataset = ctx.load("auto", path=paths["mib"])

or, in a shell, ``python -m udfwidgets.demo demo-data``. A `SimulatedDetector` records the same
sample live, and `acquire` writes what it sees into a file that grows.
"""

from udfwidgets.demo.acquisition import Acquisition, acquire
from udfwidgets.demo.detector import SimulatedDetector
from udfwidgets.demo.pace import PacedDataSet
from udfwidgets.demo.sample import Sample, Truth
from udfwidgets.demo.write import FORMATS, make_scan

__all__ = [
    "FORMATS",
    "Acquisition",
    "PacedDataSet",
    "Sample",
    "SimulatedDetector",
    "Truth",
    "acquire",
    "make_scan",
]
