"""What a person sees of a run, in the notebook.

```
dashboard    all analyses of a Context
analysis     a card: what a person has asked for
history/     how far a signal stands out, and when that is enough
generation   one run of it                         | plot      lines and numbers
derived/     images made of other images
image | status | totals | report | keepers   what is on a card, what it says, who keeps it
shapes/      what a person points at on an image   | closer/   what is measured on one
fronts/      what differs between front ends
drawn | imaging/ | offered                   what our own widgets have in common, and images besides
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
from udfwidgets.live.picture.tint.planes import RGB, Vectors
from udfwidgets.live.status import StatusBar
from udfwidgets.told.names import listing

__all__ = [
    "RGB",
    "Dashboard",
    "LiveAnalysis",
    "LiveImage",
    "Picture",
    "Status",
    "StatusBar",
    "Vectors",
]

__dir__ = listing(__all__, globals())
