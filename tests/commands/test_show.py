"""``nerva show`` as a command: what it prints, and that it is quick to import."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from nerva_core.algebra.errors import NervaError
from nerva_core.commands.show import show

app = typer.Typer()
app.command()(show)


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def test_prints_the_sections():
    result = run("batchnorm")
    assert result.exit_code == 0
    assert result.output.startswith("BatchNormalization (layer)\nY = ")
    for heading in (
        "Forward",
        "Backward",
        "Shapes",
        "Operations on numbers (a product of matrices is 2mnk, an elementwise function or a sum mn)",
        "Source",
    ):
        assert f"\n\n{heading}\n" in result.output
    assert "  Dγ = 1_Nᵀ · (Z ⊙ DY)\n" in result.output


def test_no_colour_away_from_a_terminal():
    assert "\x1b" not in run("Linear").output


def test_latex():
    output = run("LeakyReLU(alpha=0.1)", "--format", "latex").output
    assert "\\text{leaky-relu}(X) &= \\max(0.1 \\, X, X)" in output


def test_latex_is_a_part_of_a_document_or_a_whole_one():
    part = run("Linear", "--format", "latex").output
    assert all(line[:1] in ("", "%", " ", "\\") for line in part.splitlines())
    assert "\\documentclass" not in part
    whole = run("Linear", "--format", "latex", "--standalone").output
    assert whole.startswith("\\documentclass")
    assert part.strip() in whole
    assert "belongs to --format latex" in str(run("Linear", "--standalone").exception)


def test_it_is_a_plain_function(capsys):
    show("Adam", "latex")
    assert "\\begin{align*}" in capsys.readouterr().out


def test_the_layers_of_a_network(tmp_path):
    (tmp_path / "net.toml").write_text('data = "Digits(train=50)"\n[model]\nlayers = ["Linear(8)", "ReLU", "Linear"]\n')
    by_file = run(str(tmp_path / "net.toml"))
    assert by_file.exit_code == 0
    table, equations = by_file.output.split("\n\n", 1)
    assert table.splitlines()[-1].split() == ["total", "1", "×", "10", "610", "1,210"]
    assert equations.count("DW = DYᵀ · X") == 1  # for both linear layers
    assert "relu(X) = max(X, 0)" in equations
    assert run("Linear(8);ReLU;Linear(10)", "--inputs", "64").output == by_file.output


def test_a_network_needs_its_inputs_and_sizes():
    assert "add --inputs 64" in str(run("Linear(8);ReLU").exception)
    assert "have no sizes" in str(run("ReLU;Linear", "--inputs", "4").exception)


def test_an_unknown_name():
    result = run("Liner")
    assert isinstance(result.exception, NervaError)
    assert "did you mean 'Linear'?" in str(result.exception)
    assert "the nearest is StepBased" in str(run("StepLR").exception)


def test_an_unknown_format():
    assert run("Linear", "--format", "pdf").exit_code == 2


def test_a_page():
    for what in (["Linear"], ["Linear(8);ReLU;Linear(10)", "--inputs", "64"]):
        output = run(*what, "--format", "html").output
        assert output.startswith("<!doctype html>")
        assert '<math display="block"><mrow><mi>Y</mi><mo>=</mo>' in output
        assert "http" not in output.replace("http://www.w3.org", "")


@pytest.mark.parametrize("module", ["nerva_core.commands.show"])
def test_importing_the_command_is_light(module):
    code = f"import sys, {module}; print([m for m in ('numpy', 'nerva_core.layers') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
