"""Softmax functions of the rows of a matrix, plain and stable (Nerva specification, section 5.1).

The layers and losses use the stable forms; that they equal the plain ones is a theorem.
"""

from __future__ import annotations

from nerva_core.algebra.matrix_ops import M, MatrixOps


def softmax(ops: MatrixOps[M], X: M) -> M:
    """softmax(X) = e^X ⊙ (1 / (e^X · 1_D) · 1_Dᵀ). Overflows for large x: see ``stable_softmax``."""
    _, D = ops.shape(X)
    E = ops.exp(X)
    return ops.hadamard(E, ops.column_repeat(ops.reciprocal(ops.rows_sum(E)), D))


def stable_softmax(ops: MatrixOps[M], X: M) -> M:
    """softmax(Z) with Z = X - max(X)_row · 1_Dᵀ."""
    return softmax(ops, subtract_rows_max(ops, X))


def log_softmax(ops: MatrixOps[M], X: M) -> M:
    """log-softmax(X) = X - log(e^X · 1_D) · 1_Dᵀ. Overflows for large x: see ``stable_log_softmax``."""
    _, D = ops.shape(X)
    result: M = X - ops.column_repeat(ops.log(ops.rows_sum(ops.exp(X))), D)
    return result


def stable_log_softmax(ops: MatrixOps[M], X: M) -> M:
    """log-softmax(Z) with Z = X - max(X)_row · 1_Dᵀ."""
    return log_softmax(ops, subtract_rows_max(ops, X))


def subtract_rows_max(ops: MatrixOps[M], X: M) -> M:
    """Z = X - max(X)_row · 1_Dᵀ, whose rows have the largest element 0."""
    _, D = ops.shape(X)
    result: M = X - ops.column_repeat(ops.rows_max(X), D)
    return result


def softmax_jacobian(ops: MatrixOps[M], x: M) -> M:
    """∂softmax(x)/∂x = Diag(softmax(x)) - softmax(x)ᵀ · softmax(x), for a row x (equation 26)."""
    s = stable_softmax(ops, x)
    result: M = ops.Diag(s) - ops.transpose(s) @ s
    return result


def log_softmax_jacobian(ops: MatrixOps[M], x: M) -> M:
    """∂log-softmax(x)/∂x = I_D - 1_D · softmax(x), for a row x (equation 27)."""
    _, D = ops.shape(x)
    result: M = ops.identity(D) - ops.ones(D, 1) @ stable_softmax(ops, x)
    return result
