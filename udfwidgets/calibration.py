"""What a pixel is in the world: its size and unit, along each axis of scan and detector."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeAlias

#: Characters of a unit; it stands beside a number.
LONGEST_UNIT = 20


@dataclass(frozen=True)
class Scale:
    """How large a pixel is along one axis: ``Scale(0.4, "mrad")``.

    Raises
    ------
    ValueError
        If the size is no positive number, or the unit no short text.
    """

    size: float
    unit: str

    def __post_init__(self) -> None:
        size, unit = self.size, self.unit
        if isinstance(size, bool) or not isinstance(size, Real) or not 0 < float(size) < math.inf:
            raise ValueError(f"the size of a pixel is {size!r:.60}, expected a number above 0")
        if not isinstance(unit, str) or not 0 < len(unit.strip()) <= LONGEST_UNIT:
            raise ValueError(
                f"the unit of a pixel is {unit!r:.60}, expected a text such as 'nm', '1/nm' or "
                f"'mrad', of up to {LONGEST_UNIT} characters"
            )
        object.__setattr__(self, "size", float(size))
        object.__setattr__(self, "unit", unit.strip())


#: What sizes in units of the SI are told in: nobody reads 2e-10 m.
_HANDY = {"m": (1e9, "nm"), "1/m": (1e-9, "1/nm"), "rad": (1e3, "mrad")}
#: What programs write for a unit, less brackets and the like, and what is written here.
_SPELLINGS = {
    **dict.fromkeys(("A", "Ang", "angstrom", "Angstrom", "\u212b"), "Å"),
    **dict.fromkeys(("um", "micron", "\u03bcm", "micrometer"), "µm"),
    **dict.fromkeys(("nanometer", "n_m"), "nm"),
}
#: What they write where nothing was calibrated.
_COUNTED = ("px", "pix", "pixel", "pixels", "undefined", "None")
_INVERSE = re.compile(r"(?P<before>1/)?(?P<base>.*?)(?P<behind>\^?-1|\u207b\u00b9)?")

#: Size and unit.
Pair: TypeAlias = tuple[float, str]
#: For all axes at once, or for each of them; None where nobody knows.
Given: TypeAlias = "Scale | Pair | Sequence[Scale | Pair | None] | None"


@dataclass(frozen=True)
class Calibration:
    """How large pixels are: of the detector (sig), and how far apart scan positions (nav).

    ::

        Calibration(sig=(0.4, "mrad"), nav=(2.5, "nm"))
        Calibration(nav=[(2.5, "nm"), (2.4, "nm")])  # y, x

    Parameters
    ----------
    sig, nav : Scale, (size, unit), or a sequence of these, optional
        For all axes at once, or for each axis in the order of the dataset, with None for one that
        is not known.

    Raises
    ------
    ValueError
        If it is not that; the message says what came.
    """

    sig: Given = None
    nav: Given = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sig", _scales("sig", self.sig))
        object.__setattr__(self, "nav", _scales("nav", self.nav))

    @classmethod
    def told(cls, metadata: Mapping[str, Any], n_nav: int, n_sig: int) -> Calibration:
        """Return what a format tells, without what is no calibration of these axes.

        Parameters
        ----------
        metadata : mapping
            With ``nav_scales`` and ``nav_units``, ``sig_scales`` and ``sig_units``, where it tells
            them: one of each for each axis.
        n_nav, n_sig : int
            How many axes the dataset has.
        """
        return cls(*(_told(metadata, kind, n) for kind, n in (("sig", n_sig), ("nav", n_nav))))

    def scales(self, kind: Literal["sig", "nav"], n_axes: int) -> tuple[Scale | None, ...]:
        """Return the scale of each axis, None for those that are not known.

        Parameters
        ----------
        kind : {'sig', 'nav'}
            Which axes.
        n_axes : int
            How many of them the dataset has.

        Raises
        ------
        ValueError
            If it has another number of them.
        """
        given = self.sig if kind == "sig" else self.nav
        if given is None or isinstance(given, Scale):
            return (given,) * n_axes
        if len(given) != n_axes:
            raise ValueError(
                f"the calibration has {len(given)} scales for {kind}, the dataset {n_axes} such "
                "axes: give one for each, or one for all of them"
            )
        return tuple(_scale(kind, each) for each in given)


def _told(metadata: Mapping[str, Any], kind: str, n_axes: int) -> list[Scale | None]:
    sizes, units = (metadata.get(f"{kind}_{what}") or () for what in ("scales", "units"))
    if len(sizes) != n_axes or len(units) != n_axes:
        return [None] * n_axes
    return [_scale_or_none(size, unit) for size, unit in zip(sizes, units, strict=True)]


def checked(given: object) -> Calibration:
    """Return a calibration that a user may have given; one of nothing for None.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if given is None:
        return Calibration()
    if isinstance(given, Calibration):
        return given
    raise TypeError(
        f"calibration is {given!r:.60}, expected a udfwidgets.calibration.Calibration, such as "
        "Calibration(sig=(0.4, 'mrad'), nav=(2.5, 'nm'))"
    )


def spelt(unit: str) -> str:
    """Return a unit as it is written here; empty for what is counted in pixels.

    Examples
    --------
    >>> spelt("[n_m^-1]"), spelt("$A^{-1}$"), spelt("nanometer"), spelt("pixels")
    ('1/nm', '1/Å', 'nm', '')
    """
    found = _INVERSE.fullmatch(re.sub(r"[][${}<>\\\s]", "", unit).strip("_"))
    assert found is not None, "matches all texts of one line"
    base = _SPELLINGS.get(found["base"], found["base"])
    if base in _COUNTED:
        return ""
    return f"1/{base}" if found["before"] or found["behind"] else base


def _scale_or_none(size: object, unit: object) -> Scale | None:
    """Return a scale; None for what a file has where nothing was calibrated."""
    try:
        scale = Scale(size, spelt(unit) if isinstance(unit, str) else unit)  # type: ignore[arg-type]
    except ValueError:
        return None
    factor, handy = _HANDY.get(scale.unit, (1.0, scale.unit))
    return Scale(scale.size * factor, handy)


def _scales(kind: str, given: Given) -> Scale | tuple[Scale | None, ...] | None:
    if given is None or isinstance(given, Scale):
        return given
    if isinstance(given, (tuple, list)) and _is_pair(given):
        return Scale(*given)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(
            f"the calibration of {kind} is {given!r:.60}, expected (size, unit) such as "
            "(0.4, 'mrad'), or one for each axis"
        )
    return tuple(_scale(f"{kind}[{n}]", each) for n, each in enumerate(given))


def _scale(what: str, given: object) -> Scale | None:
    if given is None or isinstance(given, Scale):
        return given
    if isinstance(given, (tuple, list)) and _is_pair(given):
        return Scale(*given)
    raise ValueError(f"the calibration of {what} is {given!r:.60}, expected (size, unit) or None")


def _is_pair(given: Sequence[object]) -> bool:
    """Whether it is meant as size and unit: no other pair has a text in the end."""
    return len(given) == 2 and isinstance(given[1], str)
