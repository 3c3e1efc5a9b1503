"""Whether outputs of a notebook show a widget, so that it can go when none does any more.

A widget lives in the kernel until it is closed, whatever happens to the outputs it was shown in.
Two sides know of them. The kernel knows what is displayed where, and when that is replaced; see
`places`. The pages know which views a person has deleted; see `flow`. A page that is reloaded or
closed has deleted nothing: the output is in the notebook, and may come back.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

import ipywidgets

from udfwidgets.live.places import places


class Outputs:
    """The outputs that show a widget, by itself or inside of others.

    Parameters
    ----------
    widget : ipywidgets.Widget
        Which one.
    on_gone : callable
        Called, on whatever thread, when the last of them is gone.
    on_shown : callable, optional
        Called, on whatever thread, when there is a first one.

    Attributes
    ----------
    is_shown : bool
        Whether there are any.
    """

    def __init__(
        self,
        widget: ipywidgets.Widget,
        on_gone: Callable[[], None],
        on_shown: Callable[[], None] | None = None,
    ) -> None:
        self.is_shown = False
        self._widget = weakref.ref(widget)
        self._on_gone = on_gone
        self._on_shown = on_shown
        self._was_shown = False
        #: A person has deleted what the kernel knows of, and it was not displayed again since.
        self._is_deleted = False
        self._replaced = False
        #: Lost one to a cell that is still running, and may display it again.
        self._undecided = False
        places.track(self)

    def __bool__(self) -> bool:
        return self.is_shown

    @property
    def widget(self) -> ipywidgets.Widget | None:
        """The one they show, while somebody holds it."""
        return self._widget()

    @property
    def are_lost(self) -> bool:
        """Whether there were any and there are none now."""
        return self._was_shown and not self.is_shown and not self._undecided

    @property
    def are_replaced(self) -> bool:
        """Whether they are lost because the last place that had one shows something else."""
        return self.are_lost and self._replaced

    def note(self) -> None:
        """Take note that the widget is displayed by the cell that is running."""
        widget = self.widget
        if widget is not None:
            places.note(widget)

    def deleted(self) -> None:
        """Take note that no page shows it any more."""
        if not self._undecided:
            self._is_deleted = True
            self.is_shown = self._replaced = False
            self._on_gone()

    def found(self, *, anew: bool) -> None:
        """Take note that a place shows it; anew: it has just been put there."""
        self._is_deleted &= not anew
        if self._is_deleted:
            return
        self._undecided = self._replaced = False
        if not self.is_shown:
            self.is_shown = self._was_shown = True
            if self._on_shown is not None:
                self._on_shown()

    def missed(self, *, replaced: bool) -> None:
        """Take note that no place shows it, until it is settled."""
        self.is_shown, self._undecided, self._replaced = False, True, replaced

    def settle(self) -> None:
        """Take note that it stays as it is."""
        if self._undecided:
            self._undecided = False
            self._on_gone()
