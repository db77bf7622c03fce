"""The matrix operations in which every equation of this library is written (Nerva specification, section 3, Table 1).

``MatrixOps`` is the one interface between the equations and what they are run on: NumPy, JAX, PyTorch and TensorFlow
arrays (``backends/``), SymPy matrices and matrices of symbolic size (``sympy_validation/``). Abstract methods are the
primitives; every other method has a body that *is* its definition. An implementation may override a definition with a
fused or numerically stable form; the conformance tests hold every override against the definition.

Conventions:

* Every value is a matrix, of shape (rows, columns): a column vector is m x 1, a row vector 1 x n, a scalar 1 x 1. Inside a layer it may
  be a family of matrices too (``operations/families.py``).
* Nothing broadcasts: both operands of an elementwise operation have the same shape.
* Between matrices, layer code uses the operators ``@``, ``+`` and ``-``, and ``c * X``, ``X / c`` and ``-X`` with a
  number c: they mean the same in every interpretation. The elementwise product is ``hadamard``, never ``*``.
* A size (the N of N rows) may be unknown when a step is compiled, so it multiplies a matrix only through ``scale`` and ``divide``.
* Comparisons give a matrix of zeros and ones in the dtype of their operands: the indicator of the condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nerva_core.algebra.errors import did_you_mean
from nerva_core.algebra.matrix import M, Matrix, Scalar, Shape, Size
from nerva_core.algebra.operations.patterns import PatternOps

__all__ = ["M", "Matrix", "MatrixOps", "Scalar", "Shape", "Size"]


class MatrixOps(PatternOps[M]):
    """Table 1 of the Nerva specification, and what the other papers and the networks of today need beyond it."""

    if not TYPE_CHECKING:  # a checker finds the name itself

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            known = [each for each in dir(MatrixOps) if not each.startswith("_")]
            raise AttributeError(f"there is no operation {name!r}; {did_you_mean(name, known)}")
