from __future__ import annotations

import ipywidgets
import pytest
import traitlets

from udfwidgets.live.image import LiveImage
from udfwidgets.live.plot import LiveLine
from udfwidgets.live.quick import Layout, Quick
from udfwidgets.live.status import StatusBar


@pytest.fixture
def image():
    image = LiveImage((4, 5), kind="nav", title="test")
    yield image
    image.close()


@pytest.fixture
def line():
    line = LiveLine((1, 5), kind="nav", title="test")
    yield line
    line.close()


@pytest.fixture
def bar():
    bar = StatusBar("run", ["cancel"])
    yield bar
    bar.close()


def test_pages_are_told_what_ipywidgets_would_tell(image, line, bar):
    figure = image.figure
    for widget in (image, image.canvas, figure, line.figure.axes[0], figure.scale_x, bar):
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


class Watching(Quick, ipywidgets.Widget):
    """Observes one of its traits, and checks another."""

    seen = traitlets.Int()
    even = traitlets.Int()
    told = 0

    @traitlets.observe("seen")
    def _note(self, change):
        self.told = change["new"]

    @traitlets.validate("even")
    def _check(self, proposal):
        if proposal["value"] % 2:
            raise traitlets.TraitError("odd")
        return proposal["value"]


def test_what_a_class_observes_and_checks_is_told_to_it():
    widget = Watching(seen=3, even=4)
    assert (widget.told, widget.even) == (3, 4)
    widget.close()
    with pytest.raises(traitlets.TraitError):
        Watching(even=5)
    with pytest.raises(traitlets.TraitError):
        Layout(visibility="perhaps")
