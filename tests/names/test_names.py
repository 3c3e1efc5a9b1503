from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

import udfwidgets
from udfwidgets.buffers import reshaped_view
from udfwidgets.engine.executors import InlineExecutor
from udfwidgets.io.corrections import CorrectionSet, correct
from udfwidgets.io.scratch import Scratch
from udfwidgets.names import coordinates
from udfwidgets.names.absent import NotHere
from udfwidgets.names.elsewhere import elsewhere
from udfwidgets.names.homes import homes
from udfwidgets.shapes import Shape

HOMES = [(module, name) for module, names in homes().items() for name in names]


@pytest.mark.parametrize(("module", "name"), HOMES, ids=".".join)
def test_names_resolve_to_their_homes(module: str, name: str) -> None:
    assert getattr(importlib.import_module(f"udfwidgets.{module}"), name) is not None


def test_one_thing_has_one_identity() -> None:
    from udfwidgets.common.shape import Shape as Theirs
    from udfwidgets.executor.inline import InlineJobExecutor

    assert Theirs is Shape
    assert InlineJobExecutor is InlineExecutor


def test_what_is_not_here_can_be_imported_and_says_what_to_do() -> None:
    from udfwidgets.executor.delayed import DelayedJobExecutor

    class Mine(DelayedJobExecutor):
        """As modules have them that are imported for something else."""

        def mine(self) -> None:
            pass

    assert not isinstance(InlineExecutor(), DelayedJobExecutor)
    assert callable(Mine.mine)
    uses = (DelayedJobExecutor, lambda: DelayedJobExecutor.connect, Mine, lambda: Mine.connect)
    for use in uses:
        with pytest.raises(
            NotHere, match=r"executor\.delayed\.DelayedJobExecutor is not .*threads"
        ):
            use()


@pytest.mark.parametrize("module", [m for m in elsewhere() if elsewhere()[m]])
def test_what_is_not_here_has_an_advice(module: str) -> None:
    imported = importlib.import_module(f"udfwidgets.{module}")
    for name, advice in elsewhere()[module].items():
        assert advice in str(getattr(imported, name).__doc__)


def test_exceptions_that_are_never_raised_can_be_caught() -> None:
    from udfwidgets.common.slice import SliceUsageError

    assert issubclass(SliceUsageError, Exception)
    assert not issubclass(ValueError, SliceUsageError)


def test_a_name_that_is_nowhere_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="no_such"):
        importlib.import_module("udfwidgets.common.no_such")
    with pytest.raises(AttributeError, match="no_such"):
        importlib.import_module("udfwidgets.common.shape").no_such  # noqa: B018
    with pytest.raises(AttributeError, match="no_such"):
        importlib.import_module("udfwidgets.udf.base").no_such  # noqa: B018


def test_completion_sees_the_names() -> None:
    module = importlib.import_module("udfwidgets.common.backend")
    assert {"get_use_cpu", "set_use_cuda"} <= set(dir(module))
    assert "set_use_cpu" in module.__all__
    module = importlib.import_module("udfwidgets.udf.base")
    assert {"UDF", "UDFFrameMixin", "__name__"} <= set(dir(module))


def test_the_tables_are_not_loaded_before_they_are_needed() -> None:
    code = (
        "import sys, udfwidgets.api, udfwidgets.udf.sum\n"
        "print([m for m in sys.modules if m.startswith('udfwidgets.names.')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# What the names stand for, where it is more than a path


def test_matrices_come_apart_again() -> None:
    for mirror in (False, True):
        flip = coordinates.flip_y() if mirror else coordinates.identity()
        matrix = coordinates.scale(2.5) @ coordinates.rotate_deg(-70) @ flip
        factor, angle, flipped = coordinates.scale_rotate_flip_y(matrix)
        np.testing.assert_allclose((factor, np.degrees(angle)), (2.5, -70))
        assert flipped is mirror
    with pytest.raises(ValueError, match="differ"):
        coordinates.scale_rotate_flip_y([[1, 0], [0, 2]])
    with pytest.raises(ValueError, match="shears"):
        coordinates.scale_rotate_flip_y([[1, 0.6], [0, 0.8]])


def test_frames_are_corrected_as_in_a_run() -> None:
    frames = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    dark, mask = np.full((3, 4), 2.0), np.zeros((3, 4), bool)
    mask[1, 2] = True
    corrector = CorrectionSet(dark=dark, excluded_pixels=mask).resolve(
        Shape((3, 4), 2), np.dtype("f4")
    )
    expected = corrector.apply(frames, Scratch()).copy()
    got = correct(frames, dark_image=dark, excluded_pixels=[[1], [2]])
    np.testing.assert_array_equal(got, expected)
    assert correct(frames, dark_image=dark, excluded_pixels=[[1], [2]], inplace=True) is frames
    np.testing.assert_array_equal(frames, expected)
    with pytest.raises(ValueError, match="sig_shape"):
        correct(frames, excluded_pixels=[[1], [2]])


def test_ways_to_read_are_chosen_without_effect(caplog) -> None:
    from udfwidgets.io.dataset.base import BufferedBackend, IOBackend, MMapBackend

    assert IOBackend.get_cls_by_id("mmap") is MMapBackend
    assert IOBackend.get_supported() == ["mmap", "buffered", "direct"]
    chosen = IOBackend.get_cls_by_id("buffered")(max_buffer_size=1024)
    assert isinstance(chosen, BufferedBackend)
    data = np.ones((2, 3, 4, 5), np.float32)
    with udfwidgets.Context.make_with("inline") as ctx, caplog.at_level("DEBUG"):
        dataset = ctx.load("memory", data=data, io_backend=chosen)
        assert ctx.run_udf(dataset, udfwidgets.SumUDF())["intensity"].data.sum() == data.sum()
    assert "io_backend without effect" in caplog.text


def test_a_reshaped_view_is_never_a_copy() -> None:
    array = np.zeros((4, 6))
    reshaped_view(array, (24,))[3] = 1
    assert array[0, 3] == 1
    with pytest.raises(ValueError, match="no view"):
        reshaped_view(array[:, :3], (12,))


def test_a_plot_of_a_users_own_is_handed_images() -> None:
    from udfwidgets.viz.base import Live2DPlot

    drawn = []

    class Keeps(Live2DPlot):
        def update(self, damage, force=False):
            drawn.append((np.asarray(self.data).copy(), np.asarray(damage).all()))

    data = np.random.default_rng(1).random((4, 5, 6, 7)).astype("f4")
    udf = udfwidgets.SumSigUDF()
    with udfwidgets.Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data)
        with pytest.raises(ValueError, match=r"'nope'.*intensity"):
            Keeps(dataset, udf, channel="nope")
        plot = Keeps(dataset, udf)
        assert plot.data.shape == (4, 5)
        ctx.run_udf(dataset, udf, plots=[plot])
    image, is_whole = drawn[-1]
    np.testing.assert_allclose(image, data.sum((2, 3)), rtol=1e-5)
    assert is_whole
