"""The engine beside its peers and the machine's own limit, measured side by side in one run.

How a measurement is made:

* Each contender (us, LiberTEM with one of its executors, dask.array, a bare numba loop, ...) is a
  process of its own, in its own environment, that lives for the whole run and waits for orders
  (`benchmarks.workers`).
* All read the same file, which is in the page cache.
* Rounds are interleaved: in each round every contender runs once, one after the other, so that a
  slow minute of the machine hits all of them. The order turns by one from round to round.
* The first run of each is a warm-up, and its results are checked against NumPy.
* A ratio is the median over the rounds of the ratio within a round.
"""
