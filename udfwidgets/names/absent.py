"""What stands for a thing that is not here: it can be imported, and its use says what to do."""

from __future__ import annotations

from typing import Any, NoReturn


class NotHere(NotImplementedError, AttributeError):
    """A thing of LiberTEM that is not here is used; the message says what to do instead."""


class Absent(type):
    """The class of all that is not here: to be named, compared with and inherited from.

    Modules are full of subclasses that nobody uses in a session; it is using them that is refused.
    """

    advice: str

    def _refuse(cls) -> NoReturn:
        # Of a subclass, whose module is a user's, the one that is not here.
        first = next(base for base in cls.__mro__ if "advice" in vars(base))
        raise NotHere(f"{first.__module__}.{first.__qualname__} is not here: {cls.advice}")

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: D102 - refuses
        cls._refuse()

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        cls._refuse()

    def __repr__(cls) -> str:
        return f"<{cls.__module__}.{cls.__qualname__}, which is not here>"


def absent(module: str, name: str, advice: str) -> type:
    """Return what stands for a name.

    Parameters
    ----------
    module, name : str
        Where code written for LiberTEM has it from.
    advice : str
        What to do instead.
    """
    members = {"__module__": module, "__doc__": f"Not here: {advice}.", "advice": advice}
    if name.endswith(("Error", "Warning")):
        # It is never raised, and can stand in an ``except``.
        return type(name, (Exception,), members)
    return Absent(name, (), members)
