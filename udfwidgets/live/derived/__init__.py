"""Images that are made of other images, beside which they are shown.

```
pictures   the images of a card, with what is derived of them
transform  the Fourier transform of an image, as an image
fourier    its arithmetic                       (loaded when it is first asked for)
```

Imports go down only.
"""

from udfwidgets.live.derived.pictures import Pictures, WithPictures
from udfwidgets.live.derived.transform import LiveFFT

__all__ = ["LiveFFT", "Pictures", "WithPictures"]
