"""All forms of ``plots``: true, channels, plots of one's own, and a class that shows nothing."""

from __future__ import annotations

import base64
import io
import logging
import re

import numpy as np
import pytest
from PIL import Image

from udfwidgets import Context, PickUDF, SumSigUDF, SumUDF
from udfwidgets.engine.ends.plots import Dummy2DPlot
from udfwidgets.engine.ends.view import NoView
from udfwidgets.errors import DataSetException
from udfwidgets.live import LiveAnalysis
from udfwidgets.live.report import status_of
from udfwidgets.live.wire.hub import hub
from udfwidgets.udf import UDF

PATIENCE = 10
DATA = np.random.default_rng(0).integers(0, 1000, (32, 32, 8, 8)).astype("u2")


class Several(UDF):
    """Results that are images, and others that are not."""

    def get_result_buffers(self):
        return {
            "vector": self.buffer("nav", (2,)),
            "one": self.buffer("nav", (1,)),
            "total": self.buffer("sig"),
            "hidden": self.buffer("sig", use="private"),
            "count": self.buffer("single"),
            "words": self.buffer("nav", dtype=object),
        }

    def process_tile(self, tile):
        self.results.vector[:, 0] = 1j.imag
        self.results.one[:] = 2

    def merge(self, dest, src):
        dest.vector = src.vector
        dest.one = src.one


class MyPlot:
    """Notes what it is handed."""

    def __init__(self, udf):
        self.udf, self.seen, self.last = udf, [], []

    def get_udf(self):
        return self.udf

    def new_data(self, udf_results, damage, force=False):
        self.seen.append((udf_results["intensity"].data.sum(dtype="f8"), damage.sum()))
        self.last.append(force)


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


def shown(ctx, dataset, udf, plots):
    """Return the titles and shapes of the images of a live view."""
    live = ctx.live(dataset, udf, plots=plots)
    live.result()
    images = [(image.title, image.shape) for image in live.images]
    live.close()
    return images


def test_true_shows_the_first_image_of_each_udf(ctx, dataset):
    assert shown(ctx, dataset, [SumUDF(), Several(), PickUDF(), SumSigUDF()], True) == [
        ("SumUDF: intensity", (8, 8)),
        ("Several: one", (32, 32)),
        ("PickUDF: intensity", (8, 8)),
        ("SumSigUDF: intensity", (32, 32)),
    ]


def test_a_scan_of_one_axis_has_one_row(ctx):
    scan = ctx.load("memory", data=DATA.reshape(-1, 8, 8), nav_shape=(1024,))
    rows = [[("intensity", np.log1p), "intensity"]]
    for order in ("scan", "progressive"):
        live = ctx.live(scan, SumSigUDF(), plots=rows, order=order)
        sums = live.result()[0]["intensity"].data
        for image, expected in zip(live.images, (np.log1p(sums), sums), strict=True):
            assert image.wait_saved(5)
            np.testing.assert_allclose(image._feed.picture.values, [expected])
            assert image._feed.picture.coverage.shape == (1, 1024)
        live.close()
    assert shown(ctx, scan, [SumUDF(), SumSigUDF()], True) == [
        ("SumUDF: intensity", (8, 8)),
        ("SumSigUDF: intensity", (1, 1024)),
    ]


def test_channels_and_functions(ctx, dataset):
    def norm(vector):
        return np.hypot(vector[..., 0], vector[..., 1])

    plots = [["total", ("vector", norm)], [("intensity", np.log1p)]]
    assert shown(ctx, dataset, [Several(), SumUDF()], plots) == [
        ("Several: total", (8, 8)),
        ("Several: norm(vector)", (32, 32)),
        ("SumUDF: log1p(intensity)", (8, 8)),
    ]


@pytest.mark.parametrize(
    ("plots", "message"),
    [
        ([["nothing"]], r"'nothing' of Several does not exist.*'one', 'total'"),
        ([["hidden"]], r"'hidden' of Several does not exist.*'one', 'total'"),
        ([["words"]], r"'words' of Several cannot be shown.*'one', 'total'"),
        ([[("vector", np.atleast_3d)]], r"shape \(32, 32, 2\).*expected an image"),
        (["one", "total"], "one list of channels for each of Several"),
        ("total", "'total', expected True or a list"),
    ],
)
@pytest.mark.parametrize("method", ["run_udf", "run_udf_iter", "live"])
def test_wrong_channels_list_the_right_ones(ctx, dataset, method, plots, message):
    with pytest.raises(ValueError, match=message):
        getattr(ctx, method)(dataset=dataset, udf=Several(), plots=plots)


def test_own_plots(ctx, dataset):
    by_pixel, by_frame = SumUDF(), SumSigUDF()
    plots = [MyPlot(by_frame), MyPlot(by_pixel)]
    ctx.run_udf(dataset=dataset, udf=[by_pixel, by_frame], plots=plots)
    for plot in plots:
        assert plot.seen[-1] == (pytest.approx(DATA.sum()), 1024)
    list(ctx.run_udf_iter(dataset=dataset, udf=[by_pixel, by_frame], plots=plots))
    assert plots[0].seen[-1] == (pytest.approx(DATA.sum()), 1024)


@pytest.mark.anyio
async def test_own_plots_while_awaiting(ctx, dataset):
    udf = SumUDF()
    plot = MyPlot(udf)
    result = await ctx.run_udf(dataset=dataset, udf=udf, plots=[plot], sync=False)
    assert result["intensity"].data.sum(dtype="f8") == pytest.approx(DATA.sum())
    assert plot.seen[-1] == (pytest.approx(DATA.sum()), 1024)


def test_an_own_plot_needs_a_udf_of_the_run(ctx, dataset):
    with pytest.raises(ValueError, match="is not one of the UDFs given"):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), plots=[MyPlot(SumUDF())])


def test_an_own_plot_that_raises_ends_the_run(ctx, dataset):
    class Breaks(MyPlot):
        def new_data(self, udf_results, damage, force=False):
            raise ZeroDivisionError("on the axes")

    udf = SumUDF()
    with pytest.raises(ZeroDivisionError, match="on the axes"):
        ctx.run_udf(dataset=dataset, udf=udf, plots=[Breaks(udf)])
    assert ctx.run_udf(dataset=dataset, udf=udf)["intensity"].data.sum(dtype="f8") == pytest.approx(
        DATA.sum()
    )


def test_plot_class(dataset):
    made = []

    class Noted(NoView):
        def __init__(self, run, plots):
            made.append(plots)

    with Context(plot_class=Noted) as ctx:
        ctx.run_udf(dataset=dataset, udf=SumUDF(), plots=True)
        ctx.run_udf(dataset=dataset, udf=SumUDF())
    assert made == [True]


def test_a_view_ends_with_its_run_and_closes(ctx, dataset):
    live = ctx.live(dataset, SumUDF())
    (result,) = live.result()
    assert result["intensity"].data.sum(dtype="f8") == pytest.approx(DATA.sum())
    assert live.done
    assert isinstance(live, LiveAnalysis)
    assert repr(live) == "<LiveAnalysis SumUDF>"
    live.close()
    live.close()


@pytest.mark.anyio
async def test_a_view_is_awaitable_and_an_async_iterator(ctx, dataset):
    live = ctx.live(dataset, [SumUDF(), SumSigUDF()])
    steps = [step async for step in live]
    assert steps[-1].damage.data.all()
    assert steps[-1].buffers[0]["intensity"].data.sum(dtype="f8") == pytest.approx(DATA.sum())
    assert len(await live) == 2
    live.close()


class Kept(LiveAnalysis):
    """Can be found by a test although `run_udf` does not return it."""

    def __init__(self, run, plots):
        super().__init__(run, plots)
        Kept.newest = self


@pytest.fixture
def gone(ctx, tmp_path):
    """A scan whose file is deleted after it was loaded."""
    path = tmp_path / "scan.npy"
    np.save(path, DATA)
    dataset = ctx.load("npy", path=path)
    path.unlink()
    return dataset


@pytest.mark.parametrize("method", ["run_udf", "run_udf_iter"])
def test_a_run_that_cannot_start_is_shown_as_failed(ctx, gone, method):
    ctx.plot_class = Kept
    with pytest.raises(DataSetException) as raised:
        getattr(ctx, method)(dataset=gone, udf=SumUDF(), plots=True)
    assert Kept.newest.done
    status = status_of(Kept.newest._run)
    assert status.state == "failed"
    assert status.message == f"DataSetException: {raised.value}"
    Kept.newest.close()


def test_a_view_of_a_run_that_cannot_start_is_closed(ctx, gone):
    with pytest.raises(DataSetException):
        ctx.live(gone, SumUDF())
    assert not hub()._feeds


def test_a_view_on_a_closed_context_is_closed(dataset):
    with Context() as closed:
        pass
    with pytest.raises(RuntimeError, match="the Context is closed"):
        closed.live(dataset, SumUDF())
    assert not hub()._feeds


class Breaks(UDF):
    """Its results cannot be had, at first or ever."""

    def __init__(self, at_end=True):
        super().__init__(at_end=at_end)

    def get_result_buffers(self):
        return {"intensity": self.buffer("sig")}

    def process_tile(self, tile):
        self.results.intensity[:] += tile.sum(axis=0)

    def merge(self, dest, src):
        dest.intensity += src.intensity

    def get_results(self):
        if self.params.at_end or self.results.intensity.sum(dtype="f8") < DATA.sum():
            raise ZeroDivisionError("too few frames")
        return {"intensity": self.results.intensity}


def last_status(live):
    """Return what the status bar saves with the notebook, when all pictures have been taken."""
    assert live.wait_saved(PATIENCE)
    return live.status._saved["header"]


def test_no_snapshot_is_kept_after_the_end(ctx, dataset):
    live = ctx.live(dataset, [SumUDF(), SumSigUDF()])
    live.result()
    last_status(live)
    assert live._generation.snapshots._newest is None
    live.close()


def test_a_view_that_has_ended_offers_its_pictures_as_png(ctx, dataset):
    live = ctx.live(dataset, [SumUDF(), SumSigUDF()])
    live.result()
    bundle = live._repr_mimebundle_()
    assert bundle["text/plain"] == "<LiveAnalysis SumUDF, SumSigUDF>"
    assert "application/vnd.jupyter.widget-view+json" in bundle
    sheet = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    # 8 x 8 pixels enlarged to the height of 32 x 32, and a gap.
    assert sheet.size == (32 + 4 + 32, 32)
    (by_frame,) = (Image.open(io.BytesIO(image.png())) for image in live.images[1:])
    assert sheet.crop((36, 0, 68, 32)).tobytes() == by_frame.convert("RGB").tobytes()
    live.close()


def test_a_view_without_pictures_is_text():
    with Context.make_with("inline") as ctx:
        live = ctx.live(ctx.load("memory", data=DATA), SumUDF())
        assert "image/png" not in live._repr_mimebundle_()
        live.close()


def broken_image(values):
    if len(values) and values.any() and values.flat[0] != 1:
        raise KeyError("no such thing")
    return values


def other_shape(values):
    return values if (values == 1).all() else values[:3]


@pytest.mark.parametrize(
    ("udf", "plots", "message"),
    [
        (Breaks(), True, "ZeroDivisionError: too few frames"),
        (SumUDF(), [[("intensity", broken_image)]], "KeyError: 'no such thing'"),
        (SumUDF(), [[("intensity", other_shape)]], r"ValueError: .*shape \(3, 8\)"),
    ],
    ids=["get_results", "function", "shape"],
)
def test_what_cannot_be_drawn_is_said_in_the_card(ctx, dataset, udf, plots, message, caplog):
    with caplog.at_level(logging.INFO):
        live = ctx.live(dataset, udf, plots=plots)
        live._run.wait(live._run.has_ended)
        status = last_status(live)
    assert status["state"] == "failed"
    assert re.match(message, status["message"])
    assert [r.name for r in caplog.records] == ["udfwidgets.live.generation"]
    live.close()


def test_what_can_be_drawn_in_the_end_is_no_failure(ctx, dataset):
    live = ctx.live(dataset, [Breaks(at_end=False), SumUDF()])
    assert len(live.result()) == 2
    assert last_status(live)["state"] == "done"
    assert last_status(live)["message"] == ""
    live.close()


@pytest.mark.filterwarnings("error")
def test_functions_of_empty_results_do_not_warn(ctx, caplog):
    dataset = ctx.load("memory", data=np.zeros((4, 4, 8, 8)))
    live = ctx.live(dataset, SumUDF(), plots=[[("intensity", np.log)]])
    live.result()
    assert last_status(live)["state"] == "done"
    assert not caplog.records
    live.close()


def assert_saved(live):
    """Check what a notebook would keep, at once, and close the view."""
    for image in live.images:
        assert image.canvas._saved["header"]["final"]
    assert live.status._saved["header"]["state"] == "done"
    live.close()


def test_result_comes_after_the_last_pictures_are_saved(ctx, dataset):
    for _ in range(20):
        live = ctx.live(dataset, [SumUDF(), SumSigUDF()])
        live.result()
        assert_saved(live)


@pytest.mark.anyio
async def test_awaited_result_comes_after_the_last_pictures_are_saved(ctx, dataset):
    for _ in range(10):
        live = ctx.live(dataset, [SumUDF(), SumSigUDF()])
        await live
        assert_saved(live)
        live = ctx.live(dataset, [SumUDF(), SumSigUDF()])
        assert [step async for step in live]
        assert_saved(live)


def test_runs_with_plots_end_after_the_last_pictures_are_saved(ctx, dataset):
    ctx.plot_class = Kept
    for _ in range(20):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), plots=True)
        assert_saved(Kept.newest)
        assert list(ctx.run_udf_iter(dataset=dataset, udf=SumUDF(), plots=True))
        assert_saved(Kept.newest)


@pytest.mark.anyio
async def test_async_runs_with_plots_end_after_the_last_pictures_are_saved(ctx, dataset):
    ctx.plot_class = Kept
    for _ in range(10):
        await ctx.run_udf(dataset=dataset, udf=SumUDF(), plots=True, sync=False)
        assert_saved(Kept.newest)
        stream = ctx.run_udf_iter(dataset=dataset, udf=SumUDF(), plots=True, sync=False)
        assert [step async for step in stream]
        assert_saved(Kept.newest)


def test_the_hubs_own_thread_does_not_wait_for_itself(ctx, dataset):
    answers = []

    def nosy(values):
        if not (values == 1).all() and Kept.newest.done:
            answers.append(Kept.newest.wait_saved(PATIENCE))
        return values

    ctx.plot_class = Kept
    live = ctx.live(dataset, SumUDF(), plots=[[("intensity", nosy)]])
    assert live.images
    live.result()
    live.wait_saved(PATIENCE)
    assert answers == [False]
    live.close()


def test_a_class_of_plots_draws_what_is_waited_for_alone() -> None:
    with Context(plot_class=Dummy2DPlot) as ctx:
        dataset = ctx.load("memory", data=DATA)
        live = ctx.live(dataset, SumUDF())
        assert isinstance(live, LiveAnalysis)
        live.result()
        live.close()
        with pytest.raises(ValueError, match=r"one list of channels for each of SumUDF, as Dummy"):
            ctx.run_udf(dataset, SumUDF(), plots={"sum": "intensity"})
        with pytest.raises(ValueError, match=r"channel 'nope' .* those that are: \['intensity'\]"):
            ctx.run_udf(dataset, SumUDF(), plots=[["nope"]])
        (result,) = ctx.run_udf(dataset, [SumUDF()], plots=[[]])
    np.testing.assert_array_equal(result["intensity"].data, DATA.sum((0, 1)))
