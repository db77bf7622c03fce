"""LaTeX that can be pasted: equations as ``align*``, long ones over several lines, everything else as comments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.latex import Equation
from nerva_core.interpreters.markup import Markup

BEGIN = "\\begin{align*}"

WIDTH = 70
"""Characters of an equation, as plain text, that go on one line; longer ones are broken before an operator."""

SUMS = ("+", "−", "-", "=")
"""A line is broken before these rather than before a product."""

PACKAGES = ("amsmath", "amssymb")
"""What the fragments need."""


class Stretch(NamedTuple):
    """A part of a formula that stays on a line; a line is rather broken before one of a lower rank."""

    latex: str
    width: int
    rank: int


def pieces(markup: Markup, depth: int = 0, most: int = WIDTH) -> list[Stretch]:
    """The formula cut before each of its operators, and inside brackets that are too long for a line, which ``bigl`` opens."""
    found: list[Stretch] = []
    for item in markup.items if isinstance(markup, mk.Items) else (markup,):
        if type(item) is mk.Operator:
            found.append(Stretch(item.latex(), len(item.text()), 2 * depth + (item.sign not in SUMS)))
            continue
        inner = _cut(item, depth, most) if len(item.text()) > most else [Stretch(item.latex(), len(item.text()), 2 * depth)]
        if found:  # the first goes on where the operator before it stands
            first, last = inner[0], found.pop()
            found.append(Stretch(last.latex + first.latex, last.width + first.width, last.rank))
            inner = inner[1:]
        found += inner
    return found


def _cut(item: Markup, depth: int, most: int) -> list[Stretch]:
    """The parts of something in brackets; of anything else, the whole."""
    if isinstance(item, mk.Items):
        return pieces(item, depth, most)
    if isinstance(item, mk.Call):
        before, inside = item.function.latex(), pieces(mk.Items(*_separated(item.arguments)), depth + 1, most)
        return _around(f"{before}\\bigl(", inside, "\\bigr)")
    if isinstance(item, mk.Fenced):
        return _around(f"\\bigl{item.left}", pieces(item.inside, depth + 1, most), f"\\bigr{item.right}")
    if isinstance(item, mk.Sup) and isinstance(item.base, mk.Fenced):
        return _around("", _cut(item.base, depth, most), f"^{{{item.exponent.latex()}}}")
    if isinstance(item, mk.Sub) and isinstance(item.base, (mk.Fenced, mk.Call)):
        return _around("", _cut(item.base, depth, most), f"_{{{item.index.latex()}}}")
    return [Stretch(item.latex(), len(item.text()), 2 * depth)]


def _separated(arguments: Sequence[Markup]) -> Iterable[Markup]:
    for k, argument in enumerate(arguments):
        yield from (mk.Comma(), argument) if k else (argument,)


def _around(left: str, inside: list[Stretch], right: str) -> list[Stretch]:
    opened = [inside[0]._replace(latex=left + inside[0].latex, width=inside[0].width + 1), *inside[1:]]
    return [*opened[:-1], opened[-1]._replace(latex=opened[-1].latex + right, width=opened[-1].width + 1)]


def lines(parts: list[Stretch], most: int = WIDTH) -> list[str]:
    """The parts on lines of that width: broken first where the brackets are fewest, then within what is too long still."""
    if sum(part.width for part in parts) <= most or len(parts) == 1:
        return ["".join(part.latex for part in parts).lstrip()]
    outermost = min(part.rank for part in parts[1:])
    starts = [0, *(k for k, part in enumerate(parts) if k and part.rank == outermost), len(parts)]
    result: list[str] = []
    room = 0
    for start, end in pairwise(starts):
        group = parts[start:end]
        width = sum(part.width for part in group)
        if result and width <= room:
            result[-1] += "".join(part.latex for part in group)
            room -= width
        else:
            result += lines(group, most)
            room = most - width if width <= most else 0
    return result


def aligned(equations: Iterable[Equation]) -> str:
    """The equations one below the other, with their signs of equality aligned."""
    written = []
    for equation in equations:
        first, *others = lines(pieces(equation.right))
        written.append(f"  {equation.left.latex()} &= {first}")
        written += [f"  &\\quad {line}" for line in others]
    return f"{BEGIN}\n" + " \\\\\n".join(written) + "\n\\end{align*}" if written else ""


def comment(text: str) -> str:
    """The lines as comments of LaTeX."""
    return "\n".join(f"% {line}".rstrip() for line in text.splitlines())


def document(fragments: Iterable[str]) -> str:
    """A page of its own."""
    packages = "\n".join(f"\\usepackage{{{package}}}" for package in PACKAGES)
    body = "\n\n".join(fragments)
    return f"\\documentclass{{article}}\n{packages}\n\\allowdisplaybreaks\n\\begin{{document}}\n\n{body}\n\n\\end{{document}}\n"
