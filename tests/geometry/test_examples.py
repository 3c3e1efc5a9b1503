"""The examples that the page is tested with are what Python computes."""

import json

import numpy as np

from tests.geometry.examples import PATH, content
from udfwidgets.geometry import from_plain
from udfwidgets.geometry.directions import direction
from udfwidgets.geometry.plain import KINDS

TABLE = json.loads(PATH.read_text("utf-8"))


def test_the_file_is_the_one_that_is_written_today():
    assert PATH.read_text("utf-8") == content(), "python -m tests.geometry.examples writes it"


def test_masks_come_out_of_plain_data():
    for example in TABLE["examples"]:
        mask = np.zeros(example["frame"], bool)
        for y, first, stop in example["runs"]:
            mask[y, first:stop] = True
        figure = from_plain(example["shape"])
        np.testing.assert_array_equal(figure.mask(example["frame"]), mask, err_msg=str(figure))


def test_directions_are_the_same_to_the_bit():
    assert all(direction(angle) == (x, y) for angle, x, y in TABLE["directions"])


def test_each_kind_is_there_full_and_empty():
    seen = {(example["shape"]["type"], bool(example["runs"])) for example in TABLE["examples"]}
    assert seen == {(kind, is_full) for kind in KINDS for is_full in (True, False)}
