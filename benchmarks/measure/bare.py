"""The loop of slow Python by itself: two processes, half of the frames each, and nothing else.

Whoever runs the same loop in two processes of the same interpreter cannot be through before.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from benchmarks import detectors

PROCESSES = 2


def bare(path: str, shape: tuple[int, ...], first: int) -> tuple[float, np.ndarray]:
    """Return the seconds that it takes, and how many pixels of each frame are bright.

    Parameters
    ----------
    path : str
        Of a raw file in uint16.
    shape : tuple of int
        Of the part of the scan: frames, and their two axes.
    first : int
        The first of these frames.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        list(pool.map(time.sleep, [0.5] * PROCESSES))  # so that each of them has started
        began = time.perf_counter()
        found = list(pool.map(partial(_count, path, shape, first), range(PROCESSES)))
        return time.perf_counter() - began, np.concatenate(found)


def _count(path: str, shape: tuple[int, ...], first: int, which: int) -> np.ndarray:
    threshold = detectors.THRESHOLD
    frames = np.memmap(path, "u2", "r", first * math.prod(shape[1:]) * 2, shape)
    counts = []
    for frame in frames[which * len(frames) // PROCESSES : (which + 1) * len(frames) // PROCESSES]:
        n = 0
        # UDFs are given float32 as well.
        for value in frame.astype(np.float32).ravel().tolist():
            if value > threshold:
                n += 1
        counts.append(n)
    return np.array(counts)
