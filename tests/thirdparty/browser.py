"""Has the tests of others use the browser of this machine, in place of one to download."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from typing import Any

import pytest

#: What the browser says of a server that a test has just started on a thread.
_NOT_YET = "ERR_CONNECTION_REFUSED"


class _Installed:
    @pytest.fixture(scope="session")
    def browser_type_launch_args(self) -> dict[str, Any]:
        """Return what pytest-playwright starts a browser with."""
        return {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}

    @pytest.fixture
    def page(self, page: Any) -> Any:
        """Return a page that waits for a server which is not there yet."""
        page.goto = functools.partial(_patiently, page, page.goto)
        return page


def _patiently(page: Any, goto: Callable[..., Any], *args: Any, **how: Any) -> Any:
    for _ in range(100):
        try:
            return goto(*args, **how)
        except Exception as error:
            if _NOT_YET not in str(error):
                raise
            page.wait_for_timeout(100)
    return goto(*args, **how)


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixtures: what comes after pytest-playwright takes the place of its own."""
    config.pluginmanager.register(_Installed())
