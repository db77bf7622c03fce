"""The text of ``nerva show``: a subject's equations, shapes, operation counts and source, under headings."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from typing import Any

from nerva_core.interpreters.costs import costs
from nerva_core.interpreters.expressions import Scalar
from nerva_core.interpreters.latex import Equation, Equations, equations
from nerva_core.interpreters.subjects import find, kind_of
from nerva_core.interpreters.tex import BEGIN, aligned, comment


def describe(name: str, latex: bool = False) -> dict[str, str]:
    """The headings with their texts, the first of which is the title and a summary. NervaError for an unknown name."""
    subject, others = find(name)
    kind, title, first, second = kind_of(subject)
    found, counts = equations(subject), costs(subject)
    write = aligned if latex else _as_text
    sections = {
        f"{title} ({kind})": "\n".join([summary(subject), *(f"There is also the {other}." for other in others)]),
        first: write(found.forward),
        second: write(found.backward),
        "Where": write(found.where),
        "Shapes": _lines(f"{product:<10} {', '.join(names)}" for product, names in by_shape(found).items()),
        "Operations on numbers (a product of matrices is 2mnk, an elementwise function or a sum mn)": _lines(
            f"{heading.lower():<10} {count}"
            for heading, count in ((first, counts.forward), (second, counts.backward))
            if heading and found.given
        ),
        "Source": _source(subject),
    }
    return {heading: text for heading, text in sections.items() if text}


def fragment(name: str) -> str:
    """The equations in LaTeX, for a document that loads amsmath and amssymb; all else is comments. NervaError for an unknown name."""
    parts = []
    for heading, text in describe(name, latex=True).items():
        parts.append(f"{comment(heading)}\n{text if text.startswith(BEGIN) else comment(text)}")
    return "\n\n".join(parts)


def _lines(items: Any) -> str:
    return "\n".join(f"  {item}" for item in items)


def _as_text(part: list[Equation]) -> str:
    return _lines(equation.text() for equation in part)


def by_shape(found: Equations) -> dict[str, list[str]]:
    """The quantities of each shape: what is given, and what the equations define."""
    quantities = {left.text(): shape for left, shape in found.given}
    quantities |= {equation.left.text(): equation.shape for equation in (*found.forward, *found.backward)}
    groups: dict[str, list[str]] = {}
    for quantity, shape in quantities.items():
        groups.setdefault(shape.product, []).append(quantity)
    return groups


def _definition(subject: Any) -> Any:
    return subject if inspect.isfunction(subject) or isinstance(subject, type) else type(subject)


def summary(subject: Any) -> str:
    """The first paragraph of its docstring, where the equation is."""
    return inspect.cleandoc(_definition(subject).__doc__ or "").partition("\n\n")[0]


def remarks(subject: Any) -> tuple[str, str]:
    """The rest of its docstring, and what its module says of the paper."""
    definition = _definition(subject)
    module = sys.modules[definition.__module__]
    return inspect.cleandoc(definition.__doc__ or "").partition("\n\n")[2], inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0]


def _source(subject: Any) -> str:
    """The rest of the docstring, the hyper-parameters, and where the code is."""
    definition = _definition(subject)
    module = sys.modules[definition.__module__]
    texts = list(remarks(subject))
    if dataclasses.is_dataclass(definition):
        texts.append(", ".join(_hyper_parameter(subject, field) for field in dataclasses.fields(definition) if field.repr))
    texts.append(f"{module.__name__}.{definition.__name__}, line {inspect.getsourcelines(definition)[1]}")
    return _lines(line for text in texts if text for line in text.splitlines())


def _hyper_parameter(subject: Any, field: dataclasses.Field[Any]) -> str:
    """Its value if it is given, its default if it has one."""
    value = getattr(subject, field.name)
    if isinstance(value, Scalar) and field.default is not dataclasses.MISSING:
        return f"{field.name} = {field.default!r} by default"
    return f"{field.name} = {value!r}"
