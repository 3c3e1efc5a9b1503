"""Writes stores of all kinds with the package zarr."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import (
    BloscCodec,
    BytesCodec,
    Crc32cCodec,
    GzipCodec,
    ShardingCodec,
    TransposeCodec,
    ZstdCodec,
)

Array = npt.NDArray[Any]
TRUTH = np.random.default_rng(8).integers(0, 300, (3, 5, 6, 8)).astype("u2")


def write(path: Path, truth: Array = TRUTH, *, key: str = "scan", **options: Any) -> Path:
    """Write an array into a directory, or into a zip if the name ends so."""
    version = options.pop("zarr_format", 3)
    options = {"chunks": (1, 2, 6, 8), **options}
    if path.suffix == ".zip":
        with zarr.storage.ZipStore(path, mode="w") as store:
            group = zarr.create_group(store, zarr_format=version)
            group.create_array(key, data=truth, **options)
        return path
    group = zarr.create_group(path, zarr_format=version)
    group.create_array(key, data=truth, **options)
    return path


def read_elsewhere(path: Path) -> Array:
    """Read what was written, with the package."""
    if path.is_dir():
        return np.asarray(zarr.open_group(path, mode="r")["scan"])
    with zarr.storage.ZipStore(path, mode="r") as store:
        return np.asarray(zarr.open_group(store, mode="r")["scan"])


def _two(suffix: str = ".zarr", **options: Any) -> Callable[[Path, Array], Path]:
    return lambda folder, truth: write(folder / f"a{suffix}", truth, zarr_format=2, **options)


def _three(suffix: str = ".zarr", **options: Any) -> Callable[[Path, Array], Path]:
    return lambda folder, truth: write(folder / f"a{suffix}", truth, **options)


def _sharded(**options: Any) -> Callable[[Path, Array], Path]:
    codec = ShardingCodec(chunk_shape=(1, 2, 6, 8), **options)
    return _three(chunks=(2, 4, 6, 8), serializer=codec, compressors=None)


def _compressed_once_more(folder: Path, truth: Array) -> Path:
    """Write a zip as archivers write it."""
    plain, path = write(folder / "a.zarr", truth), folder / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for each in sorted(plain.rglob("*")):
            if each.is_file():
                file.write(each, each.relative_to(plain))
    return path


#: What our own decoders know, and what is left to the package.
OURS: dict[str, Callable[[Path, Array], Path]] = {
    "2 zstd": _two(),
    "2 lines": _two(chunks=(2, 5, 6, 8), compressors=numcodecs.Zlib(1)),
    "2 blosc, cut, F": _two(
        chunks=(2, 2, 4, 5), order="F", compressors=numcodecs.Blosc("lz4", 5, 2)
    ),
    "2 lz4, shuffled": _two(filters=[numcodecs.Shuffle(2)], compressors=numcodecs.LZ4()),
    "2 gzip in a zip": _two(".zip", compressors=numcodecs.GZip(1)),
    "2 plain, in folders": _two(
        compressors=None, chunk_key_encoding={"name": "v2", "separator": "/"}
    ),
    "3 zstd": _three(),
    "3 gzip": _three(compressors=GzipCodec(level=1)),
    "3 in a zip": _three(".zip", compressors=BloscCodec(cname="zstd", shuffle="bitshuffle")),
    "3 turned, checked": _three(
        filters=[TransposeCodec(order=(3, 1, 0, 2))],
        serializer=BytesCodec(endian="big"),
        compressors=[BloscCodec(cname="blosclz"), Crc32cCodec()],
    ),
    "3 keys of 2": _three(chunk_key_encoding={"name": "v2", "separator": "."}, compressors=None),
    "3 shards": _three(chunks=(1, 2, 6, 8), shards=(2, 4, 6, 8)),
    "3 shards, index first": _sharded(
        index_location="start", index_codecs=[BytesCodec(endian="little")]
    ),
    "3 shards, checked": _sharded(codecs=[BytesCodec(), ZstdCodec(), Crc32cCodec()]),
}
THEIRS: dict[str, Callable[[Path, Array], Path]] = {
    "2 delta": _two(filters=[numcodecs.Delta("u2")]),
    "2 bz2": _two(compressors=numcodecs.BZ2(1)),
    "zip compressed twice": _compressed_once_more,
}
