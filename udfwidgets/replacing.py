"""Files that get their name when they are complete."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(
    target: Path, *, overwrite: bool = True, beside: Path | None = None
) -> Iterator[Path]:
    """Give a new, empty file beside `target`, which takes its name when the block is through.

    Each block has a file of its own: of two at once, the last one to end leaves its file whole. A
    link in the folder is not followed, and a block that fails leaves everything as it was.

    Parameters
    ----------
    target : Path
        Name of the file; its folder has to be there.
    overwrite : bool
        Replace a file that has this name by then.
    beside : Path, optional
        Name of the new file, where others have to know it; by default one that nobody can guess.

    Raises
    ------
    FileExistsError
        If there is such a file and `overwrite` is not set.
    """
    unfinished = _new_file(target, beside)
    try:
        yield unfinished
        unfinished.chmod(_mode(target))
        if overwrite:
            unfinished.replace(target)
        else:
            _take_name(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _new_file(target: Path, beside: Path | None) -> Path:
    # Made exclusively, so that it is no link that somebody has put there.
    if beside is not None:
        beside.touch(0o600, exist_ok=False)
        return beside
    handle, name = tempfile.mkstemp(
        f".unfinished{target.suffix}", f".{target.stem}.", target.parent
    )
    os.close(handle)
    return Path(name)


def _take_name(unfinished: Path, target: Path) -> None:
    """Give a file a name that nobody else has got meanwhile."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise FileExistsError(f"{target} exists: pass overwrite=True to replace it") from None
    except OSError:  # a disk without links, such as a stick
        if os.path.lexists(target):
            raise FileExistsError(f"{target} exists: pass overwrite=True to replace it") from None
        unfinished.replace(target)


def _mode(target: Path) -> int:
    """Return the permissions of the file that is replaced, or those of any new file."""
    if target.is_file() and not target.is_symlink():
        return target.stat().st_mode & 0o777
    # The mask can only be read by setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
