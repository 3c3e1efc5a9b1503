"""Contexts and datasets."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
from libertem.api import Context
from libertem.io.dataset.memory import MemoryDataSet
from libertem.udf.sum import SumUDF

from tests.conformance.case import clause, error_of, scan
from tests.io.merlin import write_mib


@clause(
    "`Context.make_with(spec, cpus=None)`",
    "`'inline'`, `'threads'`, `'dask'` (`'synchronous'` is inline)",
)
def specs(ctx):
    data, results = scan(), []
    for spec, cpus in (("inline", None), ("synchronous", None), ("threads", None), ("threads", 2)):
        with Context.make_with(spec, cpus=cpus) as made:
            dataset = made.load("memory", data=data)
            results.append(made.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data)
    return results


@clause("an unknown spec, or an option that spec cannot honour, is an `ExecutorSpecException`")
def bad_specs(ctx):
    return [
        error_of(Context.make_with, "quantum"),
        error_of(Context.make_with, "inline", cpus=4),
        error_of(Context.make_with, "inline", gpus=1),
        error_of(Context.make_with, "threads", gpus=1),
    ]


@clause("`close()`, `with`")
def closing(ctx):
    with Context.make_with("inline") as made:
        made.load("memory", data=scan())
    made.close()
    return isinstance(made, Context)


@clause("`load(filetype, *args, **kw)`")
def memory(ctx):
    data = scan(dtype="f4")
    facts = []
    for dataset in (
        ctx.load("memory", data=data),
        ctx.load("memory", data=data, sig_dims=1),
        ctx.load("memory", data=data, num_partitions=2),
        ctx.load("memory", data=data.reshape(20, 6, 7), nav_shape=(5, 4), sig_shape=(6, 7)),
    ):
        shape = dataset.shape
        facts.append((tuple(shape), tuple(shape.nav), tuple(shape.sig), str(dataset.dtype)))
    return facts


@clause("`load(filetype, *args, **kw)`", "`io.dataset.memory.MemoryDataSet`")
def memory_by_class(ctx):
    dataset = MemoryDataSet(data=scan(), num_partitions=3)
    return ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"]


@clause(
    "`load(filetype, *args, **kw)`", "`'auto'`, `'memory'`, `'npy'`, `'raw'`, `'hdf5'`, `'mib'`"
)
def npy(ctx):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.npy"
        np.save(path, scan())
        loads = [ctx.load("npy", path=str(path)), ctx.load("auto", path=str(path))]
        return [
            (type(dataset).__name__, tuple(dataset.shape), ctx.run_udf(dataset, SumUDF()))
            for dataset in loads
        ]


@clause("`load(filetype, *args, **kw)`")
def raw(ctx):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.raw"
        scan().tofile(path)
        dataset = ctx.load("raw", path=path, dtype="u2", nav_shape=(4, 5), sig_shape=(6, 7))
        return tuple(dataset.shape), ctx.run_udf(dataset=dataset, udf=SumUDF())


@clause("`'auto'`, `'memory'`, `'npy'`, `'raw'`, `'hdf5'`, `'mib'`")
def hdf5(ctx):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.h5"
        with h5py.File(path, "w") as file:
            file["entry/data"] = scan()
        loads = [ctx.load("hdf5", path=path, ds_path="entry/data"), ctx.load("auto", path=path)]
        return [
            (type(dataset).__name__, tuple(dataset.shape), ctx.run_udf(dataset, SumUDF()))
            for dataset in loads
        ]


@clause("`'auto'`, `'memory'`, `'npy'`, `'raw'`, `'hdf5'`, `'mib'`")
def mib(ctx):
    frames = scan(sig=(256, 256)).reshape(20, 256, 256)
    with tempfile.TemporaryDirectory() as folder:
        path = write_mib(Path(folder) / "scan.mib", frames, "U16", 12)
        dataset = ctx.load("mib", path=path, nav_shape=(4, 5))
        return type(dataset).__name__, tuple(dataset.shape), ctx.run_udf(dataset, SumUDF())


@clause("an unknown type or an unreadable file is a `DataSetException`")
def unknown_type(ctx):
    return error_of(ctx.load, "scroll", path="nowhere")


@clause("an unknown type or an unreadable file is a `DataSetException`")
def unreadable(ctx):
    return error_of(ctx.load, "auto", path="/nowhere/scan.npy")


@clause("`load(filetype, *args, **kw)`")
def shape_habits(ctx):
    shape = ctx.load("memory", data=scan()).shape
    return (
        shape.size,
        shape.dims,
        shape.nav.size,
        shape.sig.dims,
        shape.to_tuple(),
        tuple(shape.flatten_nav()),
        tuple(shape.flatten_sig()),
        shape[0],
        shape.sig + (2,),  # noqa: RUF005
        np.zeros(shape.nav).shape,
        np.prod(shape.sig),
        len(shape),
    )
