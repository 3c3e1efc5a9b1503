from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

# There is none for Python 3.10.
collect_ignore_glob = [] if find_spec("zarr") else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def threads_of_the_package() -> Iterator[None]:
    """Start the threads that the package keeps to the end of the process, before tests count."""
    zarr = importlib.import_module("zarr")
    with zarr.config.set({"threading.max_workers": 1}):
        zarr.create_array({}, shape=(1,), dtype="u1")[:] = 1
        yield
