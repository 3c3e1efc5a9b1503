"""A view as plain data: what is on it, where, and in which contrast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from udfwidgets.geometry import Figure, Point, from_plain
from udfwidgets.live.image import LiveImage

VERSION = 1
_KEYS = ("version", "detectors", "regions", "probe", "formulas", "contrast")


@dataclass(frozen=True)
class State:
    """What a view begins with.

    Attributes
    ----------
    detectors : mapping or None
        Shapes by name; None where they are to be placed at the central disk.
    regions : mapping
        Shapes on the scan by name.
    probe : Point or None
        None: in the middle.
    formulas : mapping
        Texts by title.
    contrast : mapping
        By title of the image; see `contrast_of`.
    """

    detectors: Mapping[str, Figure] | None = None
    regions: Mapping[str, Figure] = field(default_factory=dict)
    probe: Point | None = None
    formulas: Mapping[str, str] = field(default_factory=dict)
    contrast: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return data for JSON."""
        return {
            "version": VERSION,
            "detectors": None if self.detectors is None else _plain(self.detectors),
            "regions": _plain(self.regions),
            "probe": None if self.probe is None else self.probe.to_plain(),
            "formulas": dict(self.formulas),
            "contrast": {title: dict(each) for title, each in self.contrast.items()},
        }

    @classmethod
    def from_plain(cls, plain: Any) -> State:
        """Return what `to_plain` was made of.

        Raises
        ------
        ValueError
            If it is not that; the message says where.
        """
        if not isinstance(plain, Mapping) or plain.get("version") != VERSION:
            raise ValueError(
                f"state is {plain!r:.100}, expected what `state` of a view returned (version "
                f"{VERSION})"
            )
        if unknown := set(plain) - set(_KEYS):
            raise ValueError(f"state has {sorted(unknown)}, expected only {list(_KEYS)}")
        detectors, probe = plain.get("detectors"), plain.get("probe")
        point = None if probe is None else _shape("probe", probe)
        if point is not None and not isinstance(point, Point):
            raise ValueError(f"the probe is {point!r}, expected a Point")
        return cls(
            None if detectors is None else _shapes("detectors", detectors),
            _shapes("regions", plain.get("regions", {})),
            point,
            {str(title): str(text) for title, text in plain.get("formulas", {}).items()},
            dict(plain.get("contrast", {})),
        )


def contrast_of(images: Iterable[LiveImage]) -> dict[str, dict[str, Any]]:
    """Return by title how images are coloured, and what of them is shown."""
    return {
        image.title: {
            "limits": None if image.limits is None else list(image.limits),
            "log": image.log,
            "gamma": image.gamma,
            "colormap": image.colormap,
            "window": list(image.window),
        }
        for image in images
    }


def apply_contrast(image: LiveImage, contrast: Mapping[str, Mapping[str, Any]]) -> None:
    """Colour an image as it was, and show the same part of it, if that is known."""
    wanted = contrast.get(image.title)
    if wanted is None:
        return
    for name in ("log", "gamma", "colormap"):
        if name in wanted:
            setattr(image, name, wanted[name])
    window = tuple(wanted.get("window", image.window))
    if window != image.window:
        image.window = window  # only then, as it takes the figure
    limits = wanted.get("limits")
    image.limits = None if limits is None else (limits[0], limits[1])


def _plain(shapes: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: shape.to_plain() for name, shape in shapes.items()}


def _shapes(what: str, given: Any) -> dict[str, Figure]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{what} is {given!r:.100}, expected shapes by name")
    return {str(name): _shape(f"{what}[{name!r}]", plain) for name, plain in given.items()}


def _shape(what: str, plain: Any) -> Figure:
    try:
        return from_plain(plain)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: {error}") from error
