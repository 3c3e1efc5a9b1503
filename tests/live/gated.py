"""A UDF that waits until a test lets it."""

from __future__ import annotations

import threading

from udfwidgets import UDF

PATIENCE = 10


class GatedUDF(UDF):
    """Adds up each frame times a factor, when it is let."""

    def get_result_buffers(self):
        return {"sums": self.buffer(kind="nav", dtype="float64")}

    def process_frame(self, frame):
        assert self.params.gate.wait(PATIENCE)
        self.results.sums[:] = frame.sum(dtype="f8") * self.params.factor


def gated(gate, factor=1):
    return GatedUDF(gate=gate, factor=factor)


class Gate(threading.Event):
    """Parameters are copied with their UDF, and an Event cannot be."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return (Gate, ())
