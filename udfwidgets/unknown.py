"""What to say about a name that is not there: the names there are, the most similar first."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def unknown(name: object, names: Iterable[str], what: str = "") -> str:
    """Return a sentence that says that a name is not there, and which ones are.

    Parameters
    ----------
    name : object
        What was asked for.
    names : iterable of str
        What there is.
    what : str
        What such a name is called, with a blank behind it.
    """
    asked = str(name).lower()
    known = sorted(names, key=lambda each: -SequenceMatcher(None, asked, each.lower()).ratio())
    return f"there is no {what}{name!r} here, only {', '.join(known) or 'nothing'}"
