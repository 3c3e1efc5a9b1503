"""How large the pixels of a dataset are: as its file tells, or as a user has said since."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from udfwidgets.calibration import Calibration, Given
from udfwidgets.shapes import Shape


class Calibrated(ABC):
    """The part of a `DataSet` that knows how large its pixels are."""

    _calibration: Calibration | None = None
    #: What formats have found out.
    _metadata: Mapping[str, Any] = {}

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Nav axes, then sig axes."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the file tells beyond shape and dtype, under names of its format.

        Where it tells how large a step of the scan or a pixel is, these are ``nav_scales`` and
        ``sig_scales``, one number for each axis, in ``nav_units`` and ``sig_units``.
        """
        return self._metadata

    @property
    def calibration(self) -> Calibration:
        """How large pixels are, with a `Scale`, or None where nobody knows it, for each axis."""
        if self._calibration is None:
            shape = self.shape
            self._calibration = Calibration.told(self.metadata, shape.nav.dims, shape.sig.dims)
        return self._calibration

    def calibrate(self, *, sig: Given = None, nav: Given = None) -> None:
        """Say how large pixels are, for everything that is started from now on.

        ::

            scan.calibrate(sig=(0.4, "mrad"), nav=[(2.5, "nm"), (2.4, "nm")])

        Parameters
        ----------
        sig, nav : Scale, (size, unit), or a sequence of these, optional
            As for `Calibration`. What is left out stays as it is; ``[None, None]`` says that it
            is not known, whatever the file tells.

        Raises
        ------
        ValueError
            If it is not that, or there are more or fewer of them than axes.
        """
        given, known, shape = Calibration(sig, nav), self.calibration, self.shape
        self._calibration = Calibration(
            known.sig if given.sig is None else given.scales("sig", shape.sig.dims),
            known.nav if given.nav is None else given.scales("nav", shape.nav.dims),
        )
