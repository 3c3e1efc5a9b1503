"""Loops over pixels, compiled by numba, and how several UDFs share one of them."""
