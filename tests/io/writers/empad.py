"""Writes scans of an EMPAD."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def write_empad_raw(path: Path, frames: npt.NDArray[Any]) -> Path:
    """Write frames of 128 x 128, with two rows of infinities behind each."""
    flat = frames.reshape(-1, 128, 128).astype("<f4")
    rows = np.full((len(flat), 130, 128), np.inf, "<f4")
    rows[:, :128] = flat
    rows.tofile(path)
    return path


def write_empad(path: Path, frames: npt.NDArray[Any], scan: tuple[int, int] | None = None) -> Path:
    """Write an `.xml` and the `.raw` that it names; a scan, or a series of one axis."""
    raw = path.with_suffix(".raw")
    write_empad_raw(raw, frames)
    nav = scan or frames.shape[:-2]
    told = f"<type>series</type><count>{nav[0]}</count>"
    if len(nav) == 2:
        told = f"""<type>scan</type>
        <pix_x>{nav[1]}</pix_x><pix_y>{nav[0]}</pix_y>
        <scan_parameters mode="search">
            <scan_resolution_x>512</scan_resolution_x><scan_resolution_y>512</scan_resolution_y>
        </scan_parameters>
        <scan_parameters mode="acquire">
            <scan_resolution_x>{nav[1]}</scan_resolution_x>
            <scan_resolution_y>{nav[0]}</scan_resolution_y>
        </scan_parameters>"""
    else:
        told += f"<scan_parameters><series_count>{nav[0]}</series_count></scan_parameters>"
    text = f"""<?xml version="1.0" encoding="UTF-8" ?>
<root>
    <timestamp isoformat="2024-05-06T07:08:09.000000+00:00"></timestamp>
    <raw_file filename="{raw.name}" />
    {told}
    <iom_measurements>
        <full_scan_field_of_view><x>1.44e-7</x><y>1.44e-7</y><scale_factor>0.72</scale_factor>
        </full_scan_field_of_view>
    </iom_measurements>
</root>
"""
    # In one line, as the detector's program writes it.
    path.write_text("".join(line.strip() for line in text.splitlines()))
    return path
