"""The LiberTEM process that all conformance tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import ipywidgets
import pytest

from tests.conformance.peer import Peer, find_python


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    """Run cases under LiberTEM; without its environment, skip here and fail in CI."""
    python = find_python()
    if not python.exists():
        message = f"LiberTEM is not there: no {python}; `make test` installs it"
        if os.environ.get("CI"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    peer = Peer(python)
    yield peer
    peer.close()


@pytest.fixture(autouse=True)
def no_pictures_left() -> Iterator[None]:
    """Close the pictures that a case has drawn, as the end of a notebook would."""
    yield
    ipywidgets.Widget.close_all()
