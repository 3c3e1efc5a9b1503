"""Analyses: a UDF together with names, pictures and explanations of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfwidgets.analysis.base import Analysis
from udfwidgets.analysis.results import AnalysisResult, AnalysisResultSet
from udfwidgets.names import further

__all__ = ["Analysis", "AnalysisResult", "AnalysisResultSet"]

if not TYPE_CHECKING:
    __getattr__ = further(__name__)
