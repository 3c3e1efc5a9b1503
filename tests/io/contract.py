"""What every dataset must do, whatever file it comes from.

A reader's test class inherits `DataSetContract` and gives a fixture `case`: a dataset and the array
that it stands for, in full shape.
"""

from __future__ import annotations

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from udfwidgets.io.dataset.base import DataSet, Scratch


@dataclass(frozen=True)
class Case:
    dataset: DataSet
    truth: npt.NDArray[Any]

    @property
    def frames(self) -> npt.NDArray[Any]:
        return self.truth.reshape(-1, *self.dataset.shape.sig)


def open_files_below(folder: Path) -> list[str]:
    """Descriptors and memory maps of this process that belong to files in a folder."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
    found += [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    return [name for name in found if name.startswith(str(folder))]


def read_all(dataset: DataSet) -> npt.NDArray[Any]:
    with dataset.open() as source:
        return source.read(0, dataset.shape.nav.size, Scratch()).copy()


class DataSetContract:
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        raise NotImplementedError

    def test_describes_the_array(self, case: Case) -> None:
        assert case.dataset.shape.to_tuple() == case.truth.shape
        assert case.dataset.dtype == case.truth.dtype.newbyteorder("=")
        assert case.dataset.dtype.isnative
        assert case.dataset.nbytes == case.truth.nbytes

    def test_frames_per_block_is_sensible(self, case: Case) -> None:
        block = case.dataset.frames_per_block
        assert 1 <= block <= case.dataset.shape.nav.size
        frame_bytes = case.dataset.nbytes // case.dataset.shape.nav.size
        assert block == 1 or block * frame_bytes <= 64 << 20

    def test_every_range_reads_as_the_truth(self, case: Case) -> None:
        n_frames = case.dataset.shape.nav.size
        scratch = Scratch()
        ends = range(1, n_frames + 1) if n_frames <= 40 else (1, 7, n_frames - 1, n_frames)
        with case.dataset.open() as source:
            for stop in ends:
                for start in range(stop) if n_frames <= 40 else (0, stop // 2, stop - 1):
                    got = source.read(start, stop, scratch)
                    assert got.shape == (stop - start, *case.dataset.shape.sig)
                    assert got.dtype == case.dataset.dtype
                    assert got.dtype.isnative
                    np.testing.assert_array_equal(got, case.frames[start:stop])

    def test_a_read_is_contiguous(self, case: Case) -> None:
        with case.dataset.open() as source:
            assert source.read(0, case.dataset.shape.nav.size, Scratch()).flags.c_contiguous

    def test_threads_read_with_their_own_scratch(self, case: Case) -> None:
        n_frames = case.dataset.shape.nav.size
        begin = threading.Barrier(4)

        def work(seed: int) -> None:
            scratch = Scratch()
            rng = np.random.default_rng(seed)
            begin.wait(10)
            for _ in range(30):
                start = int(rng.integers(n_frames))
                stop = int(rng.integers(start, n_frames)) + 1
                got = source.read(start, stop, scratch)
                np.testing.assert_array_equal(got, case.frames[start:stop])

        with case.dataset.open() as source, ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(work, seed) for seed in range(4)]:
                future.result(60)

    def test_sources_are_independent(self, case: Case) -> None:
        n_frames = case.dataset.shape.nav.size
        one, two = case.dataset.open(), case.dataset.open()
        one.close()
        with two:
            np.testing.assert_array_equal(two.read(0, n_frames, Scratch()), case.frames)

    def test_close_is_idempotent_and_final(self, case: Case) -> None:
        source = case.dataset.open()
        source.read(0, 1, Scratch())
        source.close()
        source.close()
        with pytest.raises(ValueError, match="closed"):
            source.read(0, 1, Scratch())

    def test_files_that_may_rest_are_all_that_it_opens(self, case: Case, tmp_path: Path) -> None:
        with case.dataset.open() as source:
            source.read(0, case.dataset.shape.nav.size, Scratch())
            opened = {Path(name) for name in open_files_below(tmp_path)}
        if case.dataset.files:
            assert opened <= set(case.dataset.files)

    def test_nothing_stays_open(self, case: Case, tmp_path: Path) -> None:
        assert open_files_below(tmp_path) == []
        source = case.dataset.open()
        source.read(0, case.dataset.shape.nav.size, Scratch())
        source.close()
        assert open_files_below(tmp_path) == []

    def test_pickle_round_trip(self, case: Case) -> None:
        copy = pickle.loads(pickle.dumps(case.dataset))
        assert copy.shape == case.dataset.shape
        assert copy.dtype == case.dataset.dtype
        assert copy.frames_per_block == case.dataset.frames_per_block
        np.testing.assert_array_equal(read_all(copy), case.frames)

    def test_repr_says_shape_and_dtype(self, case: Case) -> None:
        text = repr(case.dataset)
        assert str(case.dataset.shape.nav.to_tuple()) in text
        assert str(case.dataset.shape.sig.to_tuple()) in text
        assert str(case.dataset.dtype) in text
