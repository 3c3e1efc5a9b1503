"""Analyses: a UDF together with names, pictures and explanations of its results."""

from udfwidgets.analysis.base import Analysis
from udfwidgets.analysis.results import AnalysisResult, AnalysisResultSet

__all__ = ["Analysis", "AnalysisResult", "AnalysisResultSet"]
