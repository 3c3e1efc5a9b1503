"""Objects on their way to the processes of a cluster: packed once, unpacked once in each.

Classes of notebook cells and of local modules travel with them, see cloudpickle. Large arrays, such
as a dataset in memory, do not travel at all: they are put into a file that the workers map. It has
no name where that is possible, so that nothing of it is left when this process is killed.
"""

from __future__ import annotations

import importlib.metadata
import mmap
import os
import pickle
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cloudpickle

from udfwidgets.engine.sources import Stamp, stamp_of
from udfwidgets.errors import DataSetException, UDFException

# Bytes from which on an array is worth a file: below it travels with each order.
LARGE = 256 * 1024
# Where the arrays of a file begin: at multiples of it, so that kernels find them aligned.
ALIGNMENT = 64

#: What both sides have to agree on: objects of one are not those of the other otherwise.
VERSIONS = ", ".join(
    f"{name} {importlib.metadata.version(name)}" for name in ("udfwidgets", "numpy", "numba")
)


@dataclass(frozen=True)
class Parcel:
    """An object on its way to other processes. Make one with `of`.

    Attributes
    ----------
    key : str
        Names it in all processes.
    data : bytes
        The object, pickled, without its large arrays.
    path : pathlib.Path or None
        The file that these are in.
    stamp : tuple
        What tells it from a file of the same name on another machine.
    places : tuple of (int, int)
        Where in it they begin and end, in bytes.
    """

    key: str
    data: bytes
    path: Path | None = None
    stamp: Stamp = ()
    places: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, content: Any, files: ExitStack) -> Parcel:
        """Pack an object; its large arrays go to a new file, which is there until `files` closes.

        Raises
        ------
        Exception
            What pickling raises.
        """
        large: list[memoryview] = []

        def stays_inside(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < LARGE:
                return True
            large.append(raw)
            return False

        data = cloudpickle.dumps(content, protocol=5, buffer_callback=stays_inside)
        key = uuid.uuid4().hex
        if not large:
            return cls(key, data)
        file, path = _new_file()
        files.callback(file.close)
        places = _write(file, large)
        return cls(key, data, path, stamp_of([path]), tuple(places))

    def unpack(self) -> Any:
        """Return a new copy of the object; its large arrays are mapped, and cannot be written to.

        Raises
        ------
        DataSetException
            If this process does not see the file.
        """
        if self.path is None:
            return pickle.loads(self.data)
        if stamp_of([self.path]) != self.stamp:
            raise DataSetException(
                "this worker does not see the file into which large arrays were put for it: it is "
                "on another machine. Save them to a file that all workers see, and load that"
            )
        with self.path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return pickle.loads(self.data, buffers=[mapped[a:b] for a, b in self.places])


def _new_file() -> tuple[IO[bytes], Path]:
    """Return a new file, and where processes of the same user and machine see it."""
    if Path("/proc/self/fd").exists():
        nameless = tempfile.TemporaryFile()  # noqa: SIM115 - its owner closes it
        return nameless, Path(f"/proc/{os.getpid()}/fd/{nameless.fileno()}")
    named = tempfile.NamedTemporaryFile(prefix="udfwidgets-")  # noqa: SIM115
    return named, Path(named.name)


def _write(file: IO[bytes], large: Sequence[memoryview]) -> list[tuple[int, int]]:
    """Write arrays one after the other, and return where each begins and ends."""
    places = []
    for raw in large:
        file.seek(-(-file.tell() // ALIGNMENT) * ALIGNMENT)
        begin = file.tell()
        file.write(raw)
        places.append((begin, file.tell()))
    file.flush()
    return places


def pack_work(udfs: Any, plan: Any, files: ExitStack) -> Parcel:
    """Pack the UDFs of a run with its plan.

    Raises
    ------
    UDFException
        If one of them cannot be pickled; it says which of its attributes.
    """
    try:
        return Parcel.of((udfs, plan), files)
    except Exception as error:
        for udf in udfs:
            name = _culprit({**vars(udf), **dict(udf._kwargs)})
            if name:
                raise UDFException(
                    f"{type(udf).__name__}.{name} cannot be sent to other processes ({error}): "
                    "make it in get_task_data(), on the worker, or run this UDF on threads"
                ) from error
        raise


def _culprit(attributes: Mapping[str, Any]) -> str:
    for name, value in attributes.items():
        try:
            cloudpickle.dumps(value)
        except Exception:  # whatever its class raises
            return name
    return ""
