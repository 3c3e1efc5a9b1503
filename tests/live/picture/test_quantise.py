from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from udfwidgets.live.picture import loops
from udfwidgets.live.picture.colour import levels
from udfwidgets.live.picture.contrast import LINEAR, LOGARITHMIC, finite_range, widened
from udfwidgets.live.picture.image_feed import changed_rect
from udfwidgets.live.picture.quantise import STEPS, Curve, Encoding, settle

from .looped import loops_that_are

IMAGES = st.sampled_from(("bool", "u2", "i8", "u8", "f4", "f8")).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))
)


def contrasts_of(image, log):
    both = [(LINEAR(image), False), (LOGARITHMIC(image), True)]
    return both[::-1] if log else both


def settled(image, before=None, log=False, **options):
    with np.errstate(all="ignore"):
        return settle(
            before,
            finite_range(image),
            whole_numbers=image.dtype.kind in "iub",
            contrasts=contrasts_of(image, log),
            **options,
        )


@given(image=IMAGES, exact=st.booleans())
@pytest.mark.parametrize("is_compiled", [True, False])
def test_every_image_survives(is_compiled, image, exact):
    encoding = settled(image, exact=exact)
    with loops_that_are(is_compiled):
        codes = encoding.encode(image)
    assert codes.dtype == np.uint16
    missing = np.isnan(image) if image.dtype.kind == "f" else np.zeros(image.shape, bool)
    np.testing.assert_array_equal(codes == 0, missing)
    decoded = encoding.decode(codes)
    assert np.isfinite(decoded[~missing]).all()


ENDS = st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)).map(sorted)


@given(image=hnp.arrays("f4", (9, 7)), ends=ENDS, step=st.integers(1, 2))
def test_compiled_code_gives_the_same_codes(image, ends, step):
    encoding = Encoding(*widened(*ends))
    for values in (image[::step, ::step], image.astype("f8")[::step].T):
        codes = []
        for is_compiled in (True, False):
            with loops_that_are(is_compiled):
                codes.append(encoding.encode(values))
        np.testing.assert_array_equal(*codes)


def test_no_picture_has_anything_compiled_anew():
    loops.compile_all()
    before = [len(loop.signatures) for loop in (loops.encode, loops.extremes, loops.difference)]
    values = np.arange(35.0).reshape(7, 5)[:, ::2]
    values.flags.writeable = False
    for image in (values, values.astype("f4"), values.astype(">f8"), values.astype("i8")):
        codes = Encoding(0, 34).encode(image)
        assert (codes == Encoding(0, 34).encode(image.astype("i8"))).all()
        assert changed_rect(codes, codes[::-1]) == (0, 0, 7, 3)
        assert LINEAR(image)[1] > 0
    after = [len(loop.signatures) for loop in (loops.encode, loops.extremes, loops.difference)]
    assert after == before


@pytest.mark.parametrize("log", [False, True], ids=["linear contrast", "log contrast"])
@pytest.mark.parametrize("kind", ["noise", "beam", "counts", "signed", "offset", "hot pixel"])
def test_colours_stay_within_one_level(kind, log):
    rng = np.random.default_rng(1)
    radius = np.hypot(*np.indices((128, 128)) - 64)
    image = {
        "noise": rng.random((128, 128)),
        "beam": 1e6 * np.exp(-((radius / 8) ** 2)) + rng.random((128, 128)),
        "counts": rng.poisson(3, (128, 128)),
        "signed": rng.normal(0, 1, (128, 128)),
        "offset": 1e6 + rng.random((128, 128)),
        "hot pixel": np.where(radius < 1, 1e9, rng.random((128, 128))),
    }[kind]
    encoding = settled(image, log=log)
    limits = (LOGARITHMIC if log else LINEAR)(image)
    shown = levels(encoding.decode(encoding.encode(image)), limits, log=log)
    truth = levels(image, limits, log=log)
    assert np.abs(shown.astype(int) - truth).max() <= 1


def test_counts_are_exact():
    image = np.random.default_rng(0).integers(0, 60000, (64, 64), dtype=np.uint16)
    encoding = settled(image)
    np.testing.assert_array_equal(encoding.decode(encoding.encode(image)), image)


def test_infinities_are_the_ends():
    encoding = Encoding(0, 10)
    codes = encoding.encode(np.array([-np.inf, 0, 10, np.inf, np.nan]))
    assert codes.tolist() == [1, 1, STEPS + 1, STEPS + 1, 0]


def test_range_is_sticky_while_data_fits():
    image = np.linspace(0, 10, 100).reshape(10, 10)
    first = settled(image)
    assert settled(image * 1.1, before=first) is first
    grown = settled(image * 2, before=first)
    assert grown.hi >= 20
    shrunk = settled(image / 100, before=first)
    assert shrunk.hi < 1


def test_last_picture_wastes_no_range():
    image = np.linspace(0, 10, 100).reshape(10, 10)
    assert settled(image, before=settled(image), exact=True) == Encoding(0, 10)


@pytest.mark.parametrize("far", [1e3, 1e9, 1e38, 1e300])
@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (-1, -1)], ids=str)
def test_values_far_from_all_others_cost_no_colours(far, signs):
    image = np.random.default_rng(2).normal(0, 1, (200, 200))
    image[0, 0], image[-1, -1] = signs[0] * far, signs[1] * far
    limits = LINEAR(image)
    truth = levels(image, limits)
    encoding = settled(image)
    shown = levels(encoding.decode(encoding.encode(image)), limits)
    assert len(np.unique(shown)) == len(np.unique(truth)) > 200
    assert np.abs(shown.astype(int) - truth).max() <= 1


@pytest.mark.parametrize("far", [1e9, 1e38])
def test_limits_that_a_person_chooses_are_served(far):
    image = np.random.default_rng(2).normal(0, 1, (200, 200))
    image[0, 0], image[-1, -1] = -far, far
    limits = (0.5, 0.51)
    chosen = [(limits, False), *contrasts_of(image, False)]
    encoding = settle(None, finite_range(image), whole_numbers=False, contrasts=chosen)
    shown = levels(encoding.decode(encoding.encode(image)), limits)
    assert np.abs(shown.astype(int) - levels(image, limits)).max() <= 1


def test_pictures_are_encoded_in_strips_as_they_are_in_one():
    values = np.random.default_rng(0).random((301, 515))
    encoding = Encoding(0.0, 1.25, Curve(0.0, 0.001, 0.001, 0.9))
    rows = [encoding.encode(row) for row in values]
    assert np.array_equal(encoding.encode(values), rows)
    assert encoding.encode(values[:0]).shape == (0, 515)
