"""The dask executor: the work of runs is done by the workers of a Dask cluster."""

from __future__ import annotations

from typing import Any

from udfwidgets.engine.executors.arguments import check_gpus, pass_over
from udfwidgets.engine.executors.background import Background
from udfwidgets.engine.executors.dask.desk import Desk


class DaskExecutor(Background):
    """Works with the processes of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client or str, optional
        Of a running cluster, or the address of its scheduler; it is left running in the end. By
        default a cluster on this machine is started with the first run.
    cpus : int, optional
        How many processes a cluster that is started has.
    lt_resources, main_process_gpu : optional
        Taken from code written for LiberTEM, without effect. A GPU is refused.
    """

    name = "dask"

    def __init__(
        self,
        client: Any = None,
        cpus: int | None = None,
        *,
        lt_resources: bool | None = None,
        main_process_gpu: int | None = None,
    ) -> None:
        pass_over(self.name, lt_resources=lt_resources)
        check_gpus(self.name, None, main_process_gpu)
        self._desk = Desk(client, cpus)
        super().__init__(self._desk)

    @classmethod
    def connect(cls, scheduler_uri: str) -> DaskExecutor:
        """Return an executor for a running cluster, by the address of its scheduler."""
        return cls(scheduler_uri)

    @classmethod
    def make_local(
        cls,
        cpus: int | None = None,
        *,
        snooze_timeout: float | None = None,
        main_process_gpu: int | None = None,
    ) -> DaskExecutor:
        """Return an executor with a cluster of its own on this machine."""
        pass_over(cls.name, snooze_timeout=snooze_timeout)
        return cls(cpus=cpus, main_process_gpu=main_process_gpu)

    @property
    def workers(self) -> int:  # type: ignore[override]
        """How many workers there are."""
        return self._desk.workers

    @property
    def processes(self) -> int:
        """How many processes there are beside this one."""
        return self._desk.workers

    @property
    def dashboard(self) -> str:
        """Address of Dask's own page about the cluster; empty where there is none."""
        return self._desk.dashboard

    @property
    def client(self) -> Any:
        """The client of the cluster, which is started if need be."""
        return self._desk.connect()
