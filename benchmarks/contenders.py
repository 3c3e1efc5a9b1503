"""Who takes part."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

OURS = "udfwidgets"
#: The same frames out of a file with nothing around them, in rows of detectors.
OURS_RAW = "udfwidgets, raw"
PROCESSES = "udfwidgets processes"
LIBERTEM = "LiberTEM"
LIBERTEM_DEFAULT = "LiberTEM default"
LIBERTEM_BEST = "LiberTEM best"
LIBERTEM_EXECUTORS = ("threads", "pipelined", "delayed", "inline")
NUMPY = "NumPy tiles"
DASK = "dask.array"
#: Loops with nothing around them, of which the fastest is the limit.
PLAIN_LOOP = "bare loop"
LOOPS = (PLAIN_LOOP, "bare loop, unrolled", "bare loop, in parts", "C loop")
LIMIT = "limit"

# The array contenders bring two threads of their own, so BLAS must not add to them.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Contender:
    """The name in the table, and what the worker process is started with.

    Parameters
    ----------
    label : str
        In the tables.
    python : str
        The interpreter of its environment.
    name : str
        What `benchmarks.workers` calls it.
    variant : str or None
        The executor of a package, or the kind of bare loop.
    environment : mapping
        Variables that are set for it.
    """

    label: str
    python: str
    name: str
    variant: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether it has intermediate results.

        LiberTEM's "delayed" has not: what it gives is computed when it is looked at.
        """
        return self.name in ("udfwidgets", "libertem") and self.variant != "delayed"


def contenders(python: str, libertem: str, peers: str) -> list[Contender]:
    """Return all who take part, us first.

    Parameters
    ----------
    python, libertem, peers : str
        The interpreters that have udfwidgets, LiberTEM and the other packages. Who has none is
        left out, with a line that says so.
    """
    found = [Contender(OURS, python, "udfwidgets"), Contender(OURS_RAW, python, "unwrapped")]
    if _exists(libertem):
        found.append(Contender(LIBERTEM_DEFAULT, libertem, "libertem"))
        found += [
            Contender(f"{LIBERTEM} {kind}", libertem, "libertem", kind)
            for kind in LIBERTEM_EXECUTORS
        ]
    if _exists(peers):
        found.append(Contender(DASK, peers, "dask", None, ONE_THREAD))
        found.append(Contender("hyperspy lazy", peers, "hyperspy", None, ONE_THREAD))
        found.append(Contender("py4DSTEM", peers, "py4DSTEM"))
    return [
        *found,
        Contender(NUMPY, python, "numpy", None, ONE_THREAD),
        Contender("h5py loop", python, "h5py"),
        *_loops(python),
        Contender("bare loop, new map", python, "loops", "new map"),
        Contender("read only", python, "loops", "read only"),
    ]


def _loops(python: str) -> list[Contender]:
    plain, *others = LOOPS
    found = [Contender(label, python, "loops", _kind(label)) for label in others]
    if not which("cc"):
        print("    left out: there is no cc, so there is no C loop")
        found.pop()
    return [Contender(plain, python, "loops", None, ONE_THREAD), *found]


def _kind(label: str) -> str:
    return label.rpartition(", ")[2]


def _exists(python: str) -> bool:
    if not Path(python).exists():
        print(f"    left out: there is no {python}; make bench sets it up")
        return False
    return True
