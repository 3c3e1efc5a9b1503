"""Holds the readers of formats against independent ones: ``make readers``."""
