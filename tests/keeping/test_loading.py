"""Results that were saved, read again."""

from __future__ import annotations

import base64
import io

import h5py
import numpy as np
import pytest
from PIL import Image

from udfwidgets import UDF, ApplyMasksUDF, Context, SumSigUDF, load_result
from udfwidgets.calibration import Calibration, Scale

DATA = np.random.default_rng(5).poisson(9, (6, 7, 4, 4)).astype("u2")


@pytest.fixture
def path(tmp_path):
    masks = ApplyMasksUDF(mask_factories=[lambda: np.ones((4, 4)), lambda: np.eye(4)])
    roi = np.zeros((6, 7), bool)
    roi[:4] = True
    with Context.make_with("inline") as ctx:
        live = ctx.live(ctx.load("memory", data=DATA), [SumSigUDF(), masks], roi=roi)
        live.result()
        given = Calibration(nav=[(2.5, "nm"), (2.0, "µm")])
        yield live.save(tmp_path / "a.h5", calibration=given)
        live.close()


def test_what_was_saved_is_there_again(path):
    saved = load_result(path)
    assert list(saved) == ["SumSigUDF: intensity", "ApplyMasksUDF: intensity"]
    sums, masks = saved.values()
    expected = np.where(saved.coverage, DATA.sum(axis=(2, 3)), np.nan)
    np.testing.assert_allclose(sums, expected)
    np.testing.assert_array_equal(sums.valid_mask, saved.coverage)
    assert saved.coverage[:4].all()
    assert not saved.coverage[4:].any()
    assert [axis.name for axis in masks.axes] == ["mask", "y", "x"]
    assert [axis.scale for axis in sums.axes] == [Scale(2.5, "nm"), Scale(2.0, "µm")]
    assert sums.call == "SumSigUDF()"
    assert saved.provenance["process_1"]["udf"] == "ApplyMasksUDF"
    assert saved.provenance["source"]["nav_shape"] == [6, 7]
    with pytest.raises(KeyError, match="there is no result 'intensity' here, only"):
        saved["intensity"]


def test_it_is_shown_and_saved_otherwise(path, tmp_path):
    saved = load_result(path)
    shown = saved._repr_mimebundle_()
    assert shown["text/plain"].startswith("<SavedResults of a.h5: SumSigUDF: intensity")
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    # Three images of 7 pixels, with gaps.
    assert picture.width >= 3 * 7
    assert (np.asarray(picture) == 190).all(axis=2).any()
    assert saved["SumSigUDF: intensity"].save(tmp_path / "b.png").stat().st_size > 1000


def test_other_files_are_refused(path, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"b\.h5 is no file"):
        load_result(tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["entry/data"] = DATA
    with pytest.raises(ValueError, match=r"b\.h5 is no file that udfwidgets .* 'something else'"):
        load_result(tmp_path / "b.h5")
    (tmp_path / "c.h5").write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"c\.h5 is no file that udfwidgets has saved"):
        load_result(tmp_path / "c.h5")
    with h5py.File(path, "a") as file:
        del file["entry/SumSigUDF_intensity/y"]
    with pytest.raises(ValueError, match=r"a\.h5 is no file that udfwidgets has saved"):
        load_result(path)


def test_a_card_shows_what_was_saved(path, tmp_path):
    saved = load_result(path)
    card = saved.show()
    try:
        sums, masks = card.images
        assert [image.title for image in card.images] == list(saved)
        assert (sums.shape, masks.canvas.slices, masks.canvas.slice_name) == ((6, 7), [2], "mask")
        assert sums.canvas.units == [(2.5, "nm"), (2.0, "µm")]
        assert all(image.wait_saved(5) for image in (card.status, *card.images))
        assert (card.status.status.state, card.status.status.frames_done) == ("done", 28)
        assert card.status.status.note.startswith("SumSigUDF(), ApplyMasksUDF(")
        picture = np.asarray(Image.open(io.BytesIO(sums.png())))
        np.testing.assert_array_equal((picture == 190).all(axis=2), ~saved.coverage)
        masks.slice = 1
        again = load_result(masks.save(tmp_path / "slice.h5"))
        (kept,) = again.values()
        assert kept.title == "ApplyMasksUDF: intensity, mask 1"
        np.testing.assert_array_equal(kept, saved["ApplyMasksUDF: intensity"].data[1])
    finally:
        card.close()
    assert repr(card) == "<SavedCard a.h5>"
    one = saved["SumSigUDF: intensity"].show()
    try:
        assert len(one.images) == 1
    finally:
        one.close()


@pytest.mark.parametrize("dtype", ["complex64", "bool"])
def test_results_of_any_kind_are_shown_as_far_as_they_can_be(tmp_path, dtype):
    class Own(UDF):
        def get_result_buffers(self):
            kinds = {"map": "nav", "pattern": "sig", "number": "single"}
            return {n: self.buffer(kind=k, dtype=dtype) for n, k in kinds.items()} | {
                "line": self.buffer(kind="single", extra_shape=(5,), dtype=dtype)
            }

        def process_frame(self, frame):
            """Leave all as it is."""

        def merge(self, dest, src):
            """Leave all as it is."""

    with Context.make_with("inline") as ctx:
        results = ctx.run_udf(dataset=ctx.load("memory", data=DATA), udf=Own())
        path = results.save(tmp_path / "own.h5")
    card = load_result(path).show()
    try:
        assert len(card.images) == 4
        assert all(image.wait_saved(5) for image in card.images)
        natures = [image.components[:1] for image in card.images]
        assert natures.count(("magnitude",)) == (2 if dtype == "complex64" else 0)
    finally:
        card.close()
