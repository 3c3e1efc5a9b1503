"""What a kernel does with processes: a run that goes on until it is stopped from outside.

It prints the numbers of its processes, and that it went on where it was interrupted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tests.engine.executors.test_dask import ByFrame, check
from udfwidgets import Context


@contextmanager
def interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        return
    raise AssertionError("nobody has interrupted it")


def main() -> None:
    data = np.random.default_rng(1).integers(0, 9, (32, 32, 32, 32)).astype("u2")
    with Context.make_with("processes", cpus=1) as ctx:
        # Large enough not to travel with every order.
        dataset = ctx.load("memory", data=data, sig_dims=2)
        processes = sorted(ctx.executor.client.run(os.getpid).values())
        with interrupted():
            for number, _ in enumerate(ctx.run_udf_iter(dataset, ByFrame(spin=300_000))):
                if not number:
                    print(json.dumps(processes), flush=True)
        check(ctx.run_udf(dataset, ByFrame()), data)
        assert sorted(ctx.executor.client.run(os.getpid).values()) == processes
        print("went on", flush=True)


if __name__ == "__main__":
    main()
