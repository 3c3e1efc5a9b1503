"""What a person sees of a run, in the notebook.

```
dashboard    all analyses of a Context
analysis     a card: what a person has asked for
generation   one run of it                         | plot      lines and numbers
image | status | totals | report | keepers   what is on a card, what it says, who keeps it
shapes/      what a person points at on an image
drawn | offered                              what our own widgets have in common
picture/     how results become pictures
wire/        how pictures get to the pages
quick        widgets that are made quickly   | outputs   whether a widget is shown
places       what is displayed where
where        where that is now
```

Imports go down only.
"""

from udfwidgets.live.analysis import LiveAnalysis
from udfwidgets.live.dashboard import Dashboard
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.picture import Picture, Status
from udfwidgets.live.status import StatusBar
from udfwidgets.told.names import listing

__all__ = ["Dashboard", "LiveAnalysis", "LiveImage", "Picture", "Status", "StatusBar"]

__dir__ = listing(__all__, globals())
