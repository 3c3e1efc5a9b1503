"""Result sets are found by key, number and attribute; pictures are made when looked at."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from PIL import Image

from udfwidgets.analysis import AnalysisResult, AnalysisResultSet
from udfwidgets.analysis.colours import CLASSES, picture, rgb_from_2dvector

DATA = np.arange(12.0).reshape(3, 4)


def make_result(key="intensity", visualized=None):
    shown = picture(DATA) if visualized is None else visualized
    return AnalysisResult(DATA, shown, "intensity", "what arrived", key)


@pytest.fixture
def results():
    return AnalysisResultSet([make_result("one"), make_result("two")], raw_results=DATA)


def test_access(results):
    assert [result.key for result in results] == results.keys() == ["one", "two"]
    assert results[1] is results["two"] is results.two
    assert results[-1] is results.two
    assert len(results) == 2
    assert repr(results) == "[<AnalysisResult: one>, <AnalysisResult: two>]"
    assert results.raw_results is DATA


def test_unknown_keys_name_those_there_are(results):
    with pytest.raises(KeyError, match="'three' not found, have: one, two"):
        results["three"]
    with pytest.raises(AttributeError, match="'three' not found, have: one, two"):
        _ = results.three
    with pytest.raises(IndexError):
        results[2]


def test_copies(results):
    for other in (copy.deepcopy(results), pickle.loads(pickle.dumps(results))):
        assert other.keys() == results.keys()


def test_nothing_is_made_before_it_is_looked_at():
    calls = []

    def shown():
        calls.append("picture")
        return picture(DATA)

    def source():
        calls.append("results")
        return [make_result(visualized=shown)]

    results = AnalysisResultSet(source)
    assert calls == []
    result = results.intensity
    assert calls == ["results"]
    assert result.visualized is result.visualized
    assert calls == ["results", "picture"]


def test_result_is_an_array():
    result = make_result()
    np.testing.assert_array_equal(result, DATA)
    assert np.asarray(result) is DATA
    assert np.array(result, copy=True, dtype="f4").dtype == np.float32


def test_result_in_words():
    lines = str(make_result()).splitlines()
    assert lines[:3] == ["title: intensity", "desc: what arrived", "key: intensity"]
    assert lines[3].startswith("raw_data: [[ 0.")
    assert any(line.startswith("visualized: [[[") for line in lines)


def test_image_file():
    with Image.open(make_result().get_image()) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), picture(DATA))
    with Image.open(make_result().get_image({"format": "tiff"})) as image:
        assert image.format == "TIFF"


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (5,)], ids=str)
def test_picture(logarithmic, shape):
    values = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    shown = picture(values, logarithmic=logarithmic)
    assert shown.dtype == np.uint8
    assert shown.shape == (*np.atleast_2d(values).shape, 3)


def test_colours_rise_with_the_values():
    shown = picture(np.arange(256.0).reshape(16, 16), colormap="gray", limits=(0, 255))
    np.testing.assert_array_equal(shown[..., 0].reshape(-1), np.arange(256))
    outliers = picture(np.array([[0, 1, 1e9, np.inf]]), limits=(0, 1), colormap="gray")
    assert outliers[0, :, 0].tolist() == [0, 255, 255, 0]


def test_what_is_not_in_is_black_and_does_not_count():
    values = np.array([[0.0, 1.0, np.nan, 1000.0]])
    shown = picture(values, np.array([[True, True, True, False]]), colormap="gray")
    assert shown[0, :, 0].tolist() == [0, 255, 0, 255]
    assert not picture(np.full((2, 2), np.nan)).any()


def test_classes_keep_their_colours():
    shown = picture(np.arange(20).reshape(4, 5), limits=(0, 19), colormap=CLASSES)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 20


def test_vectors():
    angles = np.linspace(-np.pi, np.pi, 9)[:-1]
    shown = rgb_from_2dvector(np.sin(angles), np.cos(angles))
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 8
    short = rgb_from_2dvector(np.array([[1, 0.5, 0, np.nan]]), np.zeros((1, 4)))
    assert short[0, 0].sum() > short[0, 1].sum() > 0
    assert not short[0, 2:].any()
    assert not rgb_from_2dvector(np.zeros((2, 2)), np.zeros((2, 2))).any()
