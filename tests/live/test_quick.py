from __future__ import annotations

import ipywidgets
import pytest

from udfwidgets.live.image import LiveImage
from udfwidgets.live.quick import Layout
from udfwidgets.live.status import StatusBar


@pytest.fixture
def image():
    image = LiveImage((4, 5), kind="nav", title="test")
    yield image
    image.close()


@pytest.fixture
def bar():
    bar = StatusBar("run", ["cancel"])
    yield bar
    bar.close()


def test_pages_are_told_what_ipywidgets_would_tell(image, bar):
    figure = image.figure
    for widget in (image, image.canvas, figure, figure.axes[0], figure.scale_x, bar):
        told = widget.get_state()
        assert told == ipywidgets.Widget.get_state(widget)
        assert set(told) == set(widget.trait_names(sync=True))
        assert widget.get_state("_model_name") == {"_model_name": widget._model_name}


def test_widgets_of_a_class_share_it(image, bar):
    assert type(bar) is StatusBar
    assert bar._anywidget_id == image.canvas._anywidget_id == "udfwidgets"


def test_layout_tells_only_what_is_set():
    layout = Layout(width="3px")
    whole = ipywidgets.Widget.get_state(layout)
    assert layout.get_state() == {k: v for k, v in whole.items() if v is not None}
    layout.width = None
    assert layout.get_state("width") == {"width": None}
    layout.close()
