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
from sympy_validation.coq.export import Exported, identifier
from sympy_validation.coq.kernel import AXIOMS, FEW, INSTALL, Coqc, KernelOutcome, checked, files_of, prepare
from sympy_validation.coq.recurrences import CellRecurrence, recurrence
from sympy_validation.report import run_proofs, show_proofs
from sympy_validation.table import select
from sympy_validation.theorem import Key, Theorem, key_of
from sympy_validation.theorems.layers import gradient_theorems
from tests.sympy_validation import wrong_layers

needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not installed: apt-get install coq libcoq-coquelicot")
RIGHT = ("layers.Linear", "layers.ActivationLayer.DX", "layers.Softmax.DX/", "layers.Residual.DX", "layers.DAB.DX", "layers.RNN")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled library."""
    path = tmp_path_factory.mktemp("coq")
    prepare(path)
    coqc = Coqc.installed(path)
    assert coqc
    coqc.library()
    return path


@pytest.fixture(scope="module")
def outcomes(directory: Path) -> dict[Key, KernelOutcome]:
    """What becomes of right theorems, which are checked once for all tests."""
    return checked(all_sizes(*RIGHT), directory, 120)


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
def test_right_theorems_are_checked_and_depend_on_the_four_axioms_only(directory: Path, outcomes: dict[Key, KernelOutcome]) -> None:
    assert {str(outcome) for outcome in outcomes.values()} == {"checked"}
    assert outcomes.keys() == {*map(key_of, all_sizes(*RIGHT)), ("layers.RNN", "recurrence", "")}
    coqc = Coqc("coqc", directory)
    assert coqc.assumptions(directory / "theorems" / "layers_Linear.v", ["layers_Linear_DX", "layers_Linear_DW"]) <= AXIOMS
    assert coqc.assumptions(directory / "theorems" / "layers_Softmax.v", ["layers_Softmax_DX"]) == AXIOMS
    assert coqc.assumptions(directory / "theorems" / "layers_RNN.v", ["layers_RNN_recurrence"]) == AXIOMS


@needs_coq
@pytest.mark.parametrize(("right", "wrong"), [("(DH1 n k) * (activation_ ", "(H n k) * (activation_ ")])
def test_a_wrong_equation_of_a_cell_makes_no_recurrence(directory: Path, right: str, wrong: str) -> None:
    theorem = recurrence("layers.RNN")
    before, middle, after = str(CellRecurrence(theorem, "wrong")).partition("Definition wrong_backward")
    assert right in after
    exported = Exported(theorem, "wrong", before + middle + after.replace(right, wrong))
    found = Coqc("coqc", directory).accepted(directory / "theorems" / "wrong.v", [exported], 120)
    assert [outcome.word for outcome in found.values()] == ["not accepted"]


@needs_coq
def test_wrong_backward_passes_are_not_accepted_nor_answered_with_true(directory: Path) -> None:
    names = ("LinearOffByAThousandth", "SoftmaxOfColumns")
    questions = [question for name in names for exported in kernel.export(wrong(name)) for question in exported.questions]
    assert Coqc("coqc", directory).answers(directory / "theorems" / "asked.v", questions, 60).count("false") == len(names)


@needs_coq
def test_a_theorem_that_is_refused_does_not_take_the_others_with_it(directory: Path) -> None:
    outcomes = checked(wrong("LinearWithMeanOfDb"), directory, 120)
    assert {key[1]: outcome.word for key, outcome in outcomes.items()} == {"DX": "checked", "DW": "checked", "Db": "not accepted"}
    assert "the checker does not find the two sides equal" in {outcome.reason for outcome in outcomes.values()}
    assert (directory / "refused" / "wrong_LinearWithMeanOfDb_Db.v").exists()


@needs_coq
@pytest.mark.parametrize(("right", "wrong"), [("", ""), ("(DY n k * V k d)", "(DY n k * V d k)"), ("* act' (X n d)", "* act' (DY n d)")])
def test_exported_theorems_make_a_network_of_any_depth_and_wrong_ones_do_not(
    directory: Path, outcomes: dict[Key, KernelOutcome], right: str, wrong: str
) -> None:
    assert outcomes["layers.Linear", "DX", ""].word == "checked"
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


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(NervaError, match=r"cannot be made .*Permission denied.*: name one"):
        prepare(tmp_path / "folder")


def test_many_subjects_share_files_and_a_subject_is_in_one() -> None:
    theorems = all_sizes("layers.Linear", "layers.BatchNormalization", "activations")
    exported = [Exported(theorem, identifier(theorem), "text") for theorem in theorems]
    few = dict(files_of(e for e in exported if e.theorem.subject.startswith("layers")))
    assert set(few) == {"layers_Linear", "layers_BatchNormalization"}
    many = list(files_of(exported))
    assert len({e.theorem.subject for e in exported}) > FEW > len(many)
    assert sorted(e.name for _, members in many for e in members) == sorted(e.name for e in exported)
    assert len({name for name, _ in many}) == len(many)


def test_json_has_no_kernel_without_coq(tmp_path: Path) -> None:
    json = tmp_path / "out.json"
    assert partial(run_proofs, ["layers.Linear.DX"], json, None, False, True)()
    assert "kernel" not in json.read_text(encoding="utf-8")
