"""What our own widgets have in common: the code that draws them, and how pages reach them."""

from __future__ import annotations

from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from udfwidgets.live.quick import Layout, Quick
from udfwidgets.live.wire import bundle
from udfwidgets.live.wire.flow import Feed
from udfwidgets.live.wire.hub import hub


class Drawn(Quick, anywidget.AnyWidget):  # type: ignore[misc]
    """A widget that a module in `js/` draws, from its traits and from what its feed says.

    Parameters
    ----------
    key : str
        Of its feed.
    layout : Layout, optional
        Of the widget, which closes it.
    traits : object
        Values of other traits.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _module = traitlets.Instance(bundle.Source).tag(sync=True, **ipywidgets.widget_serialization)
    _anywidget_id = traitlets.Unicode("udfwidgets").tag(sync=True)
    _key = traitlets.Unicode().tag(sync=True)
    _saved = traitlets.Dict().tag(sync=True)

    #: Where its module is.
    _source: ClassVar[bundle.Share] = bundle.share
    _connected: Feed | None = None

    def __init__(self, key: str, *, layout: Layout | None = None, **traits: Any) -> None:
        module, layout = self._source.join(key), layout or Layout()
        try:
            super().__init__(
                _esm=bundle.loader(), _module=module, _key=key, layout=layout, **traits
            )
        except BaseException:
            self._source.leave(key)
            layout.close()
            raise

    def connect(self, feed: Feed) -> None:
        """Have pages show what a feed says, until `disconnect`; see `Hub.register`."""
        self.on_msg(_through_widget)
        hub().register(feed)
        self._connected = feed

    def disconnect(self) -> None:
        """Have pages told nothing any more, and nobody wait for it. May be called twice."""
        feed, self._connected = self._connected, None
        if feed is not None:
            hub().unregister(feed.key)
            feed.close()
            self.on_msg(_through_widget, remove=True)

    def close(self) -> None:
        """Close the widget; with the last one goes the module that all of them share."""
        self.disconnect()
        super().close()
        self._source.leave(self._key)

    def add_traits(self, **traits: Any) -> None:
        """Add those that the class does not have.

        anywidget adds one to each of its widgets, which makes a class for every single widget;
        that takes a third of the time in which a widget is made.
        """
        missing = {name: trait for name, trait in traits.items() if not self.has_trait(name)}
        if missing:
            super().add_traits(**missing)


def _through_widget(widget: Any, content: dict[str, Any], buffers: Any) -> None:
    """Take a message of a page that cannot open comms, as a callback of `on_msg`."""
    hub().receive(content, lambda frames, memory: widget.send(frames, memory))
