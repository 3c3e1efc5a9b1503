"""Point and ask: shapes on the images of a scan, and what each of them answers.

```
begin       a view from what a user has given
view        one view over a scan, as a widget
board       shapes, what each of them asks, and the images of the answers
placing     where detectors are put at first    | code    the lines that reproduce an answer
panels      images, and the answers they show   | state   a view as plain data
asking      what has changed is asked anew, on a thread of its own
answer      the newest answer to one question
questions   what a shape asks of a scan         | formula  arithmetic of detectors
```

Imports go down only.
"""

from udfwidgets.explore.begin import explore
from udfwidgets.explore.view import Explorer

__all__ = ["Explorer", "explore"]
