from __future__ import annotations

import ipywidgets
import pytest
import traitlets

from udfwidgets.live.image import LiveImage
from udfwidgets.live.status import StatusBar
from udfwidgets.live.wire import bundle


def sources():
    return [w for w in ipywidgets.widgets.widget._instances.values() if type(w) is bundle.Source]


def test_all_widgets_share_the_module_as_long_as_there_are_any():
    image, bar = LiveImage((3, 4), kind="sig"), StatusBar("run")
    [source] = sources()
    assert image.canvas._module is bar._module is source
    assert len(source.source) > 50 * len(bar._esm) > 0
    image.close()
    assert sources() == [source]
    bar.close()
    bar.close()
    assert sources() == []


def test_widget_that_is_refused_leaves_no_module():
    with pytest.raises(traitlets.TraitError, match="cubehelix"):
        LiveImage((3, 4), kind="sig", colormap="cubehelix")
    assert sources() == []


def test_forgotten_widget_may_be_collected_while_the_module_is_made(monkeypatch):
    forgotten = StatusBar("run")
    bundle.share.leave(forgotten._key)  # as if it had been the last one

    class Source(bundle.Source):
        def __init__(self, **traits):
            forgotten.close()
            super().__init__(**traits)

    monkeypatch.setattr(bundle, "Source", Source)
    bar = StatusBar("run")
    assert bar._module.comm is not None
    bar.close()


def test_module_comes_again_after_all_widgets_were_closed():
    before = StatusBar("run")
    ipywidgets.Widget.close_all()
    after = StatusBar("run")
    assert after._module.comm is not None
    after.close()
    before.close()
