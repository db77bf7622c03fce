"""Expressions in the specification's notation: what an operation looks like, and where brackets stand.

In the equations a number in the place of a matrix stands for the matrix of that number, as in 1 − σ(X) and max(X, 0). The products
·, ⊙ and c X bind stronger than + and −, and brackets stand between different products, as in (1_N · γ) ⊙ Z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nerva_core.algebra.matrix import Shape, Size
from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.identifiers import identifier
from nerva_core.interpreters.markup import Markup
from nerva_core.interpreters.piece import ATOM, CASES, DOT, FRACTION, HADAMARD, NEGATIVE, POWER, PRODUCTS, SCALED, SUM, Piece
from nerva_core.interpreters.polynomial import Polynomial


class Expression:
    """An operation on expressions and numbers; a symbol has none. Where it has a name, it is shown by it."""

    def __init__(
        self, operation: str, arguments: tuple[Any, ...] = (), shape: tuple[Size, ...] = (1, 1), name: Markup | None = None
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.shape = Shape(*shape)
        self.name = name
        self.call: Markup | None = None
        """The call of a function that gave this value."""

    def __repr__(self) -> str:
        return markup(self).text()


class Scalar(Expression):
    """A number: a hyper-parameter, or what is computed from it."""

    def _with(self, operation: str, *arguments: Any) -> Any:
        known = all(isinstance(a, (Scalar, Polynomial, int, float)) for a in arguments)
        return Scalar(operation, arguments) if known else NotImplemented

    def __add__(self, other: Any) -> Any:
        return self._with("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._with("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._with("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._with("scale", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("scale", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._with("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with("divide", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._with("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._with("power", other, self)

    def __mod__(self, other: Any) -> Any:
        return self._with("mod", self, other)

    def __neg__(self) -> Any:
        return self._with("negate", self)


def symbol(name: str, shape: tuple[Size, ...]) -> Expression:
    """A matrix variable."""
    return Expression("symbol", (), shape, identifier(name))


def is_uniform(e: Any) -> bool:
    """Whether all elements are one number, so that the matrix is shown as this number."""
    if not isinstance(e, Expression) or e.operation in ("full", "zeros", "ones", "fill", "uniform"):
        return True
    return e.operation in ELEMENTWISE and all(map(is_uniform, e.arguments))


def is_condition(e: Any) -> bool:
    """Whether e is made of comparisons."""
    made = isinstance(e, Expression) and (e.operation in RELATIONS or e.operation in CONNECTIVES)
    return made and (e.operation in RELATIONS or all(map(is_condition, e.arguments)))


def piece(e: Any) -> Piece:
    """How e is shown where it is used: by its name, as the call that gave it, or in full."""
    if isinstance(e, Expression):
        if e.name is not None:
            return Piece(e.name, POWER if isinstance(e.name, mk.Sup) else ATOM)
        return Piece(e.call) if e.call is not None else expansion(e)
    if isinstance(e, Polynomial):
        return Piece(mk.Symbol(str(e)), ATOM if len(e.terms) == 1 else SUM)
    if e < 0:
        return Piece(mk.Items(mk.Prefix("−"), piece(-e).markup), NEGATIVE)
    return Piece(mk.Number(f"{e:.10g}"))


def expansion(e: Expression) -> Piece:
    """The operation that e is, on its arguments as they are shown."""
    return NOTATION[e.operation](*e.arguments)


def markup(e: Any) -> Markup:
    """How e is shown."""
    return piece(e).markup


def _infix(sign: str, items: list[Markup], kind: str) -> Piece:
    row: list[Markup] = []
    for item in items:
        row += [mk.Operator(sign), item] if row else [item]
    return Piece(mk.Items(*row), kind)


def _add(X: Any, Y: Any) -> Piece:
    return _infix("+", [piece(X).within(*PRODUCTS, FRACTION, NEGATIVE, SUM), piece(Y).within(*PRODUCTS, FRACTION, SUM)], SUM)


def _subtract(X: Any, Y: Any) -> Piece:
    return _infix("−", [piece(X).within(*PRODUCTS, FRACTION, NEGATIVE, SUM), piece(Y).within(*PRODUCTS, FRACTION)], SUM)


def _negate(X: Any) -> Piece:
    return Piece(mk.Items(mk.Prefix("−"), piece(X).within(*PRODUCTS, FRACTION)), NEGATIVE)


def _scale(c: Any, X: Any) -> Piece:
    if isinstance(X, Expression) and X.operation == "ones":
        return piece(c)
    if isinstance(X, Expression) and X.operation == "scale" and X.name is X.call is None and isinstance(d := X.arguments[0], (int, float)):
        return _scale(c * d if isinstance(c, (int, float)) else Scalar("scale", (d, c)), X.arguments[1])  # numbers first
    return Piece(mk.Items(piece(c).within(SCALED), mk.Gap(), piece(X).within(SCALED)), SCALED)


def _divide(X: Any, c: Any) -> Piece:
    if isinstance(X, Expression) and X.operation == "divide" and X.name is None:
        X, c = X.arguments[0], Scalar("scale", (X.arguments[1], c))
    return Piece(mk.Fraction(markup(X), markup(c)), FRACTION)


def _hadamard(X: Any, Y: Any) -> Piece:
    if is_uniform(X) or is_uniform(Y):
        return _scale(X, Y) if is_uniform(X) else _scale(Y, X)
    return _infix("⊙", [piece(X).within(HADAMARD), piece(Y).within(HADAMARD)], HADAMARD)


def _transposed(piece: Piece) -> Markup:
    return mk.Sup(piece.markup if piece.kind == ATOM else mk.Fenced(piece.markup), mk.TRANSPOSE)


def _column_of_ones(m: Any) -> Markup:
    return mk.Sub(mk.Number("1"), markup(m))


def _row_of_ones(n: Any) -> Markup:
    return mk.Sup(_column_of_ones(n), mk.TRANSPOSE)


def _factors(X: Any, first: bool) -> Piece:
    """X as factors of a matrix product; there a matrix of ones is 1_m · 1_nᵀ."""
    if isinstance(X, Expression) and X.operation == "ones" and X.name is None:
        m, n, _ = X.shape
        rows, columns = (() if m == 1 else (_column_of_ones(m),)), (() if n == 1 else (_row_of_ones(n),))
        return Piece(mk.Number("1"), DOT, rows + columns or (mk.Number("1"),))
    shown = piece(X)
    return shown if shown.kind == DOT else Piece(shown.markup, DOT, (shown.within(first=first),))


def _dot(*factors: Any, divisor: Any = None) -> Piece:
    """The product of the factors, matrices or markup, divided by a size; products in a product have no brackets, and 1/m comes first."""
    pieces = [Piece(f, DOT, (f,)) if isinstance(f, Markup) else _factors(f, k == 0) for k, f in enumerate(factors)]
    divisors = tuple(d for p in pieces for d in p.divisors) + (() if divisor is None else (divisor,))
    chain = tuple(f for p in pieces for f in p.factors)
    first = (mk.Fraction(mk.Number("1"), _product(divisors)),) if divisors else ()
    return Piece(_infix("·", [*first, *chain], DOT).markup, DOT, chain, divisors)


def _product(sizes: tuple[Any, ...]) -> Markup:
    product = sizes[0]
    for size in sizes[1:]:
        product = Scalar("scale", (product, size))
    return markup(product)


def _power(X: Any, exponent: Markup) -> Piece:
    base = piece(X)
    return Piece(mk.Sup(base.markup if base.kind == ATOM else mk.Fenced(base.markup), exponent), POWER)


def _function(name: str) -> Callable[..., Piece]:
    return lambda *arguments: Piece(mk.Call(mk.Symbol(name), *map(markup, arguments)))


def _indexed(name: str, X: Any, index: Markup) -> Piece:
    return Piece(mk.Sub(mk.Call(mk.Symbol(name), markup(X)), index))


def _numbers(columns: Any) -> str:
    """1..4, or the numbers, counted from 1."""
    first, last = columns[0] + 1, columns[-1] + 1
    whole = list(columns) == list(range(columns[0], columns[-1] + 1)) and len(columns) > 2
    return f"{first}..{last}" if whole else ",".join(str(j + 1) for j in columns)


def _range(first: Any, count: Any) -> Markup:
    """1..D, D+1..2D: the numbers of columns, counted from 1."""
    return mk.Items(markup(first + 1), mk.Symbol(".."), markup(first + count))


def _relation(sign: str) -> Callable[..., Piece]:
    return lambda X, Y: Piece(mk.Fenced(_infix(sign, [markup(X), markup(Y)], ATOM).markup, "[", "]"))


def _condition(e: Any) -> Markup:
    """A condition as it stands after "if"."""
    if e.operation in RELATIONS:
        return _infix(RELATIONS[e.operation], [markup(X) for X in e.arguments], ATOM).markup
    if is_condition(e):
        return _infix(CONNECTIVES[e.operation], [_condition(X) for X in e.arguments], ATOM).markup
    return _infix("=", [markup(e), mk.Number("1")], ATOM).markup


def _where(C: Any, X: Any, Y: Any) -> Piece:
    cases: list[tuple[Markup, Markup]] = []
    while True:
        value, condition = markup(X), _condition(C)
        if cases and cases[-1][0].text() == value.text():
            condition = _infix("∨", [cases.pop()[1], condition], ATOM).markup
        cases.append((value, condition))
        if not (isinstance(Y, Expression) and Y.operation == "where" and Y.name is None):
            return Piece(mk.Cases(cases, markup(Y)), CASES)
        C, X, Y = Y.arguments


def _shift(o: int) -> Markup:
    """S_o; S_1ᵀ for S_(-1), which is the same."""
    S = mk.Sub(mk.Symbol("S"), mk.Number(str(abs(o))))
    return mk.Sup(S, mk.TRANSPOSE) if o < 0 else S


def _constant(rows: Any) -> Piece:
    """The numbers in brackets, a semicolon after each row but the last."""
    return Piece(mk.Fenced(mk.Symbol("; ".join(" ".join(f"{c:.10g}" for c in row) for row in rows)), "[", "]"))


RELATIONS = {"less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "equal": "="}
CONNECTIVES = {"hadamard": "∧", "minimum": "∧", "maximum": "∨"}
ELEMENTWISE = ("add", "subtract", "negate", "scale", "divide", "hadamard")
E = mk.Symbol("e")
MINUS_HALF = mk.Items(mk.Prefix("−"), mk.Fraction(mk.Number("1"), mk.Number("2")))

NOTATION: dict[str, Callable[..., Piece]] = {
    "full": lambda c, m, n: piece(c),
    "zeros": lambda m, n: Piece(mk.Number("0")),
    "ones": lambda m, n: Piece(mk.Number("1")),
    "identity": lambda n: Piece(mk.Sub(mk.Symbol("𝕀"), markup(n))),
    "constant": lambda rows: _constant(rows),
    "unit": lambda j, n: Piece(mk.Sub(E, mk.Number(str(j)))),
    "shift": lambda n, o: Piece(_shift(o), POWER),
    "shift_columns": lambda X, o: _dot(X, _shift(o)) if o else piece(X),
    "fill": lambda x, m, n: piece(x),
    "add": _add,
    "subtract": _subtract,
    "negate": _negate,
    "scale": _scale,
    "divide": _divide,
    "power": lambda c, k: _power(c, markup(k)),
    "mod": lambda t, k: _infix("mod", [markup(t), markup(k)], SUM),
    "hadamard": _hadamard,
    "matmul": _dot,
    "transpose": lambda X: Piece(_transposed(piece(X)), POWER),
    "row_repeat": lambda x, m: _dot(_column_of_ones(m), x),
    "column_repeat": lambda x, n: _dot(x, _row_of_ones(n)),
    "columns_sum": lambda X: _dot(_row_of_ones(X.shape[0]), X),
    "rows_sum": lambda X: _dot(X, _column_of_ones(X.shape[1])),
    "elements_sum": lambda X: _dot(_row_of_ones(X.shape[0]), X, _column_of_ones(X.shape[1])),
    "columns_mean": lambda X: _dot(_row_of_ones(X.shape[0]), X, divisor=X.shape[0]),
    "rows_mean": lambda X: _dot(X, _column_of_ones(X.shape[1]), divisor=X.shape[1]),
    "split": lambda X, m, n: _indexed("blocks", X, _infix("×", [markup(m), markup(n)], ATOM).markup),
    "join": lambda F, k: Piece(mk.Call(mk.Symbol("join"), markup(F))),
    "member": lambda F, k: Piece(mk.Sub(piece(F).within(), markup(k))),
    "family": _function("family"),
    "members_sum": lambda F: Piece(mk.Items(mk.Prefix("Σ"), piece(F).within()), NEGATIVE),
    "column_part": lambda X, k, count: Piece(mk.Sub(piece(X).within(), mk.Symbol(f"({k + 1}/{count})"))),
    "column_range": lambda X, first, count: _indexed("columns", X, _range(first, count)),
    "join_column_parts": lambda *parts: _infix("⊕", [piece(X).within() for X in parts], SUM),
    "transpose_columns": lambda X, m: _indexed("transpose", X, mk.Symbol("row")),
    "windows": lambda X, G: Piece(mk.Call(mk.Symbol("windows"), markup(X))),
    "fold": lambda Z, G: Piece(mk.Call(mk.Symbol("fold"), markup(Z))),
    "channel_windows": lambda X, G: _indexed("windows", X, mk.Symbol("channel")),
    "channel_fold": lambda Z, C, G: _indexed("fold", Z, mk.Symbol("channel")),
    "pool_max": lambda X, G: Piece(mk.Sub(mk.Call(mk.Symbol("max"), markup(X)), mk.Symbol("window"))),
    "pool_max_inputs": lambda X, DY, G: Piece(mk.Sub(mk.Call(mk.Symbol("unpool"), markup(X), markup(DY)), mk.Symbol("window"))),
    "first_maxima": _function("argmax"),
    "range_row": lambda n: Piece(mk.Symbol("(0 1 2 …)")),
    "lower_ones": lambda n: Piece(mk.Sub(mk.Symbol("L"), markup(n)), POWER),
    "first_ones": lambda k, n: Piece(mk.Sub(mk.Symbol("1"), _infix("≤", [mk.Symbol("l"), markup(k)], ATOM).markup), POWER),
    "sines": lambda m, n, base: Piece(mk.Sub(mk.Symbol("sin"), _infix("×", [markup(m), markup(n)], ATOM).markup), POWER),
    "cosines": lambda m, n, base: Piece(mk.Sub(mk.Symbol("cos"), _infix("×", [markup(m), markup(n)], ATOM).markup), POWER),
    "one_hot": lambda x, n: Piece(mk.Call(mk.Symbol("onehot"), markup(x))),
    "masked_softmax": _function("softmax"),
    "rows_max": lambda X: Piece(mk.Sub(mk.Call(mk.Symbol("max"), markup(X)), mk.Symbol("row"))),
    "columns_max": lambda X: Piece(mk.Sub(mk.Call(mk.Symbol("max"), markup(X)), mk.Symbol("col"))),
    "reshape": lambda X, m, n: _indexed("reshape", X, _infix("×", [markup(m), markup(n)], ATOM).markup),
    "take_columns": lambda X, columns: _indexed("columns", X, mk.Symbol(_numbers(columns))),
    "join_columns": lambda X, Y: _infix("⊕", [piece(X).within(), piece(Y).within()], SUM),
    "sort_rows": lambda X: _indexed("sort", X, mk.Symbol("row")),
    "again": _function("again"),
    "stop_gradient": _function("stop"),
    "diag": _function("diag"),
    "Diag": _function("Diag"),
    "exp": lambda X: _power(Scalar("symbol", name=E), markup(X)),
    "log": _function("log"),
    "reciprocal": lambda X: Piece(mk.Fraction(mk.Number("1"), markup(X)), FRACTION),
    "sqrt": lambda X: Piece(mk.SquareRoot(markup(X)), POWER),
    "inv_sqrt": lambda X: _power(X, MINUS_HALF),
    "normal_cdf": _function("Φ"),
    "normal_pdf": _function("φ"),
    "sigmoid": _function("σ"),
    "tanh": _function("tanh"),
    "arctan": _function("arctan"),
    "sign": _function("sign"),
    "abs": lambda X: Piece(mk.Fenced(markup(X), "|", "|")),
    "maximum": _function("max"),
    "minimum": _function("min"),
    "where": _where,
    "step_function": lambda X, s, T: Piece(mk.Call(mk.Symbol("step"), markup(X), markup(T))),
    "interval_sums": lambda Y, X, s: Piece(mk.Call(mk.Symbol("sums"), markup(Y), markup(X))),
    **{name: _relation(sign) for name, sign in RELATIONS.items()},
}
"""How each operation is shown. An operation that is not here is shown by its definition."""
