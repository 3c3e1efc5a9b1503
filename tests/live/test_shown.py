"""What is shown of results that are no single image: slices, lines and numbers."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image

from udfwidgets import UDF, ApplyMasksUDF, Context, PickUDF, SumUDF
from udfwidgets.live import LiveAnalysis, Picture, generation
from udfwidgets.live.plot import POINTS, LiveLine, LiveNumber, spelt
from udfwidgets.live.wire.flow import Sight
from udfwidgets.live.wire.hub import hub
from udfwidgets.live.wire.pool import BufferPool
from udfwidgets.udf.com import CoMUDF

from .gated import PATIENCE

DATA = np.random.default_rng(2).integers(0, 1000, (6, 5, 8, 7)).astype("u2")
MASKS = np.random.default_rng(3).integers(0, 2, (9, 8, 7)).astype("f4")
BEHIND = np.einsum("nmyx,kyx->knm", DATA.astype("f8"), MASKS)


class Made(UDF):
    """Results of any kind, made of the sums of the frames when they are asked for."""

    def __init__(self, kind, extra_shape, dtype="f8", make=None):
        super().__init__(kind=kind, extra_shape=extra_shape, dtype=dtype, make=make)

    def get_result_buffers(self):
        p = self.params
        return {
            "sums": self.buffer("nav", dtype="f8", use="private"),
            "made": self.buffer(p.kind, p.extra_shape, p.dtype, use="result_only"),
        }

    def process_frame(self, frame):
        self.results.sums[:] = frame.sum(dtype="f8")

    def merge(self, dest, src):
        dest.sums[:] = src.sums

    def get_results(self):
        return {"made": self.params.make(np.asarray(self.results.sums))}


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


@pytest.fixture
def shown(ctx, dataset):
    """Run UDFs to their end and return their card."""
    cards = []

    def show(udfs, plots=True, **options):
        card = ctx.live(dataset, udfs, plots=plots, **options)
        cards.append(card)
        card.result()
        assert card.wait_saved(PATIENCE)
        return card

    yield show
    for card in cards:
        card.close()


def picture(image):
    """Return what the feed of an image was given last."""
    return image._feed.picture.values


def titles(card):
    return [image.title for image in card.images]


def test_each_mask_is_an_image(shown):
    card = shown(ApplyMasksUDF(MASKS[:3]))
    assert titles(card) == [f"ApplyMasksUDF: mask {i}" for i in range(3)]
    for image, behind in zip(card.images, BEHIND, strict=False):
        assert image.canvas.image_kind == "nav"
        np.testing.assert_allclose(picture(image), behind)
        assert image._feed.picture.coverage.shape == (6, 5)


def test_results_of_either_sign_have_zero_in_the_middle(shown):
    live = shown(CoMUDF(), plots=[["field_x", "magnitude"]])
    assert [image.colormap for image in live.images] == ["vik", "viridis"]


def test_many_masks_are_one_image_with_a_slider(shown):
    (image,) = shown(ApplyMasksUDF(MASKS)).images
    assert image.title == "ApplyMasksUDF: intensity"
    assert (image.canvas.slices, image.canvas.slice_name) == ([9], "mask")
    assert image.slice == 0
    np.testing.assert_allclose(picture(image), BEHIND[0])
    image.slice = -2
    assert image.slice == 7
    assert saved_slice_becomes(image, 7)
    np.testing.assert_allclose(picture(image), BEHIND[7])
    with pytest.raises(ValueError, match="slice is 9, expected one of 9"):
        image.slice = 9


def saved_slice_becomes(image, index):
    """Wait, without a page, until a slice is saved with the notebook."""
    changed = threading.Event()
    image.canvas.observe(lambda _: changed.set(), "_saved")
    while image.canvas._saved["header"]["slice"] != index:
        assert changed.wait(PATIENCE)
        changed.clear()
    return True


def test_a_page_chooses_the_slice(shown):
    (image,) = shown(ApplyMasksUDF(MASKS)).images
    sent = []
    said = [
        {"type": "hello", "page": "p"},
        {"type": "want", "page": "p", "key": image.canvas._key, "view": "visible"},
        {"type": "slice", "page": "p", "key": image.canvas._key, "index": 4},
        {"type": "slice", "page": "p", "key": image.canvas._key, "index": 99},
    ]
    hub().receive({"type": "said", "page": "p", "messages": said}, lambda f, b: sent.append(f))
    assert saved_slice_becomes(image, 4)
    assert image.slice == 4
    np.testing.assert_allclose(picture(image), BEHIND[4])
    hub().receive({"type": "bye", "page": "p"}, lambda f, b: None)


def test_another_slice_has_limits_of_its_own(shown):
    (image,) = shown(ApplyMasksUDF(MASKS * 10.0 ** np.arange(9)[:, None, None])).images
    before = image._feed.limits
    image.slice = 8
    assert saved_slice_becomes(image, 8)
    assert image._feed.limits[1] > 1e6 * before[1]
    part = image._feed.part(Sight("visible"), BufferPool())
    codes = np.frombuffer(part.buffers["pixels"].memory, "<u2").reshape(6, 5)
    np.testing.assert_allclose(
        image._feed._encoding.decode(codes), picture(image), rtol=1e-3, atol=1e-4 * BEHIND.max()
    )


def test_slices_of_sig_and_of_frames(shown):
    stack = shown([Made("sig", (2, 4), make=lambda s: np.arange(448.0).reshape(8, 7, 2, 4))])
    (image,) = stack.images
    assert (image.title, image.canvas.slices) == ("Made: made", [2, 4])
    image.slice = 6
    assert saved_slice_becomes(image, 6)
    np.testing.assert_array_equal(picture(image), np.arange(448).reshape(8, 7, 2, 4)[..., 1, 2])
    roi = np.zeros((6, 5), bool)
    roi[2, 1:3] = True
    frames = shown(PickUDF(), roi=roi)
    assert titles(frames) == ["PickUDF: intensity [0]", "PickUDF: intensity [1]"]
    for image, frame in zip(frames.images, DATA[2, 1:3], strict=True):
        assert image.canvas.image_kind == "sig"
        np.testing.assert_array_equal(picture(image), frame)


def test_one_slice_by_its_place(shown):
    udf = Made("sig", (2, 4), make=lambda s: np.arange(448.0).reshape(8, 7, 2, 4))
    card = shown([udf, ApplyMasksUDF(MASKS)], [[("made", (1, 2)), ("made", 5)], [("intensity", 3)]])
    assert titles(card) == ["Made: made [1, 2]", "Made: made [1, 1]", "ApplyMasksUDF: mask 3"]
    np.testing.assert_array_equal(
        picture(card.images[0]), np.arange(448).reshape(8, 7, 2, 4)[..., 1, 2]
    )
    np.testing.assert_allclose(picture(card.images[2]), BEHIND[3])


@pytest.mark.parametrize("which", [9, (1, 2), "mask 1", 1.5])
def test_a_slice_that_is_not_there(ctx, dataset, which):
    with pytest.raises(ValueError, match=r"of ApplyMasksUDF does not exist.*among \(9,\)"):
        ctx.live(dataset, ApplyMasksUDF(MASKS), plots=[[("intensity", which)]])


def test_a_roi_hatches_each_slice(shown):
    roi = np.zeros((6, 5), bool)
    roi[1:4, 2:] = True
    card = shown(ApplyMasksUDF(MASKS[:2]), roi=roi)
    for image, behind in zip(card.images, BEHIND, strict=False):
        np.testing.assert_array_equal(image._feed.picture.coverage, roi)
        np.testing.assert_allclose(picture(image)[roi], behind[roi])
        bits = np.frombuffer(
            image._feed.part(Sight("visible"), BufferPool()).buffers["coverage"].memory, "u1"
        )
        np.testing.assert_array_equal(np.unpackbits(bits, bitorder="little")[:30], roi.reshape(-1))


HISTOGRAM = np.array([3, 2**63, 5, 2**62 + 1, 0], "u8")


@pytest.mark.parametrize(
    "values",
    [HISTOGRAM, HISTOGRAM.astype("i8"), np.array([1 + 1j, 3, -4j]), np.array([True, False])],
    ids=["u8", "i8", "complex", "bool"],
)
def test_one_axis_is_a_line_of_float64(shown, values):
    card = shown(Made("single", values.shape, values.dtype, lambda s: values))
    (line,) = card.images
    assert isinstance(line, LiveLine)
    (mark,) = line.figure.marks
    assert mark.y.dtype == mark.x.dtype == np.float64
    expected = np.abs(values) if values.dtype.kind == "c" else values
    np.testing.assert_array_equal(mark.y, expected.astype("f8"))
    np.testing.assert_array_equal(mark.x, np.arange(len(values)))
    assert line.canvas.line is mark


def test_what_is_not_finite_is_a_gap(shown):
    values = np.array([1, np.inf, np.nan, -np.inf, 5])
    (line,) = shown(Made("single", (5,), make=lambda s: values)).images
    np.testing.assert_array_equal(line.figure.marks[0].y, [1, np.nan, np.nan, np.nan, 5])
    assert line._feed.limits == pytest.approx((1, 5), rel=0.1)


@pytest.mark.parametrize(("top", "spelt"), [(0.5, ".5~g"), (99999, ".5~g"), (2e5, ".5~s")])
def test_numbers_along_the_edge_fit(shown, top, spelt):
    (line,) = shown(Made("single", (5,), make=lambda s: np.linspace(0, top, 5))).images
    assert line.figure.axes[1].tick_format == spelt


def test_a_long_line_shows_means(shown):
    n = 3 * POINTS - 2
    values = np.arange(n) % 100.0
    (line,) = shown(Made("single", (n,), make=lambda s: values)).images
    (mark,) = line.figure.marks
    blocks = [np.arange(n)[i : i + 3] for i in range(0, n, 3)]
    np.testing.assert_allclose(mark.x, [block.mean() for block in blocks])
    np.testing.assert_allclose(mark.y, [values[b].mean() for b in blocks])


def test_a_line_grows():
    line = LiveLine((1, 8), kind="nav")
    row = np.arange(8.0)[np.newaxis]
    for n in (3, 6, 8):
        covered = np.arange(8)[np.newaxis] < n
        taken = Picture(row, covered, fraction=n / 8, final=n == 8)
        line.offer(lambda taken=taken: taken, final=n == 8)
        line._feed.refresh()
        part = line._feed.part(Sight("visible"), BufferPool())
        codes = np.frombuffer(part.buffers["pixels"].memory, "<u2")
        expected = np.where(covered, row, np.nan)[0]
        np.testing.assert_allclose(line._feed._encoding.decode(codes), expected, atol=1e-3)
        np.testing.assert_array_equal(line.values(), expected)
        # Until the end only pages move it.
        assert len(line.figure.marks[0].y) == (8 if n == 8 else 0)
    line.close()


def test_a_scan_of_one_axis_is_a_line(ctx):
    scan = ctx.load("memory", data=DATA.reshape(-1, 8, 7), nav_shape=(30,))
    roi = np.arange(30) % 3 > 0
    card = ctx.live(scan, ApplyMasksUDF(MASKS[:2]), roi=roi)
    card.result()
    assert card.wait_saved(PATIENCE)
    assert titles(card) == ["ApplyMasksUDF: mask 0", "ApplyMasksUDF: mask 1"]
    for line, behind in zip(card.images, BEHIND, strict=False):
        assert isinstance(line, LiveLine)
        expected = np.where(roi, behind.reshape(-1), np.nan)
        np.testing.assert_allclose(line.figure.marks[0].y, expected)
    card.close()


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (2**63 + 1, "u8", "9 223 372 036 854 775 809"),
        (-12, "i4", "\u221212"),
        (1234.5678, "f8", "1 234.57"),
        (np.nan, "f8", "nan"),
        (3 + 4j, "c16", "5"),
        (True, "?", "True"),
    ],
)
@pytest.mark.parametrize("extra", [(), (1,), (1, 1)], ids=str)
def test_a_scalar_is_a_number(shown, value, dtype, text, extra):
    (number,) = shown(
        Made("single", extra, dtype, lambda s: np.full(extra or (1,), value, dtype))
    ).images
    assert isinstance(number, LiveNumber)
    assert number.canvas.text == text.replace(" ", "\u202f")
    with pytest.raises(RuntimeError, match="has no figure"):
        _ = number.figure
    assert number.png() is None


def test_numbers_are_spelt():
    assert spelt(np.float32(1e-9)) == "1e\u221209"
    assert spelt(np.int64(-1234567)) == "\u22121\u202f234\u202f567"


def test_detectors_of_a_kind_are_told_apart(shown):
    udfs = [ApplyMasksUDF(MASKS[:1]), SumUDF(), ApplyMasksUDF(MASKS[1:2])]
    assert titles(shown(udfs)) == [
        "ApplyMasksUDF[0]: intensity",
        "SumUDF: intensity",
        "ApplyMasksUDF[2]: intensity",
    ]


def test_titles_of_ones_own(shown):
    named = {
        "bright field": ("intensity", 0),
        "all": "intensity",
        "sum": ("intensity", lambda data: data.sum(axis=-1)),
        "difference": lambda results: results["intensity"].data @ [1, -1],
    }
    card = shown(ApplyMasksUDF(MASKS[:2]), named)
    assert titles(card) == ["bright field", "all: mask 0", "all: mask 1", "sum", "difference"]
    for image, expected in zip(
        card.images,
        [BEHIND[0], BEHIND[0], BEHIND[1], BEHIND[0] + BEHIND[1], BEHIND[0] - BEHIND[1]],
        strict=True,
    ):
        assert image.canvas.image_kind == "nav"
        np.testing.assert_allclose(picture(image), expected)
    assert "udfw-by-udf" not in card._dom_classes


def test_titles_for_several_udfs(shown):
    bright, dark = ApplyMasksUDF(MASKS[0]), ApplyMasksUDF(MASKS[1])
    listed = shown([bright, dark], [{"bright": "intensity"}, {"dark": "intensity"}])
    assert titles(listed) == ["bright", "dark"]

    def ratio(results):
        return results[0]["intensity"].data[..., 0] / results[1]["intensity"].data[..., 0]

    both = shown([bright, dark, SumUDF()], {"ratio": ratio})
    assert titles(both) == ["ratio"]
    np.testing.assert_allclose(picture(both.images[0]), BEHIND[0] / BEHIND[1])


def test_a_name_that_several_udfs_have(ctx, dataset):
    with pytest.raises(ValueError, match=r"'intensity' of plots\['mine'\] is a result of several"):
        ctx.live(dataset, [SumUDF(), ApplyMasksUDF(MASKS)], plots={"mine": "intensity"})


@pytest.mark.parametrize("plots", [{"a": "nothing"}, {"a": ("nothing", abs)}, {"a": 3}])
def test_names_that_are_not_there(ctx, dataset, plots):
    with pytest.raises(ValueError, match="does not exist; its channels that can be: 'intensity'"):
        ctx.live(dataset, SumUDF(), plots=plots)


class Words(UDF):
    def get_result_buffers(self):
        return {"word": self.buffer("nav", dtype=object), "more": self.buffer("nav", dtype="U3")}

    def process_frame(self, frame):
        self.results.word[:] = {"sum": frame.sum()}


def test_a_udf_without_images_is_told_how_to_make_one(shown):
    card = shown([SumUDF(), Words()])
    assert titles(card) == ["SumUDF: intensity"]
    assert card.status.status.note == (
        "no result of Words is shown as an image: name a function that makes one of it, "
        'plots=[[], [("word", function)]]'
    )
    with_line = shown(Made("single", (4,), make=lambda s: np.arange(4.0)))
    assert 'plots=[[("made", function)]]' in with_line.status.status.note
    sums = np.vectorize(lambda each: each["sum"] if isinstance(each, dict) else 0)
    said_so = shown([SumUDF(), Words()], [[], [("word", sums)]])
    np.testing.assert_array_equal(picture(said_so.images[0]), DATA.sum((2, 3)))
    assert said_so.status.status.note == ""
    with pytest.raises(ValueError, match="'word' of Words cannot be shown"):
        shown(Words(), [["word"]])


def test_a_card_for_somebody_elses_run_shows_the_same(ctx, dataset):
    result = ctx.run_udf(dataset, ApplyMasksUDF(MASKS[:2]), sync=False)
    guest = LiveAnalysis(result._run, guest=True)
    assert titles(guest) == ["ApplyMasksUDF: mask 0", "ApplyMasksUDF: mask 1"]
    result._run.wait(result._run.has_ended)
    assert guest.wait_saved(PATIENCE)
    np.testing.assert_allclose(picture(guest.images[1]), BEHIND[1])
    guest.close()


def test_other_parameters_keep_the_slices(shown):
    card = shown(ApplyMasksUDF(MASKS))
    (image,) = card.images
    image.slice = 3
    card.update_parameters([{"mask_factories": 2 * MASKS}])
    card.result()
    assert card.wait_saved(PATIENCE)
    np.testing.assert_allclose(picture(image), 2 * BEHIND[3])
    with pytest.raises(ValueError, match="images would get the shapes"):
        card.update_parameters([{"mask_factories": MASKS[:8]}])


def test_a_line_stands_in_as_a_picture(shown):
    card = shown([Made("single", (4,), make=lambda s: np.arange(4.0)), SumUDF()])
    line = np.asarray(Image.open(io.BytesIO(card.images[0].png())))
    assert (line != 255).any()
    sheet = Image.open(io.BytesIO(card.png()))
    assert sheet.width > line.shape[1]


class SlowRun:
    """Takes its time for a snapshot, on a clock of its own."""

    def __init__(self, clock):
        self.clock, self.frames, self.made = clock, 0, 0
        self.progress = self

    def snapshot(self):
        self.clock[0] += 10
        self.made += 1
        return self.frames


def test_snapshots_leave_the_run_most_of_the_time(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(generation.time, "monotonic", lambda: clock[0])
    run = SlowRun(clock)
    snapshots = generation.Snapshots(run)
    seen = []
    for run.frames in range(200):
        clock[0] += 1
        seen.append(snapshots.newest())
    assert seen == sorted(seen)
    assert run.made * 10 <= 0.25 * clock[0]
    assert snapshots.newest(last=True) == 199
    assert snapshots.newest(last=True) == 199
    snapshots.let_go()
