"""Has the tests of others use the browser of this machine, in place of one to download."""

from __future__ import annotations

import shutil
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Return what pytest-playwright starts a browser with."""
    return {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
