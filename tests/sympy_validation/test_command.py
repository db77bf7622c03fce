"""``nerva prove`` as a user meets it."""

from __future__ import annotations

import html.parser
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nerva_core.errors import NervaError
from sympy_validation import errata_page
from sympy_validation.command import prove
from sympy_validation.theorems import errata

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
FIELDS = {"id", "subject", "quantity", "statement", "method", "sizes", "conditions", "expected", "status", "seconds"}

app = typer.Typer()
app.command()(prove)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    if isinstance(result.exception, NervaError):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def my_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    code = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert code
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my_layer.py"
    path.write_text(code[1], encoding="utf-8")
    return path


def test_proved_exits_with_0() -> None:
    code, output = run("layers.Linear")
    assert code == 0
    assert "6 theorems: 6 proved, 0 refuted by a counterexample, 0 open" in output


def test_quiet_shows_no_rows() -> None:
    _, output = run("layers.Linear", "--quiet")
    assert "∂⟨DY, Y⟩" not in output


def test_errata_are_refuted_as_they_should_be() -> None:
    code, output = run("errata.004-43")
    assert code == 0
    assert "REFUTED: at N=3, D=2, K=4:" in output


def test_an_unknown_name_is_a_message() -> None:
    with pytest.raises(NervaError, match="did you mean 'Softmax'"):
        run("Sofmax")


def test_json(tmp_path: Path) -> None:
    run("layers.Softmax", "errata.004-16", "--json", str(tmp_path / "out.json"))
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert all(set(item) >= FIELDS for item in found)
    assert {item["expected"] for item in found} == {item["status"] for item in found} == {"proved", "refuted"}
    assert {item["method"] for item in found} == {"all sizes", "entries"}
    assert {item["sizes"] for item in found if item["method"] == "all sizes" and item["subject"] == "layers.Softmax"} == {
        "all N, D",
        "all N, K",
    }
    assert any("almost everywhere" in condition for item in found for condition in item["conditions"])


def test_the_documented_layers(my_layer: Path, tmp_path: Path) -> None:
    code, output = run("my_layer.py:ScaledLinear", "--json", str(tmp_path / "out.json"))
    assert code == 0
    assert "3 theorems: 3 proved" in output
    code, output = run("my_layer.py:WrongLinear")
    assert code == 1
    line = next(line for line in DOCUMENT.splitlines() if line.startswith("my_layer.py:WrongLinear:"))
    assert line in output
    assert "DX is wrong" not in output


def test_audit_of_a_layer(my_layer: Path) -> None:
    code, output = run("my_layer.py:ScaledLinear", "--audit", "--quiet")
    assert code == 0
    assert re.search(r"(\d+) mutants: \1 refused by a counterexample, 0 equivalent, 0 survived", output)


class Balanced(html.parser.HTMLParser):
    """Every element that must be closed is."""

    OPTIONAL = ("meta", "td", "th", "br", "tr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.count += 1
        if tag not in self.OPTIONAL:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.OPTIONAL:
            assert self.open.pop() == tag


def test_html(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    run("BatchNormalization", "errata.004-01", "--html", str(path), "--audit", "--quiet")
    page = path.read_text(encoding="utf-8")
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    anchors = re.findall(r'id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', page)) == set(anchors)
    assert "<math" in page
    assert "prefers-color-scheme: dark" in page
    assert "should be 0" in page
    assert "refused by a counterexample" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_the_errata_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "errata.md").read_text(encoding="utf-8") == errata_page.errata_page()


def test_every_erratum_is_a_refutation_and_a_proof() -> None:
    for item in errata.errata():
        printed, *corrected = item.theorems
        assert printed.expected == "refuted"
        assert corrected
        assert {t.expected for t in corrected} == {"proved"}


def test_the_command_imports_nothing_heavy() -> None:
    code = "import sys, sympy_validation.command; print([m for m in ('sympy', 'mpmath', 'torch', 'jax', 'tensorflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
