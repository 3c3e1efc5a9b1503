"""py4DSTEM, in the rows that it does."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from benchmarks import detectors
from benchmarks.workers.arrays import mapped
from benchmarks.workers.base import Contender


class Py4DSTEMContender(Contender):
    """Virtual images, and the centre of mass pattern by pattern."""

    works = ("mask", "com")

    def start(self) -> dict[str, float]:
        self.package = importlib.import_module("py4DSTEM")
        self.process = importlib.import_module("py4DSTEM.process.utils")
        return super().start()

    def load(self, scan: dict[str, Any]) -> None:
        self.cube = self.package.DataCube(data=mapped(scan))
        self.sig_shape = tuple(scan["sig_shape"])

    def mask(self) -> list[Any]:
        image = self.cube.get_virtual_image(
            mode="mask", geometry=detectors.ring(self.sig_shape), verbose=False
        )
        return [np.asarray(image.data)[..., None]]

    def com(self) -> list[Any]:
        data = self.cube.data
        return [np.array([[self.process.get_CoM(frame) for frame in row] for row in data])]
