"""Names of array libraries, as a UDF may offer them; NumPy is the one that is chosen."""

from __future__ import annotations


class Backends:
    """The names, and sets of them by what the arrays are like."""

    BACKEND_NUMPY = "numpy"
    BACKEND_CUPY = "cupy"
    BACKEND_CUDA = "cuda"
    BACKEND_SPARSE_COO = "sparse.COO"
    BACKEND_SPARSE_GCXS = "sparse.GCXS"
    BACKEND_SPARSE_DOK = "sparse.DOK"
    BACKEND_SCIPY_COO = "scipy.sparse.coo_matrix"
    BACKEND_SCIPY_CSR = "scipy.sparse.csr_matrix"
    BACKEND_SCIPY_CSC = "scipy.sparse.csc_matrix"
    BACKEND_SCIPY_COO_ARRAY = "scipy.sparse.coo_array"
    BACKEND_SCIPY_CSR_ARRAY = "scipy.sparse.csr_array"
    BACKEND_SCIPY_CSC_ARRAY = "scipy.sparse.csc_array"
    BACKEND_CUPY_SCIPY_COO = "cupyx.scipy.sparse.coo_matrix"
    BACKEND_CUPY_SCIPY_CSR = "cupyx.scipy.sparse.csr_matrix"
    BACKEND_CUPY_SCIPY_CSC = "cupyx.scipy.sparse.csc_matrix"
    BACKEND_ALL = (BACKEND_NUMPY,)

    _SPARSE = frozenset((BACKEND_SPARSE_COO, BACKEND_SPARSE_GCXS, BACKEND_SPARSE_DOK))
    _CUPYX = frozenset((BACKEND_CUPY_SCIPY_COO, BACKEND_CUPY_SCIPY_CSR, BACKEND_CUPY_SCIPY_CSC))
    _SCIPY = frozenset((BACKEND_SCIPY_COO, BACKEND_SCIPY_CSR, BACKEND_SCIPY_CSC)) | {
        *(BACKEND_SCIPY_COO_ARRAY, BACKEND_SCIPY_CSR_ARRAY, BACKEND_SCIPY_CSC_ARRAY)
    }
    CPU_BACKENDS = _SPARSE | _SCIPY | {BACKEND_NUMPY}
    CUPY_BACKENDS = _CUPYX | {BACKEND_CUPY}
    CUDA_BACKENDS = CUPY_BACKENDS | {BACKEND_CUDA}
    SPARSE_BACKENDS = _SPARSE | _SCIPY | _CUPYX
    DENSE_BACKENDS = frozenset((BACKEND_NUMPY, BACKEND_CUPY, BACKEND_CUDA))
    ND_BACKENDS = DENSE_BACKENDS | _SPARSE
    D2_BACKENDS = _SCIPY | _CUPYX
