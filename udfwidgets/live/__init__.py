"""What a person sees of a run, in the notebook."""

from udfwidgets.live.analysis import LiveAnalysis
from udfwidgets.live.dashboard import Dashboard
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.picture import Picture, Status
from udfwidgets.live.status import StatusBar

__all__ = ["Dashboard", "LiveAnalysis", "LiveImage", "Picture", "Status", "StatusBar"]
