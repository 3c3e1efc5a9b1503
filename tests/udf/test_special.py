"""The UDFs for special purposes, each against one line of NumPy."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.udf.test_builtin import make_data
from udfwidgets import ApplyMasksUDF, Context, masks
from udfwidgets.udf.auto import AutoUDF
from udfwidgets.udf.crystallinity import run_analysis_crystall
from udfwidgets.udf.FEM import FEMUDF, run_fem
from udfwidgets.udf.logsum import LogsumUDF, run_logsum
from udfwidgets.udf.record import RecordUDF
from udfwidgets.udf.stddev import run_stddev

REAL = ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
SHAPES = {"odd": (5, 7, 11, 13), "one wide sig": (5, 7, 9, 1), "one pixel": (5, 7, 1, 1)}
ROIS = {"all": None, "holes": np.random.default_rng(3).random((5, 7)) > 0.4}


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def shape(request):
    return request.param


@pytest.fixture(params=ROIS.values(), ids=ROIS.keys())
def roi(request):
    return request.param


def selected(data, roi):
    return data.reshape(-1, *data.shape[2:]) if roi is None else data[roi]


def test_logsum(ctx, shape, roi):
    data = make_data(shape)
    frames = selected(data, roi).astype("f8")
    result = run_logsum(ctx, ctx.load("memory", data=data), roi=roi)["logsum"]
    assert result.dtype == np.float32
    expected = np.log(frames - frames.min((1, 2), keepdims=True) + 1).sum(0)
    np.testing.assert_allclose(result.data, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", REAL)
def test_logsum_of_all_dtypes(ctx, dtype):
    data = make_data((3, 4, 6, 7), dtype)
    frames = data.astype("f8")
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=LogsumUDF())["logsum"]
    expected = np.log(frames - frames.min((2, 3), keepdims=True) + 1).sum((0, 1))
    np.testing.assert_allclose(result.data, expected, rtol=1e-6)


@pytest.mark.parametrize("udf", [LogsumUDF(), FEMUDF((2, 2), 0, 2)])
def test_complex_data_are_refused(ctx, udf):
    dataset = ctx.load("memory", data=make_data((2, 2, 5, 5), "c8"))
    with pytest.raises(TypeError, match="takes real data"):
        ctx.run_udf(dataset=dataset, udf=udf)


def test_fem(ctx, roi):
    data = make_data((5, 7, 11, 13))
    result = run_fem(ctx, ctx.load("memory", data=data), (5.2, 6), 1.5, 4.3, roi=roi)["intensity"]
    ring = masks.ring(6, 5.2, 13, 11, 4.3, 1.5)
    np.testing.assert_allclose(result.raw_data, selected(data, roi)[:, ring].std(1), rtol=1e-6)


@pytest.mark.parametrize("dtype", REAL)
def test_fem_of_all_dtypes(ctx, dtype):
    data = make_data((3, 4, 6, 7), dtype)
    udf = FEMUDF(center=(3, 3), rad_in=0, rad_out=2)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf)["intensity"]
    ring = masks.ring(3, 3, 7, 6, 2, 0)
    np.testing.assert_allclose(result.data, data[:, :, ring].astype("f8").std(2), rtol=1e-6)


def test_fem_of_nothing_is_nan(ctx):
    dataset = ctx.load("memory", data=make_data((2, 2, 5, 5)))
    assert np.isnan(run_fem(ctx, dataset, (2, 2), 2, 2)["intensity"].data).all()


@pytest.mark.parametrize("sig", [(11, 13), (12, 10), (7, 1)], ids=str)
@pytest.mark.parametrize("beam", [(None, None), ((5, 4), 2.5)], ids=["whole", "without beam"])
def test_crystallinity(ctx, roi, sig, beam):
    data = make_data((5, 7, *sig))
    dataset = ctx.load("memory", data=data)
    result = run_analysis_crystall(ctx, dataset, 1.2, 4.1, *beam, roi=roi)["intensity"]
    frames = selected(data, roi).astype("f8")
    if beam[0] is not None:
        frames = frames * ~masks.circular(4, 5, sig[1], sig[0], 2.5)
    ring = np.fft.fftshift(masks.ring(sig[1] / 2, sig[0] / 2, sig[1], sig[0], 4.1, 1.2))
    spectrum = np.abs(np.fft.rfft2(frames)) * ring[:, : sig[1] // 2 + 1]
    np.testing.assert_allclose(result.raw_data, spectrum.sum((1, 2)), rtol=1e-4, atol=1e-3)


def test_run_stddev(ctx, roi):
    data = make_data((5, 7, 6, 8))
    result = run_stddev(ctx, ctx.load("memory", data=data), roi=roi)
    frames = selected(data, roi)
    assert result["num_frames"] == len(frames)
    for name in ("var", "std", "mean", "sum"):
        assert result[name].dtype == np.float64
        np.testing.assert_allclose(result[name], getattr(frames, name)(axis=0), err_msg=name)
    np.testing.assert_allclose(result["varsum"], frames.var(0) * len(frames))


@pytest.mark.parametrize(
    "f", [np.max, lambda frame: frame.sum(0), lambda frame: frame.astype("c8"), lambda frame: 3]
)
def test_auto(ctx, roi, f):
    data = make_data((5, 7, 6, 8))
    result = ctx.run_udf(
        dataset=ctx.load("memory", data=data), udf=AutoUDF(f, monitor=True), roi=roi
    )
    expected = np.array([f(frame.astype("f4")) for frame in selected(data, roi)])
    assert result["result"].dtype == expected.dtype
    np.testing.assert_array_equal(result["result"].raw_data, expected)
    np.testing.assert_array_equal(result["monitor"].data.reshape(expected[-1].shape), expected[-1])


@pytest.mark.filterwarnings("ignore:roi selects none")
def test_monitor_shows_the_last_frame_that_is_in(ctx):
    data = np.arange(35.0)[:, None, None] * np.ones((4, 5))
    dataset = ctx.load("memory", data=data.reshape(5, 7, 4, 5))
    for step in ctx.run_udf_iter(dataset=dataset, udf=AutoUDF(np.max, monitor=True)):
        assert step.buffers[0]["monitor"].data == np.flatnonzero(step.damage.data)[-1]
    nothing = np.zeros((5, 7), bool)
    result = ctx.run_udf(dataset=dataset, udf=AutoUDF(np.max, monitor=True), roi=nothing)
    assert result["monitor"].data.tolist() == [0]
    assert set(ctx.run_udf(dataset=dataset, udf=AutoUDF(np.max))) == {"result"}


def test_map(ctx, roi):
    data = make_data((5, 7, 6, 8))
    mapped = ctx.map(ctx.load("memory", data=data), np.median, roi=roi)
    assert mapped.kind == "nav"
    np.testing.assert_array_equal(mapped.raw_data, np.median(selected(data, roi), axis=(1, 2)))


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "c16"])
def test_record(ctx, tmp_path, dtype):
    data = make_data((5, 7, 6, 8), dtype)
    assert ctx.run_udf(ctx.load("memory", data=data), RecordUDF(tmp_path / "scan.npy")) == {}
    recorded = np.load(tmp_path / "scan.npy")
    assert recorded.dtype == data.dtype
    np.testing.assert_array_equal(recorded, data)


@pytest.mark.parametrize("there", ["another shape", "the same shape", "no array"])
def test_record_replaces_what_is_there(ctx, tmp_path, there):
    data, path = make_data((5, 7, 6, 8)), tmp_path / "scan.npy"
    if there == "no array":
        path.write_bytes(b"something else")
    else:
        np.save(path, np.ones((3, 3)) if there == "another shape" else np.ones_like(data))
    ctx.run_udf(dataset=ctx.load("memory", data=data), udf=RecordUDF(path))
    np.testing.assert_array_equal(np.load(path), data)


def test_record_keeps_frames_when_parameters_change(ctx, tmp_path):
    path = tmp_path / "scan.npy"
    data = make_data((64, 64, 16, 16))
    dataset = ctx.load("memory", data=data)
    stream = ctx.run_udf_iter(dataset=dataset, udf=RecordUDF(str(path)))
    next(stream)
    stream.update_parameters_experimental([{"filename": str(path)}])
    for _ in stream:
        pass
    np.testing.assert_array_equal(np.load(path), data)


@pytest.mark.parametrize("dtype", [">f4", "bool", "c8"])
@pytest.mark.parametrize("order", ["scan", "progressive"])
def test_record_in_any_order(ctx, tmp_path, dtype, order):
    data = (make_data((37, 41, 3, 5)) % 2).astype(dtype)
    np.save(tmp_path / "original.npy", data)
    dataset = ctx.load("npy", path=tmp_path / "original.npy")
    ctx.run_udf(dataset=dataset, udf=RecordUDF(tmp_path / "scan.npy"), order=order)
    np.testing.assert_array_equal(np.load(tmp_path / "scan.npy"), data)


def test_record_on_a_full_disk_is_an_error(tmp_path):
    record = f"""
import numpy as np
from udfwidgets import Context
with Context() as ctx:
    dataset = ctx.load("memory", data=np.ones((64, 64, 16, 16), "f4"))
    try:
        ctx.export_dataset(dataset, {str(tmp_path)!r} + "/scan.npy")
    except OSError as error:
        print(error.strerror)
"""
    mount = f"mount -t tmpfs -o size=1m none {tmp_path}"
    # In a namespace of its own, where the small disk is not seen by anybody else.
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*inside, mount], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    run = [*inside, f'{mount} && exec "$0" -c "$1"', sys.executable, record]
    done = subprocess.run(run, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "No space left on device\n")


def test_results_that_would_be_cut_are_refused(ctx):
    dataset = ctx.load("memory", data=np.full((4, 4, 2, 2), 0.5, "f4"))
    with pytest.raises(TypeError, match="returns float32 for this frame, but int64"):
        ctx.map(dataset, lambda frame: 0 if frame.max() > 0.9 else frame[0, 0])


@pytest.mark.parametrize("place", [(0, 0), (3, 4)])
def test_logsum_keeps_other_pixels_from_a_nan(ctx, place):
    data = make_data((3, 4, 6, 8), "f8")
    data[..., place[0], place[1]] = np.nan
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=LogsumUDF())["logsum"].data
    assert np.argwhere(np.isnan(result)).tolist() == [list(place)]


def test_threads_that_record_parse_no_header(ctx, tmp_path, monkeypatch):
    parse, parsed_by = ast.literal_eval, []
    # In Python 3.11 threads that parse at the same time may get a SystemError.
    monkeypatch.setattr(
        ast, "literal_eval", lambda text: parsed_by.append(threading.get_ident()) or parse(text)
    )
    data, path = make_data((64, 64, 16, 16)), tmp_path / "scan.npy"
    ctx.run_udf(dataset=ctx.load("memory", data=data), udf=RecordUDF(path))
    assert set(parsed_by) <= {threading.get_ident()}
    np.testing.assert_array_equal(np.load(path), data)


def test_record_refuses_a_roi(ctx, tmp_path):
    dataset = ctx.load("memory", data=make_data((5, 7, 6, 8)))
    with pytest.raises(RuntimeError, match="roi is not supported"):
        ctx.run_udf(dataset=dataset, udf=RecordUDF(tmp_path / "scan.npy"), roi=ROIS["holes"])
    assert not (tmp_path / "scan.npy").exists()


def moved(mask, shift):
    """Return a mask moved over a frame of the same shape, zeros coming in."""
    wide = np.zeros([3 * n for n in mask.shape])
    start = [n + int(np.clip(int(s), -n, n)) for n, s in zip(mask.shape, shift, strict=True)]
    wide[tuple(slice(s, s + n) for s, n in zip(start, mask.shape, strict=True))] = mask
    return wide[tuple(slice(n, 2 * n) for n in mask.shape)]


@pytest.mark.parametrize("shifts", [(0, 0), (2, -3), (-1.7, 2.9), (6, 0), (-40, 3)], ids=str)
def test_masks_with_one_shift(ctx, roi, shifts):
    data, stack = make_data((5, 7, 6, 8)), make_data((2, 6, 8), "f4", seed=1)
    udf = ApplyMasksUDF(lambda: stack, shifts=shifts)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf, roi=roi)["intensity"]
    expected = [[(frame * moved(m, shifts)).sum() for m in stack] for frame in selected(data, roi)]
    np.testing.assert_allclose(result.raw_data, expected, rtol=1e-6)


@pytest.mark.parametrize("use_sparse", [None, True])
def test_masks_with_a_shift_per_frame(ctx, roi, use_sparse):
    data, mask = make_data((5, 7, 6, 8)), make_data((6, 8), "f4", seed=1)
    shifts = np.random.default_rng(2).integers(-7, 8, (5, 7, 2))
    aux = ApplyMasksUDF.aux_data(shifts.ravel(), kind="nav", extra_shape=(2,), dtype=int)
    udf = ApplyMasksUDF([lambda: mask], shifts=aux, use_sparse=use_sparse)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf, roi=roi)["intensity"]
    pairs = zip(selected(data, roi), selected(shifts[..., None], roi)[..., 0], strict=True)
    expected = [[(frame * moved(mask, shift)).sum()] for frame, shift in pairs]
    np.testing.assert_allclose(result.raw_data, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shifts": (1, 2, 3)}, r"shape \(3,\)"),
        ({"shifts": (1, 2), "use_sparse": "scipy.sparse"}, "does not go with shifts"),
        ({"backends": ("cupy",)}, "no compatible backend"),
    ],
)
def test_wrong_arguments_for_masks(arguments, message):
    with pytest.raises(ValueError, match=message):
        ApplyMasksUDF([lambda: np.ones((3, 3))], **arguments)


def test_masks_from_a_factory_of_a_list(ctx):
    data, stack = make_data((5, 7, 6, 8)), make_data((2, 6, 8), "f4", seed=1)
    udf = ApplyMasksUDF(lambda: list(stack), use_torch=False, backends=("numpy",))
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf)["intensity"]
    np.testing.assert_allclose(result.data, np.einsum("abyx,myx->abm", data, stack), rtol=1e-5)
