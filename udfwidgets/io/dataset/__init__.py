"""The dataset contract and the formats that fulfil it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfwidgets.names import further

if not TYPE_CHECKING:
    __getattr__ = further(__name__)
