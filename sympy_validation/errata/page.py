"""The page of errata: each misprint with the counterexample that refutes it, generated from the theorems.

``python -m sympy_validation.errata.page docs/errata.md`` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from sympy_validation.errata import dab, gaf, q_neurons, specification, tmaf
from sympy_validation.errata.erratum import Erratum
from sympy_validation.errata.remarks import REMARKS
from sympy_validation.theorem import Verdict, prove

HEAD = """\
# Errata

Formulas of the Nerva specification (004), and of the papers on q-neurons (000), Activated Gradients (001), TMAF (002) and DAB
(003), that are wrong as printed, or right only under a condition that is not stated. Each printed form is refuted by an exact
counterexample, each corrected form is proved; `nerva prove errata` checks all of them. This page is generated from these theorems:
`python -m sympy_validation.errata.page docs/errata.md`. At its end is what no theorem can state.
"""

OTHERS = """
## Errata that are no formulas

Calls of frameworks, tables, and conditions on spaces, from `sympy_validation/errata/remarks.py`, whose tests compute what can be computed.

| erratum | where | printed | right | because |
|---|---|---|---|---|
"""


def errata_page() -> str:
    """The page, in Markdown."""
    cells = ([part.replace("|", "\\|") for part in remark[:5]] for remark in REMARKS)
    lines = "".join(f"| {' | '.join(row)} |\n" for row in cells)
    return HEAD + "".join(_section(item) for item in numbered()) + OTHERS + lines


def numbered() -> Iterator[Erratum]:
    """The errata that are theorems, in the order of the page."""
    return chain(specification.errata(), q_neurons.errata(), gaf.errata(), tmaf.errata(), dab.errata())


def _section(item: Erratum) -> str:
    printed, *corrected = prove(item.theorems)
    proved = ", ".join(f"{v.theorem.method} ({v.theorem.sizes})" for v in corrected if v.status == "proved")
    return f"""
## {item.number}: {item.where}

* Printed: {item.printed}
* {_counterexample(printed)}
* Corrected: {item.corrected}
* Proved: {proved}
"""


def _counterexample(verdict: Verdict) -> str:
    return f"Refuted {verdict.counterexample}" if verdict.counterexample else "Not refuted"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(errata_page(), encoding="utf-8")
