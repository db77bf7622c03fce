"""Typeset mathematics as a small tree, written as plain text, LaTeX or MathML."""

from __future__ import annotations

import functools
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["text", "latex", "mathml"]

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
LATEX = {
    **{letter: f"\\{name}" for name, letter in GREEK.items()},
    "ε": "\\varepsilon", "φ": "\\varphi", "·": "\\cdot", "⊙": "\\odot", "−": "-", "≤": "\\leq", "≥": "\\geq", "∨": "\\lor", "∧": "\\land",
    "⊕": "\\oplus", "×": "\\times",
    **{name: f"\\{name}" for name in ("exp", "log", "max", "min", "tanh", "arctan")},
    "⊤": "\\top", "′": "'", "∇": "\\nabla", "𝕀": "\\mathbb{I}", "ℒ": "\\mathcal{L}", "|": "|",
}  # fmt: skip


class Markup(ABC):
    """A piece of typeset mathematics."""

    @abstractmethod
    def text(self) -> str:
        """In plain Unicode."""

    @abstractmethod
    def latex(self) -> str:
        """In LaTeX, for mathematics mode."""

    @abstractmethod
    def mathml(self) -> str:
        """As MathML elements."""

    def write(self, format: Format) -> str:
        """In the given format."""
        return {"text": self.text, "latex": self.latex, "mathml": self.mathml}[format]()


@dataclass(frozen=True)
class Symbol(Markup):
    """A variable, or the name of a function, which is upright if it has several letters."""

    name: str

    def text(self) -> str:
        return self.name

    def latex(self) -> str:
        if self.name in LATEX:
            return LATEX[self.name]
        return self.name if len(self.name) == 1 else f"\\text{{{self.name}}}"

    def mathml(self) -> str:
        return f"<mi>{escape(self.name)}</mi>"


@dataclass(frozen=True)
class Number(Markup):
    """A number in decimal notation."""

    digits: str

    def text(self) -> str:
        return self.digits

    def latex(self) -> str:
        digits, _, exponent = self.digits.partition("e")
        power = f"10^{{{int(exponent)}}}" if exponent else ""
        return "".join([digits] * (digits != "1" or not power) + ["\\cdot "] * (digits != "1" and bool(power)) + [power])

    def mathml(self) -> str:
        return f"<mn>{self.digits}</mn>"


@dataclass(frozen=True)
class Operator(Markup):
    """An infix operator, with space around it."""

    sign: str

    def text(self) -> str:
        return f" {self.sign} "

    def latex(self) -> str:
        return f" {LATEX.get(self.sign, self.sign)} "

    def mathml(self) -> str:
        return f"<mo>{escape(self.sign)}</mo>"


@dataclass(frozen=True)
class Prefix(Operator):
    """A sign without space around it: a minus, a comma or a bracket."""

    def text(self) -> str:
        return self.sign

    def latex(self) -> str:
        return LATEX.get(self.sign, self.sign)


@dataclass(frozen=True)
class Gap(Markup):
    """The space of a product without a sign: c X."""

    def text(self) -> str:
        return " "

    def latex(self) -> str:
        return " \\, "

    def mathml(self) -> str:
        return "<mo>&#x2062;</mo>"


class Items(Markup):
    """One piece after the other."""

    def __init__(self, *items: Markup) -> None:
        self.items = items

    def text(self) -> str:
        return "".join(item.text() for item in self.items)

    def latex(self) -> str:
        return functools.reduce(_beside, (item.latex() for item in self.items), "")

    def mathml(self) -> str:
        return f"<mrow>{''.join(item.mathml() for item in self.items)}</mrow>"


def _beside(left: str, right: str) -> str:
    """Two pieces of LaTeX, with a space where a letter would continue the name of a command."""
    return f"{left} {right}" if re.search(r"\\[a-zA-Z]+$", left) and right[:1].isalpha() else left + right


@dataclass(frozen=True)
class Fenced(Markup):
    """Something in brackets."""

    inside: Markup
    left: str = "("
    right: str = ")"

    def text(self) -> str:
        return f"{self.left}{self.inside.text()}{self.right}"

    def latex(self) -> str:
        inside = self.inside.latex()
        tall = "\\frac" in inside or "\\begin" in inside
        return f"\\left{self.left}{inside}\\right{self.right}" if tall else f"{self.left}{inside}{self.right}"

    def mathml(self) -> str:
        return f"<mrow><mo>{self.left}</mo>{self.inside.mathml()}<mo>{self.right}</mo></mrow>"


@dataclass(frozen=True)
class Unit(Markup):
    """Something that is one thing to the eye in two dimensions (a fraction, cases), and needs brackets on a line of text."""

    inside: Markup

    def text(self) -> str:
        return f"({self.inside.text()})"

    def latex(self) -> str:
        return self.inside.latex()

    def mathml(self) -> str:
        return self.inside.mathml()


def _on_a_line(piece: Markup) -> str:
    """As text, in brackets if it is more than one thing."""
    return piece.text() if isinstance(piece, (Symbol, Number, Sub, Sup, Fenced, Call, Unit)) else f"({piece.text()})"


@dataclass(frozen=True)
class Fraction(Markup):
    """One thing over another."""

    numerator: Markup
    denominator: Markup

    def text(self) -> str:
        return f"{_on_a_line(self.numerator)}/{_on_a_line(self.denominator)}"

    def latex(self) -> str:
        return f"\\frac{{{self.numerator.latex()}}}{{{self.denominator.latex()}}}"

    def mathml(self) -> str:
        return f"<mfrac>{self.numerator.mathml()}{self.denominator.mathml()}</mfrac>"


@dataclass(frozen=True)
class Sub(Markup):
    """A subscript."""

    base: Markup
    index: Markup

    def text(self) -> str:
        return f"{self.base.text()}_{_on_a_line(self.index)}"

    def latex(self) -> str:
        base = self.base.latex()
        return f"{{{base}}}_{{{self.index.latex()}}}" if "_" in base else f"{base}_{{{self.index.latex()}}}"

    def mathml(self) -> str:
        return f"<msub>{self.base.mathml()}{self.index.mathml()}</msub>"


@dataclass(frozen=True)
class Sup(Markup):
    """A superscript: a power, or a mark such as ⊤ and ′."""

    base: Markup
    exponent: Markup

    def text(self) -> str:
        if self.exponent == TRANSPOSE:
            return f"{self.base.text()}ᵀ"
        if self.exponent == PRIME:
            return f"{self.base.text()}′"
        return f"{self.base.text()}^{_on_a_line(self.exponent)}"

    def latex(self) -> str:
        if self.exponent == PRIME:
            return f"{self.base.latex()}'"
        return f"{{{self.base.latex()}}}^{{{self.exponent.latex()}}}" if "^" in self.base.latex() else self._plain()

    def _plain(self) -> str:
        return f"{self.base.latex()}^{{{self.exponent.latex()}}}"

    def mathml(self) -> str:
        if isinstance(self.base, Sub):
            return f"<msubsup>{self.base.base.mathml()}{self.base.index.mathml()}{self.exponent.mathml()}</msubsup>"
        return f"<msup>{self.base.mathml()}{self.exponent.mathml()}</msup>"


TRANSPOSE = Symbol("⊤")
PRIME = Symbol("′")


@dataclass(frozen=True)
class SquareRoot(Markup):
    """The square root."""

    inside: Markup

    def text(self) -> str:
        return f"√{_on_a_line(self.inside)}"

    def latex(self) -> str:
        return f"\\sqrt{{{self.inside.latex()}}}"

    def mathml(self) -> str:
        return f"<msqrt>{self.inside.mathml()}</msqrt>"


class Call(Markup):
    """A function of arguments."""

    def __init__(self, function: Markup, *arguments: Markup) -> None:
        self.function = function
        self.arguments = arguments

    def _fenced(self) -> Markup:
        inside: list[Markup] = []
        for argument in self.arguments:
            inside += [Comma(), argument] if inside else [argument]
        return Fenced(Items(*inside))

    def text(self) -> str:
        return self.function.text() + self._fenced().text()

    def latex(self) -> str:
        return self.function.latex() + self._fenced().latex()

    def mathml(self) -> str:
        return f"<mrow>{self.function.mathml()}<mo>&#x2061;</mo>{self._fenced().mathml()}</mrow>"


@dataclass(frozen=True)
class Comma(Markup):
    """Between arguments."""

    def text(self) -> str:
        return ", "

    def latex(self) -> str:
        return ", "

    def mathml(self) -> str:
        return "<mo>,</mo>"


class Cases(Markup):
    """A value under each condition, the first that holds, and the value otherwise."""

    def __init__(self, cases: list[tuple[Markup, Markup]], otherwise: Markup) -> None:
        self.cases = cases
        self.otherwise = otherwise

    def text(self) -> str:
        inside = "; ".join(f"{value.text()} if {condition.text()}" for value, condition in self.cases)
        return f"{{{inside}; {self.otherwise.text()} otherwise}}"

    def latex(self) -> str:
        lines = [f"{value.latex()} & \\text{{if }} {condition.latex()}" for value, condition in self.cases]
        return " ".join(["\\begin{cases}", " \\\\ ".join([*lines, f"{self.otherwise.latex()} & \\text{{otherwise}}"]), "\\end{cases}"])

    def mathml(self) -> str:
        rows = [(value, f"<mtext>if&#xa0;</mtext>{condition.mathml()}") for value, condition in self.cases]
        rows.append((self.otherwise, "<mtext>otherwise</mtext>"))
        cell = '<mtd style="text-align: left">{}</mtd>'.format
        table = "".join(f"<mtr>{cell(value.mathml())}{cell(when)}</mtr>" for value, when in rows)
        return f"<mrow><mo>{{</mo><mtable>{table}</mtable></mrow>"
