"""Ways to read files that code written for LiberTEM chooses from, by class or by name."""

from __future__ import annotations

from typing import ClassVar


class IOBackend:
    """A way to read; ``ctx.load(..., io_backend=...)`` takes it, and reads as fits the file."""

    registry: ClassVar[dict[str, type[IOBackend]]] = {}
    id_: ClassVar[str | None] = None

    def __init_subclass__(cls, id_: str | None = None) -> None:
        """Note a way to read under its name."""
        super().__init_subclass__()
        if id_ is not None:
            cls.id_ = id_
            IOBackend.registry[id_] = cls

    @classmethod
    def get_cls_by_id(cls, id_: str) -> type[IOBackend] | None:
        """Return the class of that name, or None."""
        return cls.registry.get(id_)

    @classmethod
    def get_supported(cls) -> list[str]:
        """Return the names there are."""
        return list(cls.registry)

    @classmethod
    def platform_supported(cls) -> bool:
        """Return True: each of them can be chosen everywhere."""
        return True


class MMapBackend(IOBackend, id_="mmap"):
    """Mapped into memory, as files are here that hold frames as they are handed out.

    Parameters
    ----------
    enable_readahead_hints : bool
        Taken without effect.
    """

    def __init__(self, enable_readahead_hints: bool = False) -> None:
        self.enable_readahead_hints = enable_readahead_hints


class BufferedBackend(IOBackend, id_="buffered"):
    """Copied from the file, as compressed files are here.

    Parameters
    ----------
    max_buffer_size : int
        Taken without effect.
    """

    def __init__(self, max_buffer_size: int = 16 * 1024 * 1024) -> None:
        self.max_buffer_size = max_buffer_size


class DirectBackend(BufferedBackend, id_="direct"):
    """Past the cache of the system; that is left to the system here."""
