"""The page of the zoo of wrong gradients: each refuted and, beside it, the right form proved, when the page is made."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from docs.generator.markdown import cell, table
from docs.generator.specimens import REPORTED, SPECIMENS, Specimen

HEAD = """\
# The zoo of wrong gradients

Backward passes that were wrong somewhere, each written anew in a few lines in the style of its framework, and refuted by `nerva prove`
when this page was made; the right form beside each was proved for all sizes. The code is in `examples/zoo`. The link leads to the report;
the lines here are a model of the mistake and not the code of the project, and a likely form of it where the report does not tell it.

The last two columns are of the tests that did not show it. What is known of a project's own test (from its file, or from the report) was
written as data: its sizes, its inputs, its tolerance; and it was measured whether such a test tells the wrong form from the right one.
Where the test is not known here, the usual one was measured: the sum of the output as the loss, the weights of a fresh network, a tolerance
of one part in a hundred.

"""


def link(source: str) -> str:
    """The issue as a link."""
    repository, _, number = source.partition("#")
    return f"[{source}](https://github.com/{repository}/issues/{number})" if source else "a common mistake"


def summary(rows: list[list[str]]) -> str:
    """How many there are, how many have a report, and how many their tests see."""
    named, unseen = sum("github.com" in row[2] for row in rows), sum(row[-1] == "**no**" for row in rows)
    return f"{len(rows)} specimens, {named} of them with a public report; {unseen} were not seen by the test, or had none.\n\n"


def row(root: Path, s: Specimen) -> list[str]:
    """The verdicts on a specimen as a row of the table."""
    from nerva_core.algebra.user_files import load_file
    from sympy_validation.foreign.gradient_verdict import Rung
    from sympy_validation.foreign.verdicts import decide

    module = load_file(root / "examples" / "zoo" / f"{s.file}.py")
    started = time.process_time()
    wrong = decide(module, s.wrong, s.shapes)
    seconds, right = time.process_time() - started, decide(module, s.right, s.shapes, repair=False)
    assert wrong.rung is Rung.REFUTED, f"{s.wrong}: {wrong.words}"
    assert right.rung is Rung.PROVED, f"{s.right}: {right.words}"
    test = s.test if isinstance(s.test, str) else s.test.words
    seen = "yes" if not isinstance(s.test, str) and s.test.sees(module, s.wrong, s.right, s.shapes) else "**no**"
    name = s.wrong.rpartition("/")[2]
    found = str(wrong.counterexample) if wrong.counterexample else wrong.reason
    return [f"`{name}`", cell(s.mistake), link(s.source), cell(found), cell(wrong.advice or "-"), f"{seconds:.1f} s", cell(test), seen]


def zoo_page(root: Path) -> str:
    """The table of the specimens."""
    from nerva_core.algebra.user_files import load_file
    from sympy_validation.foreign.verdicts import Rung, decide

    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(partial(row, root), SPECIMENS))
    text = (
        HEAD
        + summary(rows)
        + table(["code", "mistake", "seen in", "refuted by", "repair that was found", "time", "its test", "sees it"], rows)
    )
    text += "\n\n## Reported as wrong, and right\n\nFormulas that were reported as mistakes are proved for all sizes.\n\n"
    proved = []
    for file, name, shapes, source, words in REPORTED:
        verdict = decide(load_file(root / "examples" / "zoo" / f"{file}.py"), name, shapes)
        assert verdict.rung is Rung.PROVED, f"{name}: {verdict.words}"
        proved.append([f"`{name.rpartition('/')[2]}`", cell(words), link(source), verdict.words])
    return text + table(["code", "what was reported", "where", "verdict"], proved) + "\n"


def write_page() -> None:
    """Make ``docs/zoo.md`` anew: about two minutes, so the site takes the page that was made last."""
    root = Path(__file__).parents[2]
    (root / "docs" / "zoo.md").write_text(zoo_page(root), encoding="utf-8")


if __name__ == "__main__":
    write_page()
