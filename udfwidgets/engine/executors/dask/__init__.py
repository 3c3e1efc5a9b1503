"""Dask: the work of runs is done by the processes of a cluster, on this machine or on others.

```
executor    what a Context is given          | desk     hands out orders, takes answers
seating     who is given the next one        | seats    one for each worker
orders      packed once for many workers     | answers  merged, or told of
rations     how large orders are             | cluster  starts one on this machine
messages    what travels                     | remote   what happens on a worker
parcels     packed once, unpacked once
```
"""

from udfwidgets.engine.executors.dask.executor import DaskExecutor

__all__ = ["DaskExecutor"]
