"""A card elsewhere than in a cell of Jupyter: in JupyterLab's side panel, and in marimo."""

from __future__ import annotations

import pkgutil
import weakref
from collections.abc import Mapping
from typing import Any

from IPython.display import display

MISSING = """beside() needs the package sidecar, which is not installed here:
    pip install 'udfwidgets[beside]'
in the environment of the kernel and in that of JupyterLab, then load the page again. Other front
ends have no such panel: display the card in a cell."""


class Elsewhere:
    """A mixin; whoever mixes it in is displayed, and has a status and images."""

    status: Any
    images: Any

    def beside(self, title: str = "udfwidgets") -> None:
        """Show it in JupyterLab's side panel, where it stays in sight while the notebook scrolls.

        It goes when the panel is closed by its tab, as it goes with the output of a cell.

        Parameters
        ----------
        title : str
            Of the panel.

        Raises
        ------
        RuntimeError
            If the package sidecar is not installed.
        """
        try:
            make: Any = pkgutil.resolve_name("sidecar:Sidecar")
        except ModuleNotFoundError as error:
            raise RuntimeError(MISSING) from error
        panel = make(title=title)
        with panel:
            display(self)  # type: ignore[no-untyped-call]
        weakref.finalize(self, panel.close).atexit = False

    def _display_(self) -> Any:
        """Return what marimo shows, which asks for it: it has nothing that groups widgets."""
        marimo: Any = pkgutil.resolve_name("marimo")
        show, images = marimo.ui.anywidget, self.images
        images = images.values() if isinstance(images, Mapping) else images
        row = marimo.hstack([show(each.canvas) for each in images], wrap=True, justify="start")
        return marimo.vstack([show(self.status), row])
