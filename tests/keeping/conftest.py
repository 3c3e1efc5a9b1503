from __future__ import annotations

import io

import pytest
from matplotlib.figure import Figure


@pytest.fixture(scope="package", autouse=True)
def fonts() -> None:
    """Have matplotlib open its fonts before the first test: it keeps them for the next figure."""
    figure = Figure()
    figure.suptitle("$1$")
    for file_format in ("png", "svg", "pdf"):
        figure.savefig(io.BytesIO(), format=file_format)
