"""The package zarr, where it is installed: what it says of an array, and its frames.

All that it does are coroutines. They run in a loop on a thread of our own, which ends, and not in
the one that the package keeps for the rest of the process.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from udfwidgets.closing import Closing
from udfwidgets.errors import DataSetException

T = TypeVar("T")
_NEEDED = "Zarr files need the package zarr, version 3 (Python 3.11 or newer): "


class Loop(Closing):
    """Runs coroutines, one or several at a time.

    Parameters
    ----------
    where : str
        What they are about, for messages.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="udfwidgets-zarr")
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine gives.

        Raises
        ------
        DataSetException
            Whatever it raises.
        """
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        except DataSetException:
            raise
        except Exception as error:
            # Each codec raises its own kind, and the package others for what it does not expect.
            raise DataSetException(
                f"the package zarr cannot take {self._where}: {type(error).__name__}: {error}"
            ) from error

    def close(self) -> None:
        """Wait for the thread."""
        if not self._thread.is_alive():
            return
        ending = self._loop.shutdown_default_executor()
        asyncio.run_coroutine_threadsafe(ending, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Package(Closing):
    """An array of a store, as the package zarr opens it.

    Parameters
    ----------
    path : Path
        A directory or a zip.
    key : str
        Of the array.

    Raises
    ------
    DataSetException
        If the package is not installed, or refuses the array.
    """

    def __init__(self, path: Path, key: str) -> None:
        zarr = zarr_package()
        self._loop = Loop(f"{path}:{key}" if key else str(path))
        self._store: Any = None
        try:
            self.array = self._loop.run(self._open(zarr, path, key))
        except BaseException:
            self.close()
            raise

    async def _open(self, zarr: Any, path: Path, key: str) -> Any:
        if path.is_dir():
            self._store = zarr.storage.LocalStore(path, read_only=True)
        else:
            self._store = zarr.storage.ZipStore(path, mode="r")
        return await zarr.api.asynchronous.open_array(store=self._store, path=key, mode="r")

    def read(self, slices: tuple[slice, ...]) -> Any:
        """Return a part of the array."""
        return self._loop.run(self.array.getitem(slices))

    def close(self) -> None:
        """Close the store, and wait for the thread."""
        self._loop.close()
        if self._store is not None:
            self._store.close()


def zarr_package() -> Any:
    """Return the package zarr.

    Raises
    ------
    DataSetException
        If it is not installed, or too old.
    """
    try:
        zarr = importlib.import_module("zarr")
    except ImportError as error:
        raise DataSetException(_NEEDED + "pip install 'udfwidgets[zarr]'") from error
    if int(zarr.__version__.split(".")[0]) < 3:
        raise DataSetException(
            f"{_NEEDED}{zarr.__version__} is installed; pip install --upgrade 'udfwidgets[zarr]'"
        )
    return zarr
