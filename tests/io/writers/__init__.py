"""Writes small files of the formats as they are, in plain Python and NumPy, for tests alone."""
