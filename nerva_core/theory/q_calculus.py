"""The (p,q)-calculus: finite differences in place of derivatives (q-neurons, sections 1 and 2 and appendix A).

A function is a Python function; the functions here give another. They take numbers of any kind (float, Fraction, mpmath) and SymPy
expressions. ``elementwise_derivative`` is the same on matrices of any backend.

    D = pq_derivative(lambda x: x**2, 2, 3)
    D(5)                                        # (2² - 3²) 5² / ((2 - 3) 5) = 25
    D(sympy.Symbol("x", nonzero=True))          # 5 x

At x = 0 the (p,q)-derivative is f'(0), so it needs the derivative there. It is given as ``derivative``; SymPy finds it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Scalar
from nerva_core.equations.activations import Activation

Function = Callable[[Any], Any]


def pq_differential(f: Function, p: Any, q: Any) -> Function:
    """d_{p,q} f(x) = f(qx) - f(px). It changes its sign when p and q are exchanged (000-25)."""
    return lambda x: f(q * x) - f(p * x)


def pq_derivative(f: Function, p: Any, q: Any, derivative: Function | None = None) -> Function:
    """D_{p,q} f(x) = (f(px) - f(qx)) / ((p - q) x) for x != 0, and f'(0) for x = 0 (equations 2 and 8); D_{p,q} = D_{q,p}.

    For p → q it tends to f'(qx) (printed as f'(qx) / q: erratum 000-28), and f'(px) + x (q - p) f''(ε) / 2 for an ε between px and qx
    (equations 9 and 10). With D = D_{p,q}, A.1 reads

    * D(f + c g) = D f + c D g,
    * D(f g) = f(px) D g + g(qx) D f = f(qx) D g + g(px) D f (both printed with f + D g: errata 000-36 and 000-37),
    * D(f / g) = (g(qx) D f - f(qx) D g) / (g(px) g(qx)) = (g(px) D f - f(px) D g) / (g(px) g(qx)).

    NervaError if p = q, or at x = 0 if the derivative is not known.
    """
    if p == q:
        raise NervaError(f"the (p,q)-derivative needs two numbers p and q that differ, got {p} twice; its limit for p → q is f'(qx)")

    def at(x: Any) -> Any:
        if _is_symbolic(x):
            return _symbolic(lambda x: (f(p * x) - f(q * x)) / ((p - q) * x), f, derivative, x)
        return _derivative(f, derivative)(x) if x == 0 else (f(p * x) - f(q * x)) / ((p - q) * x)

    return at


def q_derivative(f: Function, q: Any, derivative: Function | None = None) -> Function:
    """D_q f = D_{1,q} f: (f(x) - f(qx)) / ((1 - q) x) for x != 0 (equation 1)."""
    return pq_derivative(f, 1, q, derivative)


def q_activation(f: Function, q: Any) -> Function:
    """g_q(x) = (f(x) - f(qx)) / (1 - q) = x D_q f(x) (equation 3).

    For q → 1 it tends to f'(x) x, and g_q'(x) = (f'(x) - q f'(qx)) / (1 - q) to f'(x) + x f''(x) (Proposition 1; for random q this is
    convergence in probability: errata 000-05 and 000-06). D_p g_q = D_q f / (1 - p) - p D_{p,pq} f / (1 - p) (Proposition 2); it is
    not f (erratum 000-12).
    """
    if q == 1:
        raise NervaError("the q-activation needs a q other than 1; its limit for q → 1 is f'(x) x")
    return lambda x: (f(x) - f(q * x)) / (1 - q)


def bregman(f: Function, derivative: Function | None = None) -> Callable[[Any, Any], Any]:
    """B_f(a : b) = f(a) - f(b) - (a - b) f'(b), the Bregman divergence if f is convex (printed B_F: erratum 000-34)."""
    return lambda a, b: f(a) - f(b) - (a - b) * _derivative(f, derivative)(b)


def bregman_form(f: Function, p: Any, q: Any, derivative: Function | None = None) -> Function:
    """D_{p,q} f(x) = f'(px) + B_f(qx : px) / (x (q - p)), x != 0 (Corollary 4, printed with p - q: errata 000-32 and 000-33)."""
    return lambda x: _derivative(f, derivative)(p * x) + bregman(f, derivative)(q * x, p * x) / (x * (q - p))


def partial_derivative(
    F: Callable[..., Any], i: int, p: Any, q: Any, derivative: Callable[..., Any] | None = None
) -> Callable[[Sequence[Any]], Any]:
    """D_{p,q,x_i} F(x) = (F(.., p x_i, ..) - F(.., q x_i, ..)) / ((p - q) x_i) for x_i != 0, and ∂F/∂x_i for x_i = 0 (A.2).

    F and ``derivative``, its partial derivative, take x_1, ..., x_d. i counts from 0. The shift of x along e_i is (p - 1) x_i, printed
    without the factor x_i (erratum 000-40).
    """

    def at(x: Sequence[Any]) -> Any:
        def along(G: Callable[..., Any]) -> Function:
            return lambda t: G(*x[:i], t, *x[i + 1 :])

        return pq_derivative(along(F), p, q, None if derivative is None else along(derivative))(x[i])

    return at


def gradient(
    F: Callable[..., Any], p: Sequence[Any], q: Sequence[Any], derivatives: Sequence[Callable[..., Any]] | None = None
) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """∇_{p,q} F(x) = (D_{p_1,q_1,x_1} F(x), ..., D_{p_d,q_d,x_d} F(x)) (A.2); it is linear in F, and the gradient for p, q → 1."""
    if len(p) != len(q):
        raise NervaError(f"p and q must have one number for each variable, got {len(p)} and {len(q)}")
    known = [None] * len(p) if derivatives is None else derivatives
    parts = [partial_derivative(F, i, *each) for i, each in enumerate(zip(p, q, known, strict=True))]

    def at(x: Sequence[Any]) -> tuple[Any, ...]:
        if len(x) != len(p):
            raise NervaError(f"the (p,q)-gradient is that of a function of {len(p)} variables, got {len(x)}")
        return tuple(part(x) for part in parts)

    return at


def elementwise_derivative(ops: MatrixOps[M], f: Activation, p: Scalar, q: Scalar, X: M) -> M:
    """D_{p,q} f of every element of X: (f(pX) - f(qX)) / ((p - q) X), and f'(0) where it is 0 (equation 8)."""
    difference = ops.apply(f.value, p * X) - ops.apply(f.value, q * X)
    is_zero = ops.equal(X, ops.zeros(*ops.shape(X)))
    return ops.where(is_zero, ops.apply(f.gradient, X), ops.quotient(difference, (p - q) * X))


def _is_symbolic(x: Any) -> bool:
    return hasattr(x, "free_symbols")


def _symbolic(quotient: Function, f: Function, derivative: Function | None, x: Any) -> Any:
    """The branch that x is known to be in, or both."""
    from sympy import Ne, Piecewise, S

    if x.is_nonzero:
        return quotient(x)
    at_zero = _derivative(f, derivative)(S.Zero)
    return at_zero if x.is_zero else Piecewise((quotient(x), Ne(x, 0)), (at_zero, True))


def _derivative(f: Function, derivative: Function | None) -> Function:
    """The derivative that is given, or the one that SymPy finds."""
    if derivative is not None:
        return derivative

    def at(x: Any) -> Any:
        if not _is_symbolic(x):
            raise NervaError(f"the derivative at {x} is needed: give derivative=..., or use SymPy expressions")
        from sympy import Dummy, diff

        t = Dummy("t", real=True)
        return diff(f(t), t).subs(t, x)

    return at
