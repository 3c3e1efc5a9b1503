"""What a person sees of a run, in the notebook."""

from udfwidgets.live.analysis import LiveAnalysis
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture import Picture, Status
from udfwidgets.live.status import StatusBar

__all__ = ["LiveAnalysis", "LiveImage", "Picture", "Status", "StatusBar"]
