"""Records what the simulated detector sees into a file that grows, from a process of its own.

::

    with acquire("scan.h5") as acquisition:         # or scan.hdr
        dataset = ctx.load("auto", path=acquisition.path, follow=True)

The process is the one with the detector. It obeys lines on its standard input, and ends the scan in
order when that is closed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from udfwidgets.closing import Closing
from udfwidgets.demo.detector import SimulatedDetector
from udfwidgets.io.writing.merlin import HEADER_BYTES, merlin_frame_header, merlin_hdr

_CHILD = "import sys; from udfwidgets.demo.acquisition import main; main(sys.argv[1:])"
_READY = "recording"


class Acquisition(Closing):
    """A scan that another process records.

    Parameters
    ----------
    path : Path
        The file that grows.
    process : subprocess.Popen
        Which writes it.
    """

    def __init__(self, path: Path, process: subprocess.Popen[str]) -> None:
        self.path = path
        self._process = process

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def pause(self) -> None:
        """Let no frames come until `resume`."""
        self._say("pause")

    def resume(self) -> None:
        """Go on after `pause`."""
        self._say("resume")

    def stop(self) -> None:
        """End the scan early, in order: the file is closed. Returns when it is."""
        self._process.communicate()

    def kill(self) -> None:
        """End the process in the middle of its work, as a crash does."""
        self._process.kill()
        self._process.communicate()

    def wait(self) -> None:
        """Return when the last frame is in the file, and the file is closed."""
        self._process.wait()
        self._process.communicate()

    def _say(self, command: str) -> None:
        stdin = self._process.stdin
        if stdin is None or not self.is_running:
            raise RuntimeError(f"the scan in {self.path} has ended: acquire() begins a new one")
        stdin.write(f"{command}\n")
        stdin.flush()

    def close(self) -> None:
        """Stop."""
        self.stop()


def acquire(
    path: str | os.PathLike[str],
    nav_shape: Sequence[int] = (64, 64),
    sig_shape: Sequence[int] = (256, 256),
    *,
    frames_per_second: float = 1000.0,
    seed: int = 0,
) -> Acquisition:
    """Begin to record a scan with a `SimulatedDetector`, and return when the file is there.

    Parameters
    ----------
    path : str or os.PathLike
        Ends in ``.h5`` for an HDF5 file in SWMR mode, or in ``.hdr`` for a Merlin scan, whose
        frames go to the ``.mib`` beside it. A file that is there is overwritten.
    nav_shape, sig_shape, frames_per_second, seed
        As for `SimulatedDetector`.

    Returns
    -------
    Acquisition
        To be stopped, at the latest when its block ends.

    Raises
    ------
    ValueError
        If the path ends otherwise.
    """
    target = Path(path).expanduser()
    _recorder(target)
    numbers = (*nav_shape, *sig_shape, frames_per_second, seed)
    command = [sys.executable, "-c", _CHILD, str(target), *map(str, numbers)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    if process.stdout.readline().strip() != _READY:
        process.communicate()
        raise RuntimeError(f"the scan in {target} could not begin, see the error of its process")
    return Acquisition(target, process)


def _recorder(path: Path) -> Callable[[Path, SimulatedDetector], Iterator[None]]:
    recorders = {".h5": _record_hdf5, ".hdr": _record_merlin}
    if path.suffix not in recorders:
        raise ValueError(f"{path} ends in {path.suffix!r}, expected one of {sorted(recorders)}")
    return recorders[path.suffix]


def _record_hdf5(path: Path, detector: SimulatedDetector) -> Iterator[None]:
    """Yield after each write; from the first one on the file can be loaded."""
    per_line = detector.shape.nav[1]
    with h5py.File(path, "w", libver="latest") as file:
        counts = file.create_dataset(
            "entry/data/counts",
            detector.shape.to_tuple(),
            detector.dtype,
            chunks=(1, 1, *detector.shape.sig),
        )
        file.swmr_mode = True
        number = 0
        for block in detector.blocks():
            for frame in block:
                counts[divmod(number, per_line)] = frame
                number += 1
            file.flush()
            yield


def _record_merlin(path: Path, detector: SimulatedDetector) -> Iterator[None]:
    """Yield after each write; from the first one on the file can be loaded."""
    sig = detector.shape.sig
    path.write_bytes(merlin_hdr(detector.shape, "udfwidgets simulated detector"))
    with path.with_suffix(".mib").open("wb", buffering=0) as file:
        number = 0
        for block in detector.blocks():
            stored = np.empty((len(block), HEADER_BYTES + 2 * sig.size), np.uint8)
            for row in stored:
                number += 1
                row[:HEADER_BYTES] = np.frombuffer(merlin_frame_header(sig, number), np.uint8)
            stored[:, HEADER_BYTES:] = block.astype(">u2").reshape(len(block), -1).view(np.uint8)
            file.write(stored.data)
            yield


def _obey(detector: SimulatedDetector) -> None:
    """Do what standard input says, and stop at its end."""
    commands = {"pause": detector.pause, "resume": detector.resume}
    for line in sys.stdin:
        commands[line.strip()]()
    detector.stop()


def main(arguments: Sequence[str]) -> None:
    """Record a scan: what the process does that `acquire` starts."""
    path, (ny, nx, height, width) = Path(arguments[0]), map(int, arguments[1:5])
    detector = SimulatedDetector(
        (ny, nx),
        (height, width),
        frames_per_second=float(arguments[5]),
        seed=int(arguments[6]),
    )
    threading.Thread(target=_obey, args=(detector,), daemon=True).start()
    for number, _ in enumerate(_recorder(path)(path, detector)):
        if number == 0:
            print(_READY, flush=True)
