"""Reads and writes files with other packages, in an environment of theirs.

``python foreign.py read READER PATH OUT [OPTIONS]``: the frames go to OUT, and what the reader says
of scales is printed as JSON. ``python foreign.py write WRITER PATH DATA``: an array becomes a file.
It knows nothing of the package and of its tests.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np

SCALES = {
    "m": 1.0,
    "um": 1e-6,
    "µm": 1e-6,
    "nm": 1e-9,
    "Å": 1e-10,
    "cm": 1e-2,
    "1/nm": 1e9,
    "1/m": 1.0,
}


def rsciio(plugin: str, path: str, **options: Any) -> tuple[Any, list[float | None]]:
    from importlib import import_module  # noqa: PLC0415 - none but the one that is asked for

    if plugin == "nexus":
        import_module("hdf5plugin")
    found = import_module(f"rsciio.{plugin}").file_reader(path, **options)
    read = max(found, key=lambda each: each["data"].size)
    # Turns detectors of Merlin upside down.
    data = read["data"][..., ::-1, :] if plugin == "quantumdetector" else read["data"]
    return data, [_scale(axis["scale"], axis["units"]) for axis in read["axes"]]


def _scale(scale: float, unit: Any) -> float | None:
    factor = SCALES.get(str(unit).replace(" ", ""))
    return None if factor is None else float(scale) * factor


def mrcfile(path: str) -> tuple[Any, list[float | None]]:
    import mrcfile  # noqa: PLC0415

    with mrcfile.open(path, permissive=False) as file:
        size = file.voxel_size
        data = file.data.copy()
    scales: list[float | None] = [None] * (data.ndim - 2)
    return data, [*scales, float(size.y) * 1e-10, float(size.x) * 1e-10]


def ncempy(path: str) -> tuple[Any, list[float | None]]:
    from ncempy.io import dm, mrc, ser  # noqa: PLC0415

    if path.endswith(".ser"):
        with ser.fileSER(path) as file:
            return [file.getDataset(i)[0] for i in range(file.head["ValidNumberElements"])], []
    if path.endswith(".mrc"):
        return mrc.mrcReader(path)["data"], []
    if path.endswith((".emd", ".h5", ".hdf5")):
        return _largest_of_emd(path)
    return dm.dmReader(path)["data"], []


def _largest_of_emd(path: str) -> tuple[Any, list[float | None]]:
    from ncempy.io import emd  # noqa: PLC0415

    with emd.fileEMD(path, readonly=True) as file:
        data, dims = max(
            (file.get_emdgroup(group) for group in file.list_emds), key=lambda each: each[0].size
        )
    steps = ((axis[1] - axis[0], unit) for axis, _, unit in dims if len(axis) > 1)
    return data, [_scale(*step) for step in steps]


def numpy(path: str) -> tuple[Any, list[float | None]]:
    return np.load(path), []


def libertem(kind: str, path: str, **options: Any) -> tuple[Any, list[float | None]]:
    from libertem.api import Context  # noqa: PLC0415
    from libertem.udf import UDF  # noqa: PLC0415

    class Frames(UDF):
        def get_preferred_input_dtype(self) -> Any:
            return self.USE_NATIVE_DTYPE

        def get_result_buffers(self) -> Any:
            sig, dtype = tuple(self.meta.dataset_shape.sig), self.meta.input_dtype
            return {"frames": self.buffer("nav", extra_shape=sig, dtype=dtype)}

        def process_frame(self, frame: Any) -> None:
            self.results.frames[:] = frame

    for name in ("nav_shape", "sig_shape"):
        if name in options:
            options[name] = tuple(options[name])
    with Context.make_with("inline") as ctx:
        dataset = ctx.load(kind, path, **options)
        frames = ctx.run_udf(dataset, Frames(), corrections=None)["frames"].data
        return np.array(frames).astype(dataset.dtype), []


def zarr(path: str) -> tuple[Any, list[float | None]]:
    import zarr  # noqa: PLC0415

    group = zarr.open_group(path, mode="r")
    told = group.attrs.get("ome", {}).get("multiscales")
    if not told:
        return group["data"][:], []
    steps = told[0]["datasets"][0]["coordinateTransformations"][0]["scale"]
    units = [axis.get("unit") for axis in told[0]["axes"]]
    return group["data"][:], [_scale(*pair) for pair in zip(steps, units, strict=True)]


def write_zarr(kind: str, path: str, data: Any) -> None:
    import numcodecs  # noqa: PLC0415
    import zarr  # noqa: PLC0415

    version, _, codec = kind.partition(" ")
    options: dict[str, Any] = {"chunks": (1, 2, 8, 16), "compressors": "auto"}
    if codec == "shards":
        options["shards"] = (2, 4, 16, 16)
    elif codec != "Zstd":
        options["compressors"] = getattr(numcodecs, codec)()
    zarr.create_group(path, zarr_format=int(version)).create_array("data", data=data, **options)


def write_rsciio(plugin: str, path: str, data: Any) -> None:
    from importlib import import_module  # noqa: PLC0415

    units = ["nm", "nm", "cm", "cm"] if plugin == "blockfile" else ["nm", "nm", "1/nm", "1/nm"]
    scales = (2.0, 2.0, 0.5, 0.5) if plugin == "blockfile" else (2.0,) * 4
    axes = [
        {"size": n, "scale": scale, "offset": 0, "units": unit, "navigate": i < 2, "name": str(i)}
        for i, (n, scale, unit) in enumerate(zip(data.shape, scales, units, strict=True))
    ]
    signal = {"data": data, "axes": axes, "metadata": {}, "original_metadata": {}}
    signal["attributes"] = {"_lazy": False, "ragged": False}
    signal["metadata"] = {"General": {"title": ""}, "Signal": {"signal_type": ""}}
    signal |= {"tmp_parameters": {}, "learning_results": {}, "models": {}}
    signal["package_info"] = {"package": "", "package_version": ""}
    for number, axis in enumerate(axes):
        axis |= {"index_in_array": number, "is_binned": False, "_type": "UniformDataAxis"}
    special = {
        "blockfile": {"navigator": None, "show_progressbar": False},
        "tvips": {"max_file_size": 8000, "show_progressbar": False},
    }
    options: dict[str, Any] = special.get(plugin, {})
    import_module(f"rsciio.{plugin}").file_writer(path, signal, **options)


def write_mrcfile(path: str, data: Any) -> None:
    import mrcfile  # noqa: PLC0415

    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        if data.ndim == 3:
            file.set_image_stack()
        file.voxel_size = 1.25


def write_ncempy(*arguments: Any) -> None:
    *kind, path, data = arguments
    from ncempy.io import emd, mrc  # noqa: PLC0415

    if kind == ["emd"]:
        units = ("nm", "nm", "1/nm", "1/nm")
        dims = emd.defaultDims(data, (2.0, 2.0, 0.5, 0.5), units)
        with emd.fileEMD(path, readonly=False) as file:
            file.put_emdgroup("scan", data, dims)
        return
    mrc.mrcWriter(path, data, (1.0, 2.0, 2.0))


def emdfile(path: str) -> tuple[Any, list[float | None]]:
    import emdfile  # noqa: PLC0415

    array = emdfile.read(path)
    steps = [dim[1] - dim[0] for dim in array.dims]
    return array.data, [_scale(*step) for step in zip(steps, array.dim_units, strict=True)]


def write_emdfile(path: str, data: Any) -> None:
    import emdfile  # noqa: PLC0415

    units = ["nm", "nm", "1/nm", "1/nm"]
    scan = emdfile.Array(data, name="scan", dims=[2.0, 2.0, 0.5, 0.5], dim_units=units)
    emdfile.save(path, scan)


def main(what: str, who: str, path: str, other: str, options: str = "{}") -> None:
    warnings.simplefilter("ignore")
    name, _, plugin = who.partition(" ")
    own = (plugin,) if plugin else ()
    if what == "write":
        globals()[f"write_{name}"](*own, path, np.load(other))
        return
    data, scales = globals()[name](*own, path, **json.loads(options))
    np.save(other, np.asarray(data))
    print(json.dumps({"scales": scales, "dtype": np.asarray(data).dtype.str}))


if __name__ == "__main__":
    main(*sys.argv[1:])
