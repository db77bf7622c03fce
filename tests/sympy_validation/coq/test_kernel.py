"""Coq's kernel: right theorems are checked, wrong ones are not, and without coqc they are written."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.coq import kernel
from sympy_validation.coq.kernel import AXIOMS, INSTALL, Coqc, checked, prepare
from sympy_validation.report import run_proofs, show_proofs
from sympy_validation.table import select
from sympy_validation.theorem import Theorem, key_of
from sympy_validation.theorems.layers import gradient_theorems
from tests.sympy_validation import wrong_layers

needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not installed: apt-get install coq libcoq-coquelicot")
RIGHT = ("layers.Linear", "layers.Softmax.DX/", "layers.Residual.DX", "layers.DAB.DX")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled library."""
    path = tmp_path_factory.mktemp("coq")
    prepare(path)
    coqc = Coqc.installed(path)
    assert coqc
    coqc.library()
    return path


def all_sizes(*names: str) -> list[Theorem]:
    return [theorem for theorem in select(names) if theorem.method == "all sizes"]


def wrong(name: str) -> list[Theorem]:
    layer: Any = getattr(wrong_layers, name)
    make = (lambda space: layer(space.scalar("epsilon", 0))) if name.startswith("Normalization") else None

    def linear(space: Any) -> Any:
        return layer(space.size("K"))

    chosen = make or (linear if name.startswith("Linear") else lambda space: layer())
    return list(gradient_theorems(f"wrong.{name}", chosen, methods=("all sizes",)))


@needs_coq
def test_right_theorems_are_checked_and_depend_on_the_four_axioms_only(directory: Path) -> None:
    theorems = all_sizes(*RIGHT)
    outcomes = checked(theorems, directory, 120)
    assert {str(outcomes[key_of(theorem)]) for theorem in theorems} == {"checked"}
    coqc = Coqc("coqc", directory)
    assert coqc.assumptions(directory / "theorems" / "layers_Linear.v", ["layers_Linear_DX", "layers_Linear_DW"]) <= AXIOMS
    assert coqc.assumptions(directory / "theorems" / "layers_Softmax.v", ["layers_Softmax_DX"]) == AXIOMS


@needs_coq
@pytest.mark.parametrize("name", ["LinearOffByAThousandth", "SoftmaxOfColumns"])
def test_wrong_backward_passes_are_not_accepted(name: str, directory: Path) -> None:
    outcomes = checked(wrong(name), directory, 120)
    assert any(outcome.word == "not accepted" for outcome in outcomes.values())


@needs_coq
def test_a_theorem_that_is_refused_does_not_take_the_others_with_it(directory: Path) -> None:
    outcomes = checked(wrong("LinearWithMeanOfDb"), directory, 120)
    assert {key[1]: outcome.word for key, outcome in outcomes.items()} == {"DX": "checked", "DW": "checked", "Db": "not accepted"}
    assert "the checker does not find the two sides equal" in {outcome.reason for outcome in outcomes.values()}
    assert (directory / "refused" / "wrong_LinearWithMeanOfDb_Db.v").exists()


@needs_coq
@pytest.mark.parametrize(("right", "wrong"), [("", ""), ("(DY n k * V k d)", "(DY n k * V d k)"), ("* act' (X n d)", "* act' (DY n d)")])
def test_exported_theorems_make_a_network_of_any_depth_and_wrong_ones_do_not(directory: Path, right: str, wrong: str) -> None:
    checked(all_sizes("layers.Linear", "layers.ActivationLayer.DX"), directory, 120)
    text = Path("examples/mlp_of_any_depth.v").read_text(encoding="utf-8")
    assert right in text
    path = directory / "mlp_of_any_depth.v"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    command = ["coqc", "-q", "-w", "none", "-R", "library", "Nerva", "-Q", "theorems", "NervaTheorems", path.name]
    found = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if wrong:
        assert "Unable to unify" in found.stderr or "has type" in found.stderr
    else:
        assert found.returncode == 0, found.stderr
        assert {line.split(" ")[0] for line in found.stdout.splitlines() if line.startswith(("Classical", "Functional"))} == AXIOMS


@needs_coq
def test_another_statement_than_the_data_is_not_accepted(directory: Path) -> None:
    (theorem,) = all_sizes("layers.Linear.DX")
    (exported,) = kernel.export([theorem])
    other = replace(exported, text=exported.text.replace("(W k d))) * dX n d)", "(W k d))) * dX d n)"))
    assert other.text != exported.text
    outcomes = Coqc("coqc", directory).accepted(directory / "theorems" / "other.v", [other], 60)
    assert [outcome.word for outcome in outcomes.values()] == ["not accepted"]


def test_without_coqc_the_theorems_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(kernel.shutil, "which", lambda name: None)
    json = tmp_path / "out.json"
    show_proofs(["layers.Linear.DX"], json, None, False, False, coq=tmp_path / "theorems")
    printed = " ".join(capsys.readouterr().out.split())
    assert INSTALL in printed
    assert "1 written" in printed
    assert "Theorem layers_Linear_DX" in (tmp_path / "theorems" / "theorems" / "layers_Linear.v").read_text(encoding="utf-8")
    assert '"kernel": "written"' in json.read_text(encoding="utf-8")


def test_the_makefile_compiles_the_library_in_order(tmp_path: Path) -> None:
    prepare(tmp_path)
    text = (tmp_path / "Makefile").read_text(encoding="utf-8")
    assert "library/Check.vo: library/Derivative.vo" in text
    assert all((tmp_path / "library" / f"{name}.v").exists() for name in kernel.LIBRARY)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(NervaError, match="is a file"):
        prepare(path)


def test_json_has_no_kernel_without_coq(tmp_path: Path) -> None:
    json = tmp_path / "out.json"
    assert partial(run_proofs, ["layers.Linear.DX"], json, None, False, True)()
    assert "kernel" not in json.read_text(encoding="utf-8")
