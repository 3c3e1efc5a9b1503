from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from udfwidgets.live.picture import loops
from udfwidgets.live.picture.image_feed import OVERVIEW, ImageFeed, changed_rect, union
from udfwidgets.live.picture.picture import Picture
from udfwidgets.live.picture.sampling import (
    REACH,
    bins,
    block_any,
    block_mean,
    factor_for,
    spread,
)
from udfwidgets.live.wire.flow import Sight
from udfwidgets.live.wire.pool import BufferPool

from .looped import loops_that_are


def feed(shape, kind="nav"):
    return ImageFeed("key", shape, kind, lambda *_: None, lambda: None)


def part_of(image_feed, **sight):
    return image_feed.part(Sight("visible", **sight), BufferPool())


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 4)),
        np.full((3, 4), 5),
        np.full((3, 4), -5),
        np.full((3, 4), np.nan),
        np.full((3, 4), np.inf),
        np.full((3, 4), 2**62, np.int64),
        np.array([[2**63, 2**64 - 1]], np.uint64),
        np.array([[-(2**63), 2**63 - 1]], np.int64),
        np.array([[-1.7e308, 1.7e308]]),
        np.array([[1e300, 1]]),
        np.array([[True, False]]),
        np.zeros((1, 1)),
        np.arange(9).reshape(1, 9),
        np.arange(9).reshape(9, 1),
        np.array([[0, 1e-310]]),
    ],
    ids=lambda v: f"{v.dtype} {v.shape} {v.flat[0]}",
)
def test_awkward_images_make_a_frame(values):
    image_feed = feed(values.shape)
    image_feed.take_in(Picture(values))
    part = part_of(image_feed)
    header = part.header
    assert np.isfinite([header["lo"], header["hi"], *header["limits"], *header["limits_log"]]).all()
    assert header["lo"] < header["hi"]
    codes = np.frombuffer(part.buffers["pixels"].memory, np.uint16).reshape(values.shape)
    if values.dtype.kind == "f":
        np.testing.assert_array_equal(codes == 0, np.isnan(values))
    assert (np.diff(codes.astype(int)[0][np.argsort(values[0], kind="stable")]) >= 0).all()


def test_wrong_shape_says_what_to_do():
    with pytest.raises(ValueError, match=r"\(3, 3\).*\(2, 2\).*make a LiveImage"):
        feed((2, 2)).take_in(Picture(np.zeros((3, 3))))


def test_coverage_of_nav_is_one_bit_per_pixel():
    coverage = np.random.default_rng(0).random((5, 7)) < 0.5
    image_feed = feed((5, 7))
    image_feed.take_in(Picture(np.zeros((5, 7)), coverage))
    packed = np.frombuffer(part_of(image_feed).buffers["coverage"].memory, np.uint8)
    bits = np.unpackbits(packed, bitorder="little", count=35).astype(bool)
    np.testing.assert_array_equal(bits.reshape(5, 7), coverage)


def test_coverage_of_sig_is_one_byte_per_bin():
    coverage = np.zeros((20, 20), bool)
    coverage[:10] = True
    image_feed = feed((5, 7), "sig")
    image_feed.take_in(Picture(np.zeros((5, 7)), coverage))
    strip = np.frombuffer(part_of(image_feed).buffers["coverage"].memory, np.uint8)
    assert strip.tolist() == [255] * 100 + [0] * 100


def test_large_image_is_reduced_and_shows_details_on_request():
    values = np.arange(1200 * 900).reshape(1200, 900)
    image_feed = feed(values.shape, "sig")
    image_feed.take_in(Picture(values))
    part = part_of(image_feed, look=(1100, 800, 300, 50))
    assert max(part.header["grid"]) <= OVERVIEW
    assert part.header["detail_rect"] == (1100, 800, 100, 50)
    codes = np.frombuffer(part.buffers["detail"].memory, np.uint16).reshape(100, 50)
    lo, hi = part.header["lo"], part.header["hi"]
    decoded = lo + (codes - 1.0) / 65534 * (hi - lo)
    np.testing.assert_allclose(decoded, values[1100:, 800:850], atol=(hi - lo) / 65534)


def test_contrast_alone_sends_no_pixels():
    image_feed = feed((4, 4))
    image_feed.take_in(Picture(np.arange(16).reshape(4, 4)))
    first = image_feed.version
    image_feed.take_in(Picture(np.arange(16).reshape(4, 4), fraction=0.5))
    part = part_of(image_feed, version=first)
    assert part.buffers == {}
    assert part.header["fraction"] == 0.5


@pytest.mark.parametrize("log", [False, True])
def test_codes_of_a_live_picture_serve_its_own_contrast_and_those_of_the_last_one_both(log):
    values = np.geomspace(1e-4, 1, 4096).reshape(64, 64)
    image_feed = feed(values.shape, "sig")
    image_feed.contrast(None, log)
    contrasts = {False: ((0.0, 1.0), False), True: ((1e-4, 1.0), True)}
    image_feed.take_in(Picture(values, fraction=0.5))
    assert (part_of(image_feed).header["curve"] is None) == (not log)
    assert image_feed._encoding.serves(contrasts[log])
    image_feed.take_in(Picture(values, final=True))
    assert all(image_feed._encoding.serves(contrast) for contrast in contrasts.values())


ELEMENTS = st.floats(-(2**20), 2**20, width=32) | st.just(np.nan)


@given(
    values=hnp.arrays("f8", (7, 5), elements=ELEMENTS),
    factor=st.integers(1, 8),
    dtype=st.sampled_from(["f8", "f4"]),
)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_block_mean_is_the_mean_of_each_block(is_compiled, values, factor, dtype):
    values = values.astype(dtype)
    with loops_that_are(is_compiled):
        means = block_mean(values, factor)
    for y in range(means.shape[0]):
        for x in range(means.shape[1]):
            block = values[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            known = block[~np.isnan(block)]
            expected = known.mean(dtype="f8") if known.size else np.nan
            np.testing.assert_allclose(means[y, x], expected, rtol=1e-9, atol=1e-6)


def test_an_image_that_cannot_be_written_to_compiles_nothing_anew():
    loops.compile_all()
    values = np.arange(35.0).reshape(7, 5)
    values.flags.writeable = False
    before = len(loops.means.signatures)
    np.testing.assert_allclose(
        block_mean(values, 3, np.isfinite(values))[0, 0], values[:3, :3].mean()
    )
    assert len(loops.means.signatures) == before


@given(mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2)), count=st.integers(1, 40))
def test_bins_are_full_only_when_all_is_in(mask, count):
    shares = bins(mask, count)
    assert (shares.max() == 0) <= (mask.sum() < mask.size)
    assert (shares.min() == 255) == mask.all()


@given(
    covered=hnp.arrays(bool, (9, 12)),
    estimable=st.just(np.ones((9, 12), bool)) | hnp.arrays(bool, (9, 12)),
)
def test_spread_shows_the_nearest_that_is_near(covered, estimable):
    values = np.arange(108.0).reshape(9, 12)
    shown = spread(values, covered, estimable)
    if not (estimable & ~covered).any():
        # Values that are not covered have no meaning: those of whole numbers look like any other.
        np.testing.assert_array_equal(shown, np.where(covered, values, np.nan))
        return
    np.testing.assert_array_equal(shown[covered], values[covered])
    ys, xs = np.nonzero(covered)
    for y, x in zip(*np.nonzero(~covered), strict=True):
        distances = np.hypot(ys - y, xs - x)
        near = distances.size and distances.min() <= REACH * 12
        if not (near and estimable[y, x]):
            assert np.isnan(shown[y, x])
        else:
            nearest = values[ys, xs][distances <= distances.min() + 1e-9]
            assert shown[y, x] in nearest


@pytest.mark.parametrize("n_known", [1, 7, 50, 900, 9000])
def test_spread_over_many_shows_the_nearest(n_known):
    rng = np.random.default_rng(n_known)
    covered = np.zeros((150, 331), bool)
    covered.reshape(-1)[rng.choice(covered.size, n_known, replace=False)] = True
    # A value says where it is.
    values = np.arange(covered.size, dtype=np.float64).reshape(covered.shape)
    shown = spread(values, covered, np.ones(covered.shape, bool))
    y, x = np.divmod(np.where(np.isnan(shown), 0, shown).astype(int), covered.shape[1])
    row, column = np.indices(covered.shape)
    least = distance_transform_edt(~covered)
    near = least <= REACH * 331
    np.testing.assert_array_equal(np.isnan(shown), ~near)
    assert covered[y, x][near].all()
    np.testing.assert_allclose(np.hypot(y - row, x - column)[near], least[near])


@given(
    covered=hnp.arrays(bool, (7, 9)),
    factor=st.integers(1, 4),
)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_block_mean_leaves_out_what_is_not_covered(is_compiled, covered, factor):
    values = np.arange(63.0).reshape(7, 9)
    values[2, 3] = np.nan
    with loops_that_are(is_compiled):
        means = block_mean(values, factor, covered)
        np.testing.assert_allclose(means, block_mean(np.where(covered, values, np.nan), factor))


def test_what_has_no_value_stands_in_for_nothing():
    covered = np.zeros((6, 6), bool)
    covered[2:4] = True
    values = np.where(covered, 7.0, 0.0)
    values[3] = np.nan
    shown = spread(values, covered, np.ones((6, 6), bool))
    np.testing.assert_array_equal(shown[1:3], 7)
    assert np.isnan(shown[3:]).all()


def test_estimates_are_sent_and_said_to_be():
    coverage = np.zeros((6, 6), bool)
    coverage[3] = True
    image_feed = feed((6, 6))
    values = np.where(coverage, 7.0, 0.0)
    spread(values, coverage, ~coverage)  # compiled from now on
    image_feed.take_in(Picture(values, coverage, estimable=np.ones((6, 6), bool)))
    part = part_of(image_feed)
    assert part.header["estimated"]
    codes = np.frombuffer(part.buffers["pixels"].memory, np.uint16).reshape(6, 6)
    np.testing.assert_array_equal(codes[2:5] == codes[3, 0], True)
    np.testing.assert_array_equal(codes[[0, 1, 5]], 0)


def test_pictures_do_not_wait_until_estimates_can_be_made():
    # In a process that has not made any.
    show = """
import threading
import numpy as np
from udfwidgets.live.picture.image_feed import ImageFeed
from udfwidgets.live.wire.flow import Sight
from udfwidgets.live.picture.picture import Picture
from udfwidgets.live.wire.pool import BufferPool
from udfwidgets.live.picture.loops import COMPILER
feed = ImageFeed("key", (6, 6), "nav", lambda *_: None, lambda: None)
coverage = np.zeros((6, 6), bool)
coverage[3] = True
picture = Picture(np.where(coverage, 7.0, 0.0), coverage, estimable=np.ones((6, 6), bool))
feed.take_in(picture)
def shown():
    pixels = feed.part(Sight("visible"), BufferPool()).buffers["pixels"].memory
    return np.flatnonzero(np.frombuffer(pixels, np.uint16).reshape(6, 6).all(axis=1)).tolist()
print(shown())
for thread in threading.enumerate():
    if thread.name == COMPILER:
        thread.join()
feed.take_in(picture)
print(shown())
"""
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[3]", "[2, 3, 4]"]


def test_limits_stay_until_a_new_run_has_merged_something():
    image_feed = feed((4, 4))
    values = np.arange(16.0).reshape(4, 4)
    image_feed.take_in(Picture(values, fraction=1.0))
    before = image_feed.limits
    nothing = np.zeros((4, 4), bool)
    for _ in range(2):
        image_feed.take_in(Picture(values * 0, nothing, fraction=0.0, generation=1))
        assert image_feed.limits == before
    image_feed.take_in(Picture(values * 10, fraction=1.0, generation=1))
    assert image_feed.limits[1] > 5 * before[1]


@pytest.mark.parametrize(
    ("shape", "factor"), [((1, 1), 1), ((512, 512), 1), ((513, 4), 2), ((4, 2048), 4)]
)
def test_factor(shape, factor):
    assert factor_for(shape, 512) == factor


def test_block_any():
    mask = np.zeros((5, 5), bool)
    mask[4, 4] = True
    assert block_any(mask, 2).tolist() == [[False] * 3, [False] * 3, [False, False, True]]


@given(
    before=hnp.arrays(np.uint16, (6, 5), elements=st.integers(0, 2)),
    after=hnp.arrays(np.uint16, (6, 5), elements=st.integers(0, 2)),
)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_changed_rect_holds_every_difference(is_compiled, before, after):
    with loops_that_are(is_compiled):
        y, x, height, width = changed_rect(before, after)
    patched = before.copy()
    patched[y : y + height, x : x + width] = after[y : y + height, x : x + width]
    np.testing.assert_array_equal(patched, after)
    if height:
        differs = (before != after)[y : y + height, x : x + width]
        assert differs[[0, -1]].any(axis=1).all()
        assert differs[:, [0, -1]].any(axis=0).all()


def test_union_steps_over_nothing():
    assert union([(0, 0, 0, 0), (1, 2, 3, 4), (5, 0, 1, 1)]) == (1, 0, 5, 6)
    assert union([]) == (0, 0, 0, 0)


@pytest.mark.parametrize("dtype", ["bool", "u1", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("side", [8, 2 * OVERVIEW])
def test_outside_is_outside_to_the_end_for_every_dtype(dtype, progressive, side):
    roi = np.zeros((side, side), bool)
    roi[: side // 2] = True
    values = np.where(roi, 1, 0).astype(dtype)
    image_feed = feed((side, side))
    estimable = roi if progressive else None
    image_feed.take_in(Picture(values, roi, final=True, estimable=estimable))
    part = part_of(image_feed, look=(0, 0, side, side))
    codes = np.frombuffer(part.buffers["pixels"].memory, np.uint16).reshape(part.header["grid"])
    rows = len(codes) // 2
    assert codes[:rows].all()
    assert not codes[rows:].any()
    if part.header["detail_rect"]:
        detail = np.frombuffer(part.buffers["detail"].memory, np.uint16).reshape(side, side)
        np.testing.assert_array_equal(detail != 0, roi)


@pytest.mark.parametrize("dtype", ["bool", "u1", "i8", "f4"])
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("side", [8, 2 * OVERVIEW])
def test_a_whole_picture_says_what_is_outside(dtype, final, side):
    expected = np.zeros((side, side), bool)
    expected[: side // 2] = True
    covered = expected.copy()
    covered[side // 4 :] = final
    image_feed = feed((side, side))
    image_feed.take_in(
        Picture(np.zeros((side, side), dtype), covered & expected, final=final, expected=expected)
    )
    whole = part_of(image_feed)
    packed = np.frombuffer(whole.buffers["outside"].memory, np.uint8)
    rows, columns = whole.header["grid"]
    outside = np.unpackbits(packed, count=rows * columns, bitorder="little").reshape(rows, columns)
    assert not outside[: rows // 2].any()
    assert outside[rows // 2 :].all()
    assert "outside" not in part_of(image_feed, version=image_feed.version).buffers


def test_where_all_is_expected_nothing_is_outside():
    for expected in (None, np.ones((4, 4), bool)):
        image_feed = feed((4, 4))
        image_feed.take_in(Picture(np.zeros((4, 4)), np.zeros((4, 4), bool), expected=expected))
        assert "outside" not in part_of(image_feed).buffers


def test_limits_that_are_chosen_get_codes_of_their_own():
    values = np.random.default_rng(0).normal(0, 1, (64, 64))
    values[0, 0] = 1e30
    image_feed = feed(values.shape)
    kept = []
    image_feed._save = lambda header, _: kept.append(header["curve"])
    image_feed.offer(lambda: Picture(values, final=True), final=True)
    image_feed.refresh()
    first = image_feed.version
    image_feed.contrast((0.5, 0.5001), False)
    assert image_feed.pending
    image_feed.refresh()
    assert image_feed.version > first
    assert len(set(kept)) == 2
    encoding = image_feed._shown.encoding
    assert encoding.serves(((0.5, 0.5001), False))
    # What is served already is not sent again.
    again = image_feed.version
    image_feed.contrast((0.5, 0.5001), False)
    assert not image_feed.pending
    image_feed.contrast(None, False)
    image_feed.refresh()
    image_feed.contrast((0.0, 2.0), False)
    image_feed.refresh()
    assert image_feed.version <= again + 1


def test_overview_of_a_large_picture_is_what_pages_show():
    values = np.random.default_rng(0).random((2 * OVERVIEW, 2 * OVERVIEW))
    image_feed = feed(values.shape, "sig")
    image_feed.take_in(Picture(values, final=True))
    seen, covered = image_feed.overview()
    assert covered is None
    np.testing.assert_allclose(seen, block_mean(values, 2), atol=1e-4)
