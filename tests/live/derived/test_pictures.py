from __future__ import annotations

import numpy as np
import pytest

from tests.live.gated import PATIENCE
from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.calibration import Scale
from udfwidgets.live import LiveImage, Picture
from udfwidgets.live.derived import LiveFFT, Pictures
from udfwidgets.live.derived.fourier import magnitude

DATA = np.random.default_rng(5).random((16, 12, 4, 4)).astype(np.float32)


def transformed(image: np.ndarray) -> np.ndarray:
    return np.abs(np.fft.fftshift(np.fft.fft2(image - image.mean())))


@pytest.mark.parametrize("shape", [(16, 12), (15, 13), (1, 9), (1, 1)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "u2", "?"])
def test_magnitude_is_that_of_numpy(shape, dtype):
    image = (10 * np.random.default_rng(1).random(shape)).astype(dtype)
    np.testing.assert_allclose(magnitude(image, None), transformed(image.astype("f8")), atol=1e-6)


def test_what_is_not_covered_adds_nothing():
    image, covered = np.full((8, 8), np.nan), np.zeros((8, 8), bool)
    assert not magnitude(image, covered).any()
    image[2:4, 3:6], covered[2:4, 3:7] = [[1, 2, 3], [4, 5, 6]], True
    image[5, 5] = 1e9  # whatever stands there
    filled = np.zeros((8, 8))
    filled[2:4, 3:6] = image[2:4, 3:6] - 3.5
    np.testing.assert_allclose(magnitude(image, covered), transformed(filled), atol=1e-9)


@pytest.fixture
def image():
    image = LiveImage((16, 12), kind="nav", title="sums")
    yield image
    image.close()


def test_transform_follows_an_image(image):
    image.measure_shapes(Scale(0.5, "nm"), Scale(0.25, "nm"))
    image._feed.take_in(Picture(DATA[:, :, 0, 0], fraction=0.5))
    fft = LiveFFT(image)
    for i in range(2):
        image._feed.take_in(Picture(DATA[:, :, 0, i], fraction=0.6, generation=i))
        fft._feed.refresh()
        picture = fft._feed.picture
        np.testing.assert_allclose(
            picture.values, transformed(DATA[:, :, 0, i].astype("f8")), atol=1e-5
        )
        assert (picture.fraction, picture.generation, picture.final) == (0.6, i, False)
    assert fft.canvas.units == [(1 / 8, "1/nm"), (1 / 3, "1/nm")]
    fft.close()
    fft.close()
    image._feed.take_in(Picture(DATA[:, :, 1, 0]))
    assert not fft._feed.pending


def test_key_shows_it_beside_and_takes_it_away(image):
    other = LiveImage((4, 4), kind="sig", title="pattern")
    pictures = Pictures([image, other])
    image._feed.command("transform")
    _, fft, _ = pictures.children
    assert (pictures.children[0], pictures.children[2]) == (image, other)
    assert fft.title == "FFT of sums"
    image._feed.command("transform")
    assert pictures.children == (image, other)
    assert fft.comm is None
    beside = pictures.fft("pattern")
    assert pictures.fft(other) is pictures.fft(1) is beside
    pictures.show([image])
    assert (pictures.children, beside.comm) == ((image,), None)
    with pytest.raises(ValueError, match=r"'pattern'.*there are 'sums'"):
        pictures.fft("pattern")
    last = pictures.fft(0)
    pictures.close()
    assert last.comm is None
    image._feed.command("transform")  # nobody answers any more
    with pytest.raises(RuntimeError, match="closed"):
        pictures.fft(0)
    other.close()


def test_card_shows_the_transform_of_its_scan_image():
    with Context.make_with("threads", cpus=2) as ctx:
        live = ctx.live(ctx.load("memory", data=DATA), [SumSigUDF(), SumUDF()])
        fft = live.fft()
        live.result()
        assert live.wait_saved(PATIENCE)
        assert fft.wait_saved(PATIENCE)
        expected = transformed(DATA.sum((2, 3), dtype="f8"))
        np.testing.assert_allclose(fft._feed.picture.values, expected, atol=1e-3)
        assert fft._feed.picture.final
        assert fft.canvas._saved["header"]["final"]
        live.close()
        assert fft.comm is None
