"""Masks that a UDF multiplies with by itself, on the part of the detector in hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse
import sparse

from udfwidgets import UDF, Context
from udfwidgets.shapes import Shape, Slice
from udfwidgets.udf.container import MaskContainer

MASKS = np.random.default_rng(0).integers(-3, 3, (4, 6, 7)).astype(np.float32)
BOX = Slice((5, 1, 2), Shape((2, 3, 4), 2))
CUT = MASKS[:, 1:4, 2:6].reshape(4, -1)
FORMS = {
    "scipy.sparse": scipy.sparse.csr_matrix,
    "scipy.sparse.csr": scipy.sparse.csr_matrix,
    "scipy.sparse.csc": scipy.sparse.csc_matrix,
    "sparse.pydata": sparse.COO,
    "sparse.pydata.GCXS": sparse.GCXS,
}
FACTORIES = {
    "stack": lambda: MASKS,
    "sparse stack": lambda: sparse.COO.from_numpy(MASKS),
    "masks": [lambda n=n: MASKS[n] for n in range(4)],
    "scipy masks": [lambda n=n: scipy.sparse.csr_matrix(MASKS[n]) for n in range(4)],
    "pydata masks": [lambda n=n: sparse.COO.from_numpy(MASKS[n]) for n in range(4)],
}


def dense(matrix):
    return np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix)


@pytest.mark.parametrize("given", FACTORIES)
@pytest.mark.parametrize("form", [False, *FORMS])
@pytest.mark.parametrize("transpose", [True, False])
def test_masks_are_cut_to_the_box_in_hand(given, form, transpose) -> None:
    container = MaskContainer(FACTORIES[given], use_sparse=form)
    matrix = container.get(BOX, transpose=transpose)
    assert type(matrix) is (FORMS[form] if form else np.ndarray)
    np.testing.assert_array_equal(dense(matrix), CUT.T if transpose else CUT)
    assert container.get(BOX, transpose=transpose) is matrix
    assert len(container) == 4
    np.testing.assert_array_equal(dense(container.computed_masks), MASKS)


@pytest.mark.parametrize("given", FACTORIES)
def test_masks_stay_sparse_if_all_came_sparse(given) -> None:
    expected = "sparse.pydata" if given not in ("stack", "masks") else False
    assert MaskContainer(FACTORIES[given], default_sparse="sparse.pydata").use_sparse == expected
    assert MaskContainer(FACTORIES[given], use_sparse=True).use_sparse == "scipy.sparse"


def test_format_and_dtype_can_be_chosen_for_each_cut() -> None:
    container = MaskContainer(lambda: MASKS, dtype="i2")
    assert container.dtype == np.int16
    scheme = (BOX.sig,)
    assert container.get_for_idx(scheme, 0).dtype == np.int16
    one = container.get_for_sig_slice(BOX.sig, np.float64, "scipy.sparse.csc", False)
    assert type(one) is scipy.sparse.csc_matrix
    np.testing.assert_array_equal(one.toarray(), CUT.astype(np.float64))


def test_factories_are_called_late_and_once() -> None:
    calls = []

    def make():
        calls.append(1)
        return MASKS

    container = MaskContainer(make, dtype="f4", use_sparse=False, count=4)
    assert len(container) == 4
    assert container.dtype == np.float32
    assert container.use_sparse is False
    assert calls == []
    container.get(BOX)
    container.get(Slice((0, 0, 0), Shape((1, 6, 7), 2)))
    assert calls == [1]


def test_a_container_can_be_sent() -> None:
    container = MaskContainer([_first, _second])
    container.get(BOX)
    again = pickle.loads(pickle.dumps(container))
    np.testing.assert_array_equal(again.get(BOX, transpose=False), CUT[:2])


def _first():
    return MASKS[0]


def _second():
    return MASKS[1]


def test_bad_arguments_say_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"'dense' is no format.*scipy\.sparse\.csc"):
        MaskContainer(lambda: MASKS, use_sparse="dense")
    with pytest.raises(ValueError, match=r"'cupy'.*NumPy"):
        MaskContainer(lambda: MASKS, backend="cupy")
    with pytest.raises(TypeError, match="to a Slice, got a tuple"):
        MaskContainer(lambda: MASKS).get((0, 1))
    with pytest.raises(ValueError, match="need to be equal"):
        MaskContainer([lambda: MASKS[0], lambda: MASKS[0, :3]]).get(BOX)


class Correlates(UDF):
    def get_task_data(self):
        return {"masks": MaskContainer(lambda: MASKS, use_sparse="scipy.sparse.csc")}

    def get_result_buffers(self):
        return {"sums": self.buffer("nav", (4,))}

    def process_tile(self, tile):
        masks = self.task_data.masks.get(self.meta.slice, transpose=False)
        self.results.sums += masks.dot(tile.reshape(len(tile), -1).T).T


def test_a_udf_multiplies_with_what_it_has_in_hand() -> None:
    data = np.random.default_rng(1).random((3, 5, 6, 7)).astype(np.float32)
    with Context.make_with("inline") as ctx:
        sums = ctx.run_udf(ctx.load("memory", data=data), Correlates())["sums"].data
    np.testing.assert_allclose(sums, np.einsum("abyx,nyx->abn", data, MASKS), rtol=1e-4, atol=1e-4)
