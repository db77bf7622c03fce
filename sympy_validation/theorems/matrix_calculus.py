"""The specification's Property 1, Lemmas 1 and 2, and the derivations of section 4.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nerva_core.algebra.matrix import Matrix
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.trees import Tree
from nerva_core.equations.softmax import log_softmax, softmax
from sympy_validation.spaces.spaces import Space
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.tools import equation, product, times

XY = {"X": ("N", "D"), "Y": ("N", "D")}
Ops = MatrixOps


def theorems() -> Iterator[Theorem]:
    """The table for the matrix calculus."""
    yield from properties()
    yield from lemmas()
    yield from linear_derivation()
    yield from log_softmax_derivation()
    yield from batch_normalization_derivation()


def _columns(ops: Ops, X: Matrix) -> Tree:
    """1_n, a column, for the n columns of X."""
    return ops.ones(ops.shape(X)[1], 1)


def _rows(ops: Ops, X: Matrix) -> Tree:
    """1_m, a column, for the m rows of X."""
    return ops.ones(ops.shape(X)[0], 1)


def _T(ops: Ops, X: Matrix) -> Tree:
    return ops.transpose(X)


PROPERTIES: tuple[tuple[str, str, Any, bool, Any], ...] = (
    (
        "(10)",
        "z^j = x^j · (x^j)ᵀ · y^j gives Z = X ⊙ (1_m · diag(Xᵀ · Y)ᵀ)",
        lambda o, X, Y: o.hadamard(X, _rows(o, X) @ _T(o, o.diag(_T(o, X) @ Y))),
        True,
        lambda o, x, y: product(x, _T(o, x), y),
    ),
    (
        "(11)",
        "z^j = 1_m · (x^j)ᵀ · y^j gives Z = 1_m · diag(XᵀY)ᵀ",
        lambda o, X, Y: _rows(o, X) @ _T(o, o.diag(_T(o, X) @ Y)),
        True,
        lambda o, x, y: product(_rows(o, x), _T(o, x), y),
    ),
    (
        "(12)",
        "z^j = x^j · 1_mᵀ · y^j gives Z = X ⊙ (1_m · 1_mᵀ · Y)",
        lambda o, X, Y: o.hadamard(X, product(_rows(o, X), _T(o, _rows(o, X)), Y)),
        True,
        lambda o, x, y: product(x, _T(o, _rows(o, x)), y),
    ),
    (
        "(13)",
        "z_i = x_i · y_iᵀ · y_i gives Z = (diag(X · Yᵀ) · 1_nᵀ) ⊙ Y",
        lambda o, X, Y: o.hadamard(o.diag(X @ _T(o, Y)) @ _T(o, _columns(o, X)), Y),
        False,
        lambda o, x, y: product(x, _T(o, y), y),
    ),
    (
        "(14)",
        "z_i = x_i · y_iᵀ · 1_nᵀ gives Z = diag(X · Yᵀ) · 1_nᵀ",
        lambda o, X, Y: o.diag(X @ _T(o, Y)) @ _T(o, _columns(o, X)),
        False,
        lambda o, x, y: product(x, _T(o, y), _T(o, _columns(o, x))),
    ),
    (
        "(15)",
        "z_i = x_i · 1_n · y_i gives Z = (X · 1_n · 1_nᵀ) ⊙ Y",
        lambda o, X, Y: o.hadamard(product(X, _columns(o, X), _T(o, _columns(o, X))), Y),
        False,
        lambda o, x, y: product(x, _columns(o, x), y),
    ),
)
"""(number, statement, the matrix, whether it is given by columns, its columns or rows). X and Y are N x D here, m x n in the text."""


def properties() -> Iterator[Theorem]:
    """Property 1: a matrix that is given by its columns or its rows."""

    def vectors(by_columns: bool, vector: Any) -> Tree:
        def expected(space: Space, X: Matrix, Y: Matrix) -> Tree:
            build = space.columnwise if by_columns else space.rowwise
            return build(lambda x, y: vector(space.ops, x, y), X, Y)

        return expected

    for number, statement, matrix, by_columns, vector in PROPERTIES:
        yield from equation("specification.Property 1", number, statement, XY, matrix, vectors(by_columns, vector))


RULES: tuple[tuple[str, str, str, Any, Any], ...] = (
    (
        "(5)",
        "∂(f g)/∂x = ∂f/∂x g + f ∂g/∂x, f a column and g a number",
        "column",
        lambda f, g, A: f @ g,
        lambda ops, f, g, df, dg, A: times(ops, g, df) + f @ dg,
    ),
    (
        "(6)",
        "∂(f g)/∂x = ∂f/∂x g + fᵀ ∂g/∂x, f a row and g a number",
        "row",
        lambda f, g, A: g @ f,
        lambda ops, f, g, df, dg, A: times(ops, g, df) + ops.transpose(f) @ dg,
    ),
    ("(7)", "∂(A f)/∂x = A ∂f/∂x, f a column", "argument of A", lambda f, g, A: A @ f, lambda ops, f, g, df, dg, A: A @ df),
    ("(8)", "∂(f A)/∂x = Aᵀ ∂f/∂x, f a row", "row", lambda f, g, A: f @ A, lambda ops, f, g, df, dg, A: ops.transpose(A) @ df),
)
"""Lemma 1: (number, statement, what f is, the product, its Jacobian)."""


def lemmas() -> Iterator[Theorem]:
    """The product and chain rules of vector functions f and g of x, whose values and Jacobians are arbitrary.

    A rule about Jacobians at a point involves the functions only through their values and Jacobians there, so for all sizes f and g
    are affine with arbitrary coefficients.
    """
    variables = {"x": ("D", 1), "A": ("K", "N")}

    def functions(f: str) -> Callable[..., Any]:
        """(f, g) for f a column or row of K functions, or a column of N functions; g is a number."""

        def make(space: Space, x: Any, A: Matrix) -> tuple[Any, Any]:
            K, N = space.ops.shape(A)
            return space.unknown_vector("f", N if f == "argument of A" else K, f == "row", x), space.unknown_vector("g", 1, False, x)

        return make

    def with_jacobians(make: Callable[..., Any]) -> Callable[..., Any]:
        def given(space: Space, x: Any, A: Matrix) -> tuple[Any, ...]:
            f, g = make(space, x, A)
            return f, g, space.jacobian(f, "x"), space.jacobian(g, "x"), A

        return given

    for number, statement, f, product_of, rule in RULES:
        make = functions(f)

        def derivative(space: Space, x: Any, A: Matrix, make: Any = make, product_of: Any = product_of) -> Tree:
            return space.jacobian(product_of(*make(space, x, A), A), "x")

        yield from equation("specification.Lemma 1", number, statement, variables, rule, derivative, given=with_jacobians(make))
    yield from chain_rule()


def chain_rule() -> Iterator[Theorem]:
    """Lemma 2, with g of y = f(x) given by an arbitrary matrix J = ∂g/∂y."""

    def f(space: Space, x: Any, J: Any) -> Tree:
        return space.unknown_vector("f", space.ops.shape(J)[1], False, x)

    yield from equation(
        "specification.Lemma 2",
        "(9)",
        "∂g(f(x))/∂x = ∂g/∂y · ∂f/∂x",
        {"x": ("D", 1), "J": ("K", "N")},
        lambda ops, dg, df: dg @ df,
        lambda space, x, J: space.jacobian(J @ f(space, x, J), "x"),
        given=lambda space, x, J: (J, space.jacobian(f(space, x, J), "x")),
    )


def linear_derivation() -> Iterator[Theorem]:
    """Section 4.1, the linear layer, for row k of X: L is any function of Y with gradient DY."""
    subject = "specification.4.1 linear"
    variables = {"x": (1, "D"), "W": ("K", "D"), "b": (1, "K")}
    yield from equation(
        subject,
        "∂y/∂x",
        "∂(x Wᵀ + b)/∂x = W",
        variables,
        lambda ops, x, W, b: W,
        lambda s, x, W, b: s.jacobian(x @ s.ops.transpose(W) + b, "x"),
    )
    yield from equation(
        subject,
        "∂y/∂b",
        "∂(x Wᵀ + b)/∂b = I_K",
        variables,
        lambda ops, x, W, b: ops.identity(ops.shape(W)[0]),
        lambda s, x, W, b: s.jacobian(x @ s.ops.transpose(W) + b, "b"),
    )
    yield from equation(
        subject,
        "DW",
        "∂⟨DY, X Wᵀ⟩/∂w_ij = (DYᵀ · X)_ij",
        {"X": ("N", "D"), "W": ("K", "D"), "DY": ("N", "K")},
        lambda ops, X, W, DY: ops.transpose(DY) @ X,
        lambda s, X, W, DY: s.gradient(DY, X @ s.ops.transpose(W), "W"),
    )


def log_softmax_derivation() -> Iterator[Theorem]:
    """Section 4.1, the log-softmax layer: by rows, and equation (17)."""
    ZDY = {"Z": ("N", "K"), "DY": ("N", "K")}
    z = {"z": (1, "K"), "dy": (1, "K")}

    def one_row(ops: Ops, z: Any, dy: Any) -> Tree:
        K = ops.shape(z)[1]
        return dy @ (ops.identity(K) - ops.ones(K, 1) @ softmax(ops, z))

    def equation17(ops: Ops, Z: Matrix, DY: Matrix) -> Tree:
        K = ops.shape(Z)[1]
        return DY - ops.hadamard(softmax(ops, Z), product(DY, ops.ones(K, 1), ops.ones(1, K)))

    subject = "specification.4.1 log-softmax"
    yield from equation(
        subject, "Dz", "Dz = Dy · (I_K - 1_K · softmax(z))", z, one_row, lambda s, z, dy: s.gradient(dy, log_softmax(s.ops, z), "z")
    )
    yield from equation(
        subject,
        "(17)",
        "DZ = DY - softmax(Z) ⊙ (DY · 1_K · 1_Kᵀ)",
        ZDY,
        equation17,
        lambda s, Z, DY: s.gradient(DY, log_softmax(s.ops, Z), "Z"),
    )


def batch_normalization_derivation() -> Iterator[Theorem]:
    """Section 4.1, batch normalization, for one column (18)-(24)."""
    subject = "specification.4.1 batch normalization"
    r = {"r": ("N", 1)}
    yield from equation(
        subject,
        "(18)",
        "∂r/∂x = I_N - 1_N · 1_Nᵀ / N",
        {"x": ("N", 1)},
        lambda ops, x: centering(ops, ops.shape(x)[0]),
        lambda s, x: s.jacobian(x - s.ops.row_repeat(s.ops.columns_mean(x), s.ops.shape(x)[0]), "x"),
    )
    yield from equation(subject, "(21)", "∂z/∂r = σ^(-1/2) I_N - r · σ^(-3/2)/2 · 2rᵀ/N", r, equation21, normalized_jacobian)
    yield from equation(subject, "(22)", "∂z/∂r = σ^(-1/2)/N · (N I_N - z zᵀ)", r, equation22, normalized_jacobian)
    yield from equation(
        subject,
        "(23)",
        "Dr = σ^(-1/2)/N · (N I_N - z zᵀ) · Dz",
        {**r, "Dz": ("N", 1)},
        lambda ops, r, Dz: equation22(ops, r) @ Dz,
        lambda s, r, Dz: s.gradient(Dz, normalized(s.ops, r)[1], "r"),
    )
    yield from equation(
        subject,
        "(24)",
        "Dx = (I_N - 1_N · 1_Nᵀ / N) · Dr",
        {"x": ("N", 1), "Dr": ("N", 1)},
        lambda ops, x, Dr: centering(ops, ops.shape(x)[0]) @ Dr,
        lambda s, x, Dr: s.gradient(Dr, centering(s.ops, s.ops.shape(x)[0]) @ x, "x"),
    )
    yield from equation(
        subject,
        "1ᵀ z = 0",
        "the columns of Z sum to 0",
        {"x": ("N", 1)},
        lambda ops, x: ops.columns_sum(normalized(ops, centering(ops, ops.shape(x)[0]) @ x)[1]),
        lambda s, x: s.ops.zeros(1, 1),
    )


def centering(ops: Ops, N: Any) -> Tree:
    """I_N - 1_N · 1_Nᵀ / N."""
    return ops.identity(N) - ops.divide(ops.ones(N, 1) @ ops.ones(1, N), N)


def normalized(ops: Ops, r: Any) -> tuple[Any, Any]:
    """(19) and (20): σ = rᵀ r / N and z = r σ^(-1/2)."""
    sigma = ops.divide(ops.transpose(r) @ r, ops.shape(r)[0])
    return sigma, r @ ops.inv_sqrt(sigma)


def normalized_jacobian(space: Space, r: Any) -> Tree:
    """∂z/∂r."""
    return space.jacobian(normalized(space.ops, r)[1], "r")


def equation21(ops: Ops, r: Any) -> Tree:
    """σ^(-1/2) I_N - r · σ^(-3/2)/2 · 2rᵀ/N, with the identity that is missing in print."""
    return times(ops, ops.inv_sqrt(normalized(ops, r)[0]), ops.identity(ops.shape(r)[0])) - equation21_last(ops, r)


def equation21_last(ops: Ops, r: Any) -> Tree:
    """r · σ^(-3/2)/2 · 2rᵀ/N."""
    N = ops.shape(r)[0]
    sigma = normalized(ops, r)[0]
    power = ops.hadamard(ops.inv_sqrt(sigma), ops.reciprocal(sigma))
    return product(r, power / 2, ops.divide(2 * ops.transpose(r), N))


def equation22(ops: Ops, r: Any) -> Tree:
    """σ^(-1/2)/N · (N I_N - z zᵀ)."""
    N = ops.shape(r)[0]
    sigma, z = normalized(ops, r)
    return times(ops, ops.divide(ops.inv_sqrt(sigma), N), ops.scale(N, ops.identity(N)) - z @ ops.transpose(z))
