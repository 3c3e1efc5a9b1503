"""Dask: the work of runs is done by the processes of a cluster, on this machine or on others.

```
executor    what a Context is given          | desk     hands out orders, takes answers
orders      packed once for many workers     | answers  merged, or told of
cluster     starts one on this machine       | remote   what happens on a worker
messages    what travels                     | parcels  packed once, unpacked once
```
"""

from udfwidgets.engine.executors.dask.executor import DaskExecutor

__all__ = ["DaskExecutor"]
