"""Files and folders that get their name when they are complete."""

from __future__ import annotations

import os
import shutil
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
    FileNotFoundError
        If the folder is not there.
    """
    _check_folder(target)
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


@contextmanager
def replacing_folder(target: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a new, empty folder beside `target`, which takes its name when the block is through.

    As `replacing` does for a file. What had the name before is removed then, with all in it.
    """
    _check_folder(target)
    unfinished = Path(tempfile.mkdtemp(".unfinished", f".{target.stem}.", target.parent))
    try:
        yield unfinished
        unfinished.chmod(0o777 & ~_umask())
        if os.path.lexists(target):
            if not overwrite:
                raise FileExistsError(f"{target} exists: pass overwrite=True to replace it")
            # Out of the way first: a folder does not take the place of one with something in it.
            before = unfinished.with_suffix(".before")
            target.rename(before)
            unfinished.rename(target)
            if before.is_dir() and not before.is_symlink():
                shutil.rmtree(before)
            else:
                before.unlink()
        else:
            unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check_folder(target: Path) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {target.parent.absolute()}, expected one for {target.name}"
        )


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
    return 0o666 & ~_umask()


def _umask() -> int:
    """Return which permissions new files do not get; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
