"""Contenders, each in a process of its own that takes orders as JSON.

A contender is a class with `start`, `load`, `run` and `stop`, with the names of the `works` it can
do and of the file `formats` it reads. The modules here run in the environments of the peers, too:
each needs NumPy and its own contender, nothing else.
"""
