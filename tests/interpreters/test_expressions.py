"""Names and brackets: an expression on a line of text, read by the rules of the notation, has the value of the expression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerva_core.interpreters.expressions import Expression, Scalar, markup, symbol
from nerva_core.interpreters.identifiers import identifier
from nerva_core.interpreters.latex_ops import LatexOps
from nerva_core.interpreters.polynomial import size
from nerva_core.interpreters.traced import OPERATIONS, Traced
from tests.interpreters.reading import Reading
from tests.matrix_cases import example

VALUES = {name: np.random.default_rng(k).normal(size=(2, 2)) for k, name in enumerate("XYZ")}


BINARY = {"add": np.add, "subtract": np.subtract, "hadamard": np.multiply, "matmul": np.matmul}


def expressions():
    """Expressions with their values."""
    leaf = st.sampled_from("XYZ").map(lambda name: (Expression("symbol", name=identifier(name)), VALUES[name]))

    def larger(inner):
        binary = st.builds(
            lambda op, a, b: (Expression(op, (a[0], b[0])), BINARY[op](a[1], b[1])), st.sampled_from(list(BINARY)), inner, inner
        )
        unary = st.one_of(
            inner.map(lambda a: (Expression("negate", (a[0],)), -a[1])),
            inner.map(lambda a: (Expression("transpose", (a[0],)), a[1].T)),
            inner.map(lambda a: (Expression("scale", (3, a[0])), 3 * a[1])),
        )
        return st.one_of(binary, unary)

    return st.recursive(leaf, larger, max_leaves=8)


@given(expressions())
def test_brackets_stand_where_they_are_needed(expression):
    e, value = expression
    np.testing.assert_allclose(Reading(markup(e).text(), VALUES).value(), value, rtol=1e-9, atol=1e-9)


@given(expressions())
def test_latex_has_the_brackets_of_the_text(expression):
    text, latex = markup(expression[0]).text(), markup(expression[0]).latex()
    assert latex.count("(") == latex.count(")") == text.count("(")
    assert latex.count("{") == latex.count("}")


def written(code, **shapes):
    ops = LatexOps({})
    values = {name: Traced(ops, Expression("symbol", (), shape, identifier(name))) for name, shape in shapes.items()}
    return markup(code(ops, **values).value).text()


N, D, K = size("N"), size("D"), size("K")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (lambda ops, X, W: X @ ops.transpose(W), "X · Wᵀ"),
        (lambda ops, X, W: ops.transpose(X + X), "(X + X)ᵀ"),
        (lambda ops, X, W: X - (X - X), "X − (X − X)"),
        (lambda ops, X, W: X - -X, "X − (−X)"),
        (lambda ops, X, W: ops.columns_sum(ops.hadamard(X, X)), "1_Nᵀ · (X ⊙ X)"),
        (lambda ops, X, W: ops.row_repeat(ops.columns_mean(X), N), "1/N · 1_N · 1_Nᵀ · X"),
        (lambda ops, X, W: ops.rows_mean(X), "1/D · X · 1_D"),
        (lambda ops, X, W: ops.divide(ops.divide(X, N), D), "X/(N D)"),
        (lambda ops, X, W: ops.hadamard(X, ops.reciprocal(X)), "X ⊙ (1/X)"),
        (lambda ops, X, W: ops.inv_sqrt(X + X), "(X + X)^(−1/2)"),
        (lambda ops, X, W: ops.sqrt(X), "√X"),
        (lambda ops, X, W: ops.exp(-X), "e^(−X)"),
        (lambda ops, X, W: ops.transpose(ops.exp(X)), "(e^X)ᵀ"),
        (lambda ops, X, W: ops.ones(N, D) - X, "1 − X"),
        (lambda ops, X, W: ops.ones(D, 1) @ ops.ones(1, N), "1_D · 1_Nᵀ"),
        (lambda ops, X, W: 0.5 * ops.ones(N, D) + X, "0.5 + X"),
        (lambda ops, X, W: ops.identity(N) @ X, "𝕀_N · X"),
        (lambda ops, X, W: ops.shift_columns(X, 2) + ops.shift_columns(X, -1) + ops.shift_columns(X, 0), "X · S_2 + X · S_1ᵀ + X"),
        (lambda ops, X, W: ops.constant([[1, -2], [0.5, 3]]), "[1 -2; 0.5 3]"),
        (lambda ops, X, W: ops.step_function(X, (0, 1), ops.ones(3, 1) @ ops.ones(1, D)), "step(X, 1_3 · 1_Dᵀ)"),
        (lambda ops, X, W: ops.diag(X @ ops.transpose(X)), "diag(X · Xᵀ)"),
        (lambda ops, X, W: ops.rows_max(X), "max(X)_row"),
        (lambda ops, X, W: ops.where(ops.less(X, -X), X, ops.where(ops.greater(X, -X), -X, X)), "{X if X < −X; −X if X > −X; X otherwise}"),
        (lambda ops, X, W: ops.where(ops.hadamard(ops.less(X, -X), ops.equal(X, X)), X, -X), "{X if X < −X ∧ X = X; −X otherwise}"),
        (lambda ops, X, W: ops.greater_equal(X, ops.zeros(N, D)), "[X ≥ 0]"),
        (lambda ops, X, W: ops.abs(X), "|X|"),
        (lambda ops, X, W: ops.clip(X, -1, 2), "min(max(X, −1), 2)"),
        (lambda ops, X, W: ops.clip(X, Scalar("symbol", name=identifier("alpha")), 0.123456), "min(max(X, α), 0.123456)"),
        (lambda ops, X, W: ops.log_sigmoid(X), "log(σ(X))"),
        (lambda ops, X, W: ops.xlogy(X, X), "X ⊙ log(X)"),
        (lambda ops, X, W: (1 - Scalar("symbol", name=identifier("beta1"))) * X, "(1 − β_1) X"),
        (lambda ops, X, W: Scalar("symbol", name=identifier("gamma")) * (2 * (X - -X)), "2 γ (X − (−X))"),
        (lambda ops, X, W: 3 * (2 * X), "6 X"),
    ],
)
def test_notation(code, text):
    assert written(code, X=(N, D), W=(K, D)) == text


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_shown(name):
    ops = LatexOps({})
    arguments = example(name, N, D, lambda *shape: Traced(ops, symbol("A", shape)), columns=[0, 2, 1])
    assert markup(getattr(ops, name)(*arguments).value).text()
