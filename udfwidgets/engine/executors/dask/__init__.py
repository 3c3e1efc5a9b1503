"""Dask: the work of runs is done by the processes of a cluster, on this machine or on others.

```
executor    hands out orders and merges the answers
cluster     starts a cluster on this machine | remote   what happens on a worker
messages    what travels
```
"""

from udfwidgets.engine.executors.dask.executor import DaskExecutor

__all__ = ["DaskExecutor"]
