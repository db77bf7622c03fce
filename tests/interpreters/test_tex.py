"""LaTeX that compiles: its structure always, and the whole of it by a real TeX where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nerva_core.interpreters import markup as mk
from nerva_core.interpreters.description import fragment
from nerva_core.interpreters.subjects import FUNCTIONS, TABLES
from nerva_core.interpreters.tex import BEGIN, Stretch, comment, document, lines, pieces

x, plus, times = mk.Symbol("x"), mk.Operator("+"), mk.Operator("⊙")


def joined(operator: mk.Markup, *parts: mk.Markup) -> mk.Items:
    return mk.Items(*[item for k, part in enumerate(parts) for item in ((operator, part) if k else (part,))])


@pytest.fixture(scope="module")
def fragments() -> dict[str, str]:
    """Of everything that can be shown."""
    return {name: fragment(name) for name in [*(name for table in TABLES for name in table.entries), *FUNCTIONS]}


def test_a_short_formula_is_one_line() -> None:
    assert lines(pieces(joined(plus, x, x))) == ["x + x"]


def test_a_long_formula_is_broken_before_sums_rather_than_products() -> None:
    product = joined(times, *[x] * 10)
    found = lines(pieces(mk.Items(product, plus, product)), 40)
    assert found == ["x" + " \\odot x" * 9, "+ x" + " \\odot x" * 9]


def test_brackets_that_are_too_long_are_opened() -> None:
    inside = joined(plus, *[x] * 30)
    found = lines(pieces(mk.Items(x, times, mk.Sup(mk.Fenced(inside), mk.Number("2")))))
    assert len(found) > 1
    assert "".join(found).count("x") == 31
    assert "".join(found).count("\\bigl(") == "".join(found).count("\\bigr)") == 1
    assert found[-1].endswith("\\bigr)^{2}")


def test_what_has_no_operator_is_not_broken() -> None:
    long = mk.Symbol("x" * 200)
    assert pieces(long) == [Stretch(long.latex(), 200, 0)]
    assert len(lines(pieces(long))) == 1


def test_numbers_and_subscripts_of_subscripts() -> None:
    assert [mk.Number(digits).latex() for digits in ("1e-05", "2.5e-08", "0.1")] == ["10^{-5}", "2.5\\cdot 10^{-8}", "0.1"]
    assert mk.Sub(mk.Sub(x, x), x).latex() == "{x_{x}}_{x}"


def test_the_structure_of_every_fragment(fragments: dict[str, str]) -> None:
    for name, text in fragments.items():
        code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
        assert code.isascii(), name
        assert code.count("{") == code.count("}"), name
        assert code.count("\\left") == code.count("\\right"), name
        assert code.count("\\bigl") == code.count("\\bigr"), name
        assert not re.search(r"_\{\w*\}_|\d[eE][-+]?\d", code), name
        assert code.count(BEGIN) == code.count("\\end{align*}"), name
        assert all(not line.strip() or line.startswith(("  ", BEGIN, "\\end{align*}")) for line in code.splitlines()), name


def test_the_gradient_of_batch_normalization_goes_over_two_lines(fragments: dict[str, str]) -> None:
    assert fragments["BatchNormalization"].count("&\\quad \\odot") == 1


def test_a_comment_is_one_on_every_line() -> None:
    assert comment("a\n\nb %") == "% a\n%\n% b %"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex, of Debian's texlive-latex-base")
def test_tex_takes_all_of_it(fragments: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "all.tex").write_text(document(fragments.values()), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex, of Debian's texlive-latex-base")
def test_tex_refuses_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.tex").write_text(document([f"{BEGIN}\n  x_{{a}}_{{b}} &= 1\n\\end{{align*}}"]))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False).returncode != 0
