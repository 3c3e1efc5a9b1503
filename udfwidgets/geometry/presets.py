"""Detectors as the field names them, from the disk of the direct beam."""

from __future__ import annotations

from udfwidgets.geometry.centred import Annulus, Disk, Sector

# Inner and outer radius, in radii of the disk.
_RADII = {"ABF": (0.5, 1.0), "ADF": (1.0, 2.0), "HAADF": (2.0, 4.0)}


def presets(disk: Disk) -> dict[str, Disk | Annulus]:
    """Return bright field, annular bright field, and annular and high-angle annular dark field.

    Parameters
    ----------
    disk : Disk
        Of the direct beam; see `find_disk`.

    Returns
    -------
    dict
        ``"BF"``: from the centre to the rim of the disk. ``"ABF"``: from a half of its radius to
        its rim. ``"ADF"``: from its rim to twice its radius. ``"HAADF"``: from twice to four times
        its radius, which may lie outside the frame. All four have the centre of the disk.
    """
    detectors: dict[str, Disk | Annulus] = {"BF": disk}
    for name, (inner, outer) in _RADII.items():
        detectors[name] = Annulus(disk.cx, disk.cy, ri=inner * disk.r, ro=outer * disk.r)
    return detectors


def sectors(annulus: Annulus, n: int, *, start: float = 0.0) -> tuple[Sector, ...]:
    """Cut a ring into equal parts, each pixel of it in one of them: a segmented detector.

    Parameters
    ----------
    annulus : Annulus
    n : int
        How many, 1 to 360.
    start : float
        Where the first one begins, in degrees; they go from +x towards +y.

    Raises
    ------
    ValueError
        If there cannot be so many.
    """
    if not 1 <= n <= 360:
        raise ValueError(f"a ring in {n} sectors, expected 1 to 360")
    ring = (annulus.cx, annulus.cy, annulus.ri, annulus.ro)
    if n == 1:
        return (Sector(*ring, start, start + 360),)
    # The last one ends with the very number that the first one begins with: no pixel is in both.
    edges = [(start + 360 * k / n) % 360 for k in range(n)]
    return tuple(Sector(*ring, edges[k], edges[(k + 1) % n] or 360.0) for k in range(n))
