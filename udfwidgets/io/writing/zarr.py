"""Writes Zarr 3: a group of OME-Zarr with the scan in chunks of Zstd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.io.dataset.zarr.package import Loop, zarr_package
from udfwidgets.io.source import Array
from udfwidgets.io.writing.chunked import ChunkedWriter
from udfwidgets.io.writing.outline import Outline
from udfwidgets.io.writing.packing import zstd

_LEVEL = 1


class ZarrWriter(ChunkedWriter):
    """Writes a scan of numbers into an empty directory."""

    def __init__(self, path: Path, outline: Outline) -> None:
        super().__init__(outline)
        self._chunks = path / "data" / "c"
        self._sig_zeros = "/0" * len(outline.shape.sig.to_tuple())
        with Loop(str(path)) as loop:
            loop.run(self._create(path, outline))

    async def _create(self, path: Path, outline: Outline) -> None:
        zarr = zarr_package()
        group = await zarr.api.asynchronous.create_group(
            store=path, zarr_format=3, attributes=_multiscale(outline)
        )
        await group.create_array(
            "data",
            shape=outline.shape.to_tuple(),
            dtype=outline.dtype,
            chunks=self.chunk,
            compressors=zarr.codecs.ZstdCodec(level=_LEVEL),
        )

    def store(self, at: tuple[int, ...], chunk: Array) -> None:
        """Compress a chunk into a file of its own."""
        path = self._chunks / ("/".join(map(str, at)) + self._sig_zeros)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zstd(chunk.reshape(-1).view(np.uint8), _LEVEL))

    def finish(self) -> None:
        """Do nothing: all of it is there."""

    def close(self) -> None:
        """Do nothing: there is nothing open."""


def _multiscale(outline: Outline) -> dict[str, Any]:
    """Say of each axis what it is, in the words of OME-Zarr."""
    given = (("scan", outline.shape.nav, outline.nav), ("detector", outline.shape.sig, outline.sig))
    axes, scale = [], []
    for kind, lengths, sizes in given:
        for number, _ in enumerate(lengths.to_tuple()):
            size, unit = sizes[number] if sizes else (1.0, "")
            axes.append(
                {"name": f"{kind}_{number}", "type": "space", **({"unit": unit} if unit else {})}
            )
            scale.append(size)
    if not outline.nav and not outline.sig:
        return {}
    datasets = [{"path": "data", "coordinateTransformations": [{"type": "scale", "scale": scale}]}]
    return {"ome": {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}}
