"""What `dir` lists of an object, and so what completion offers: what is for users."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, ClassVar

#: What our widgets are made of: hundreds of names, of which users need a few.
_MACHINERY = ("ipywidgets", "traitlets", "anywidget", "bqplot", "bqscales")
_NEEDED = frozenset({"children", "close", "layout", "observe", "unobserve"})


class Listed:
    """A mixin: leaves out of `dir` what is there for the rest of the package.

    All names can be used as before, and those that begin with an underscore are listed as ever.
    """

    #: Of this class and of those it is made of.
    _unlisted: ClassVar[Collection[str]] = ()

    def __dir__(self) -> Iterable[str]:
        classes = type(self).__mro__
        hidden = {name for each in classes for name in vars(each).get("_unlisted", ())}
        foreign = [each for each in classes if each.__module__.partition(".")[0] in _MACHINERY]
        if foreign:
            ours = set().union(*(vars(each) for each in classes if each not in foreign))
            theirs = set().union(*(vars(each) for each in foreign)) | {"comm", "keys", "log"}
            hidden |= theirs - ours - _NEEDED
        return [name for name in super().__dir__() if name not in hidden or name.startswith("_")]


def listing(names: Iterable[str], known: dict[str, Any]) -> Callable[[], list[str]]:
    """Return the ``__dir__`` of a module that lists these names, and those of Python's own.

    Parameters
    ----------
    names : iterable of str
        For users; modules among them are listed once they are imported.
    known : dict
        The globals of the module.
    """
    listed = frozenset(names)
    return lambda: sorted(n for n in known if n in listed or n.startswith("__"))
