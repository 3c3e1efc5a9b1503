"""What travels between the process that a run belongs to and the workers of a Dask cluster.

An `Order` goes out: numbers of frames, and for each run that wants some of them which ones, and its
UDFs. An `Answer` comes back: what the UDFs made of them, buffers only; frames never travel. What
many orders have in common, a dataset or the UDFs of a run, is a `Parcel`: a worker unpacks it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udfwidgets.buffers import Buffers
from udfwidgets.engine.executors.dask.parcels import Parcel
from udfwidgets.engine.plan.partitions import Partition
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.engine.sources import Stamp


@dataclass(frozen=True)
class Portion:
    """What one run wants of an order.

    Attributes
    ----------
    run : str
        Names the run on all workers.
    work : Parcel
        Of its UDFs, bound to the dataset, and its plan.
    partition : Partition
        Of the run's selected frames.
    frames : numpy.ndarray of int
        Numbers of the partition's frames, ascending.
    """

    run: str
    work: Parcel
    partition: Partition
    frames: Frames


@dataclass(frozen=True)
class Order:
    """What one worker does next.

    Attributes
    ----------
    key : str
        Names it on the worker.
    dataset : Parcel
        Where frames are read from.
    stamp : tuple
        What its files look like where the dataset was loaded.
    frames : numpy.ndarray of int
        Numbers of the frames to read, ascending.
    portions : sequence of Portion
        What each run wants.
    versions : str
        Of what both sides have to agree on.
    per_frame : float
        Seconds that a frame took one worker; 0 where that is not known yet.
    """

    key: str
    dataset: Parcel
    stamp: Stamp
    frames: Frames
    portions: Sequence[Portion]
    versions: str
    per_frame: float


@dataclass(frozen=True)
class Part:
    """What came out for one run: buffers of each UDF, an error, or neither if it was stopped.

    An error is pickled by itself: it may be anything, and must not keep the answer from coming.
    """

    seconds: float
    buffers: Sequence[Buffers] | None = None
    error: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What came of an order.

    Attributes
    ----------
    worker : str
        Who did it, for people.
    reading : float
        Seconds that reading took.
    parts : sequence of Part
        One for each portion.
    """

    worker: str
    reading: float
    parts: Sequence[Part]
