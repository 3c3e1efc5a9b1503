"""Writes sparse scans as LiberTEM reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse


def write_raw_csr(
    path: Path,
    frames: npt.NDArray[Any],
    indptr: str = "<i4",
    indices: str = "<u4",
    data: str = "",
    table: str = "raw_csr",
) -> Path:
    """Write a scan (y, x, *sig) into three files, and the `.toml` at a path that tells of them."""
    nav, sig = frames.shape[:2], frames.shape[2:]
    native = frames.astype(frames.dtype.newbyteorder("="))
    stored = scipy.sparse.csr_matrix(native.reshape(np.prod(nav), -1))
    told = {"indptr": indptr, "indices": indices, "data": data or frames.dtype.str}
    lines = ["[params]", f'filetype = "{table}"', f"nav_shape = {[*nav]}", f"sig_shape = {[*sig]}"]
    lines.append(f"[{table}]")
    for kind, dtype in told.items():
        getattr(stored, kind).astype(dtype).tofile(path.with_name(f"{path.stem}.{kind}"))
        lines += [f'{kind}_file = "{path.stem}.{kind}"', f'{kind}_dtype = "{dtype}"']
    path.write_text("\n".join(lines) + "\n")
    return path
