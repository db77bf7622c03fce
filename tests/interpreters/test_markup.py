"""The three ways of writing a formula."""

from xml.etree import ElementTree

import pytest

from nerva_core.interpreters.latex import equations
from nerva_core.interpreters.markup import (
    PRIME,
    TRANSPOSE,
    Call,
    Cases,
    Fenced,
    Fraction,
    Items,
    Number,
    Operator,
    SquareRoot,
    Sub,
    Sup,
    Symbol,
    Unit,
)
from nerva_core.interpreters.subjects import FUNCTIONS, TABLES, find

X, N, ONE = Symbol("X"), Symbol("N"), Number("1")


@pytest.mark.parametrize(
    ("markup", "text", "latex", "mathml"),
    [
        (Sup(X, TRANSPOSE), "Xᵀ", "X^{\\top}", "<msup><mi>X</mi><mi>⊤</mi></msup>"),
        (Sup(X, PRIME), "X′", "X'", "<msup><mi>X</mi><mi>′</mi></msup>"),
        (Sub(ONE, N), "1_N", "1_{N}", "<msub><mn>1</mn><mi>N</mi></msub>"),
        (Fraction(ONE, N), "1/N", "\\frac{1}{N}", "<mfrac><mn>1</mn><mi>N</mi></mfrac>"),
        (Unit(Fraction(ONE, N)), "(1/N)", "\\frac{1}{N}", "<mfrac><mn>1</mn><mi>N</mi></mfrac>"),
        (SquareRoot(Items(X, Operator("+"), N)), "√(X + N)", "\\sqrt{X + N}", "<msqrt><mrow><mi>X</mi><mo>+</mo><mi>N</mi></mrow></msqrt>"),
        (Fenced(X), "(X)", "(X)", "<mrow><mo>(</mo><mi>X</mi><mo>)</mo></mrow>"),
        (Call(Symbol("log"), X).function, "log", "\\log", "<mi>log</mi>"),
        (Symbol("a<b"), "a<b", "\\text{a<b}", "<mi>a&lt;b</mi>"),
    ],
)
def test_written(markup, text, latex, mathml):
    assert (markup.text(), markup.latex(), markup.mathml()) == (text, latex, mathml)


def test_cases():
    cases = Cases([(X, Symbol("c")), (N, Symbol("d"))], ONE)
    assert cases.text() == "{X if c; N if d; 1 otherwise}"
    assert cases.latex() == "\\begin{cases} X & \\text{if } c \\\\ N & \\text{if } d \\\\ 1 & \\text{otherwise} \\end{cases}"
    assert cases.mathml().count("<mtr>") == 3


def test_brackets_around_tall_things_grow():
    assert Fenced(Fraction(ONE, N)).latex() == "\\left(\\frac{1}{N}\\right)"


def test_what_latex_would_misread_is_kept_apart():
    """A letter after a command would be part of its name, and two subscripts of one thing are an error."""
    Delta_H, H_l = Items(Symbol("Δ"), Symbol("H")), Sub(Symbol("H"), Symbol("l"))
    assert Delta_H.latex() == "\\Delta H"
    assert Sub(H_l, N).latex() == "{H_{l}}_{N}"
    assert Items(Symbol("D"), Symbol("γ")).latex() == "D\\gamma"


@pytest.mark.parametrize("name", [name for table in TABLES for name in table.entries] + list(FUNCTIONS))
def test_every_equation_is_well_formed(name):
    found = equations(find(name)[0])
    for equation in (*found.forward, *found.backward, *found.where):
        ElementTree.fromstring(equation.mathml())
        latex = equation.latex()
        assert latex.count("{") - latex.count("\\{") == latex.count("}") - latex.count("\\}")
        assert latex.count("\\left") == latex.count("\\right")
        assert latex.isascii(), latex
