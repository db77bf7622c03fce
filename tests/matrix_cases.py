"""Arguments for every operation of ``MatrixOps``, and how far from its definition a backend may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.numeric_backend import DType
from nerva_core.interpreters.traced import OPERANDS, OPERATIONS
from tests.matrix_inputs import (
    Arguments,
    attentions,
    choices,
    columns,
    families,
    finite_pairs,
    labelled,
    long_rows,
    matrices,
    not_minus_zero,
    numbers,
    on_patterns,
    on_windows,
    pairs,
    parts,
    products,
    quotients,
    reductions,
    rows,
    square,
    square_of,
    step_functions,
    sums_on_grids,
    unary,
)
from tests.reference import mp


@dataclass(frozen=True)
class Case:
    """Arguments for an operation (arrays are matrices), and how far from the exact value it may be.

    ``ulps`` counts units in the last place of the exact value; of the sum of the absolute values of the terms where ``terms``.
    ``infinity`` replaces ∞ in the definition.
    """

    arguments: Callable[[DType], list[Arguments]]
    ulps: float = 0
    terms: bool = False
    elementwise: bool = False
    infinity: Any = mp.inf


# The table of cases ----------------------------------------------------------------------

nonnegative = unary(lambda x: (x >= 0) & not_minus_zero(x))

CASES: dict[str, Case] = {
    # Exact: nothing is rounded.
    "shape": Case(reductions),
    "full": Case(lambda dtype: [(c, m, n) for c in numbers(dtype) for m, n in ((1, 1), (2, 3), (1, 4), (4, 1))]),
    "identity": Case(lambda dtype: [(1,), (4,)]),
    "zeros": Case(lambda dtype: [(3,), (2, 3), (1, 1)]),
    "ones": Case(lambda dtype: [(3,), (2, 3), (1, 1)]),
    "constant": Case(lambda dtype: [(rows,) for rows in ([[1, -2], [3, float(np.dtype(dtype).type(0.1))]], [[5]], ((1, 2, 3),))]),
    "unit": Case(lambda dtype: [(0, 1), (0, 3), (2, 3)]),
    "shift": Case(lambda dtype: [(n, o) for n in (1, 4) for o in (-5, -2, -1, 0, 1, 3, 4)]),
    "shift_columns": Case(lambda dtype: [(X, o) for X in matrices(dtype) for o in (-6, -2, -1, 0, 1, 3, 5)]),
    "step_function": Case(step_functions),
    "transpose": Case(reductions),
    "negate": Case(reductions),
    "diag": Case(square),
    "Diag": Case(lambda dtype: [(x,) for x in [*rows(dtype), *columns(dtype)]]),
    "column_repeat": Case(lambda dtype: [(x, n) for x in columns(dtype) for n in (1, 3)]),
    "row_repeat": Case(lambda dtype: [(x, m) for x in rows(dtype) for m in (1, 3)]),
    "fill": Case(lambda dtype: [(x[:1], m, n) for x in columns(dtype) for m, n in ((1, 1), (2, 3))]),
    "rows_max": Case(reductions),
    "columns_max": Case(reductions),
    "reshape": Case(lambda dtype: [(X, *shape) for X in matrices(dtype) for shape in ((X.size, 1), X.T.shape)]),
    "take_columns": Case(lambda dtype: [(X, [*reversed(range(X.shape[1])), 0]) for X in matrices(dtype)]),
    "join_columns": Case(lambda dtype: [(X, X[:, :1]) for X in matrices(dtype)]),
    "sort_rows": Case(reductions),
    "again": Case(reductions),
    "stop_gradient": Case(reductions),
    "members": Case(families),
    "family": Case(parts),
    "member": Case(lambda dtype: families(dtype, 4)),
    "split": Case(lambda dtype: [(np.arange(24, dtype=dtype).reshape(4, 6), m, n) for m, n in ((1, 1), (2, 3), (4, 2), (4, 6), (2, 6))]),
    "join": Case(lambda dtype: [case for k in (1, 2, 6) for case in families(dtype, k)]),
    "column_part": Case(lambda dtype: [(X, k, 3) for X in parts(dtype)[1][:2] for k in range(3)]),
    "column_range": Case(lambda dtype: [(X, first, X.shape[1] - first) for X in matrices(dtype) for first in range(X.shape[1])]),
    "join_column_parts": Case(parts),
    "transpose_columns": Case(lambda dtype: [(np.arange(24, dtype=dtype).reshape(2, 12), m) for m in (1, 3, 4, 12)]),
    "windows": Case(on_windows(lambda G: [(2 * G.positions, 3)])),
    "fold": Case(on_windows(lambda G: [(2 * G.places, 3 * G.offsets)])),
    "convolve": Case(on_windows(lambda G: [(2 * G.positions, 3), (3 * G.offsets, 2)])),
    "convolve_weights": Case(on_windows(lambda G: [(2 * G.positions, 3), (2 * G.places, 2)])),
    "convolve_inputs": Case(on_windows(lambda G: [(2 * G.places, 2), (3 * G.offsets, 2)])),
    "channel_windows": Case(on_windows(lambda G: [(2 * G.positions, 3)])),
    "channel_fold": Case(on_windows(lambda G: [(2 * G.places * 3, G.offsets)], 3)),
    "pool_max": Case(on_windows(lambda G: [(2 * G.positions, 3)])),
    "pool_max_inputs": Case(on_windows(lambda G: [(2 * G.positions, 3), (2 * G.places, 3)])),
    "range_row": Case(lambda dtype: [(1,), (4,)]),
    "lower_ones": Case(lambda dtype: [(1,), (4,)]),
    "first_ones": Case(lambda dtype: [(1, 1), (2, 5)]),
    "sines": Case(lambda dtype: [(1, 1, 10_000), (5, 3, 10_000)], ulps=0.5),  # a constant in the dtype
    "cosines": Case(lambda dtype: [(1, 1, 10_000), (5, 3, 10_000)], ulps=0.5),
    "first_maxima": Case(lambda dtype: [(X,) for X in matrices(dtype)]),
    "one_hot": Case(labelled),
    "rows_at": Case(lambda dtype: [(np.arange(3.0 * n, dtype=dtype).reshape(n, 3), x) for x, n in labelled(dtype)]),
    "sums_at_rows": Case(lambda dtype: [(np.arange(3.0 * len(x), dtype=dtype).reshape(-1, 3), x, n) for x, n in labelled(dtype)]),
    "scattered": Case(on_patterns("w", "r", "c", "K", "D")),
    "sparse_product": Case(on_patterns("ND", "w", "r", "c", "K")),
    "sparse_product_t": Case(on_patterns("NK", "w", "r", "c", "D")),
    "sampled_product": Case(on_patterns("NK", "ND", "r", "c")),
    "less": Case(pairs, elementwise=True),
    "less_equal": Case(pairs, elementwise=True),
    "greater": Case(pairs, elementwise=True),
    "greater_equal": Case(pairs, elementwise=True),
    "equal": Case(pairs, elementwise=True),
    "where": Case(choices, elementwise=True),
    "maximum": Case(pairs, elementwise=True),
    "minimum": Case(pairs, elementwise=True),
    "abs": Case(unary(), elementwise=True),
    "sign": Case(unary(), elementwise=True),
    "clip": Case(lambda dtype: [(X, low, high) for (X,) in unary()(dtype) for low, high in ((-1.0, 2.0), (0, 0), (1.0, -1.0))]),
    # Rounded once.
    "add": Case(finite_pairs, ulps=0.5, elementwise=True),
    "subtract": Case(finite_pairs, ulps=0.5, elementwise=True),
    "hadamard": Case(finite_pairs, ulps=0.5, elementwise=True),
    "scale": Case(lambda dtype: [(c, X) for X in matrices(dtype) for c in numbers(dtype)], ulps=0.5),
    "divide": Case(lambda dtype: [(X, c) for X in matrices(dtype) for c in numbers(dtype)], ulps=1),  # XLA: times 1/c
    "reciprocal": Case(unary(not_minus_zero), ulps=1.5, elementwise=True),  # TensorFlow: Newton's method in float32
    "sqrt": Case(nonnegative, ulps=1, elementwise=True),  # torch: not the processor's instruction
    # Several roundings: of a square root and a quotient, of a product and a sum.
    "inv_sqrt": Case(nonnegative, ulps=2, elementwise=True),
    "inv_lengths": Case(long_rows, ulps=6),
    "norm": Case(lambda dtype: [(X,) for Y, _ in long_rows(dtype) for X in (Y, *(Y[k : k + 1] for k in range(len(Y))))], ulps=6),
    "quotient": Case(quotients, ulps=1, elementwise=True),
    "apply": Case(lambda dtype: [(square_of, X) for X in matrices(dtype)], ulps=0.5),
    # Sums of at most 12 terms; the error is that of the terms, which may cancel.
    "dot": Case(lambda dtype: [(x, -x[::-1, ::-1]) for x in [*rows(dtype), *columns(dtype)]], ulps=3, terms=True),
    "matmul": Case(products, ulps=3, terms=True),
    "columns_sum": Case(reductions, ulps=3, terms=True),
    "rows_sum": Case(reductions, ulps=3, terms=True),
    "elements_sum": Case(reductions, ulps=6, terms=True),
    "columns_mean": Case(reductions, ulps=3, terms=True),
    "rows_mean": Case(reductions, ulps=3, terms=True),
    "members_sum": Case(families, ulps=6, terms=True),
    "masked_softmax": Case(attentions, ulps=300),  # of exponents up to 150
    "softmax_inputs": Case(lambda dtype: [(np.abs(P), DP) for P, DP in attentions(dtype)], ulps=8, terms=True),
    "interval_sums": Case(sums_on_grids, ulps=8),  # of up to 40 positive terms
    # Elementary functions, to the accuracy of the frameworks' approximations.
    "exp": Case(unary(), ulps=2, elementwise=True),
    "log": Case(nonnegative, ulps=2, elementwise=True),
    "xlogy": Case(quotients, ulps=3, elementwise=True),
    "expm1": Case(unary(), ulps=3, elementwise=True),
    "log1p": Case(unary(lambda x: x >= -1), ulps=3, elementwise=True),
    "sigmoid": Case(unary(), ulps=4, elementwise=True),
    "log_sigmoid": Case(unary(), ulps=3, elementwise=True),
    "softplus": Case(unary(), ulps=3, elementwise=True),
    "tanh": Case(unary(), ulps=4, elementwise=True, infinity=mp.mpf(10) ** 400),  # at ∞ the definition reads ∞/∞: its limit
    "arctan": Case(unary(), ulps=5, elementwise=True),  # XLA in float32
    "normal_pdf": Case(unary(), ulps=4, elementwise=True),
    "normal_cdf": Case(unary(), ulps=4, elementwise=True),
}


# One example for interpreters ----------------------------------------------------------------------

SMALL: dict[str, Callable[[Any, Any], list[tuple[Any, ...]]]] = {
    "matmul": lambda m, n: [(m, n), (n, m)],
    "diag": lambda m, n: [(m, m)],
    "Diag": lambda m, n: [(1, n)],
    "row_repeat": lambda m, n: [(1, n)],
    "column_repeat": lambda m, n: [(m, 1)],
    "fill": lambda m, n: [(1, 1)],
    "join_columns": lambda m, n: [(m, n), (m, m)],
    "step_function": lambda m, n: [(m, n), (3, n)],
    "split": lambda m, n: [(2 * m, 3 * n)],
    "join": lambda m, n: [(m, n, 6)],
    "member": lambda m, n: [(m, n, 6)],
    "members_sum": lambda m, n: [(m, n, 6)],
    "family": lambda m, n: [(m, n), (m, n)],
    "join_column_parts": lambda m, n: [(m, n), (m, n)],
    "column_part": lambda m, n: [(m, 2 * n)],
    "column_range": lambda m, n: [(m, 3 * n)],
    "transpose_columns": lambda m, n: [(m, m * n)],
    "windows": lambda m, n: [(9 * m, n)],
    "fold": lambda m, n: [(4 * m, 4 * n)],
    "convolve": lambda m, n: [(9 * m, n), (4 * n, m)],
    "convolve_weights": lambda m, n: [(9 * m, n), (4 * m, m)],
    "convolve_inputs": lambda m, n: [(4 * m, m), (4 * n, m)],
    "channel_windows": lambda m, n: [(9 * m, n)],
    "channel_fold": lambda m, n: [(4 * m * n, 4)],
    "pool_max": lambda m, n: [(9 * m, n)],
    "pool_max_inputs": lambda m, n: [(9 * m, n), (4 * m, n)],
    "one_hot": lambda m, n: [(m, 1)],
    "rows_at": lambda m, n: [(n, m), (m, 1)],
    "sums_at_rows": lambda m, n: [(m, n), (m, 1)],
    "scattered": lambda m, n: [(1, n), (n, 1), (n, 1)],
    "sparse_product": lambda m, n: [(m, n), (1, n), (n, 1), (n, 1)],
    "sparse_product_t": lambda m, n: [(m, n), (1, n), (n, 1), (n, 1)],
    "sampled_product": lambda m, n: [(m, n), (m, n), (n, 1), (n, 1)],
}
"""The shapes of operands for an operation, with sizes m and n; of the others each operand is m x n."""
NUMBERS: dict[str, Any] = {
    "c": 2.0,
    "f": lambda ops, X: ops.exp(X),
    "low": 0.2,
    "high": 0.6,
    "j": 1,
    "o": 1,
    "k": 1,
    "first": 1,
    "count": 2,
    "base": 10,
}
NUMBERS |= {"K": 4, "D": 5}
NUMBERS |= {"rows": [[1, 2], [3, 4]], "s": [0.25, 0.5], "columns": [1, 0], "G": Geometry.of((3, 3), 2), "epsilon": 0.5}


def example(name: str, m: Any, n: Any, matrix: Callable[..., Any], **others: Any) -> list[Any]:
    """Arguments for an operation: ``matrix(rows, columns[, members])`` in the place of operands."""
    shapes = iter(SMALL.get(name, lambda m, n: [(m, n)] * len(OPERANDS[name]))(m, n))
    numbers = {**NUMBERS, "m": m, "n": n, "C": n, **others}
    arguments: list[Any] = []
    for key, p in list(OPERATIONS[name].parameters.items())[1:]:
        if p.kind is p.VAR_POSITIONAL:
            arguments += [matrix(*shape) for shape in shapes]
        else:
            arguments.append(matrix(*next(shapes)) if p.annotation == "M" else numbers[key])
    return arguments
