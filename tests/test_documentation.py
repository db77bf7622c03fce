"""The links of the pages beside docs/, and the examples. What the pages show is run in tests/documentation/."""

import dataclasses
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.registry import folded
from nerva_core.comparison.measure import measure
from nerva_core.comparison.subjects import subjects
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.training.config import load_config
from nerva_core.training.trainer import Trainer

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Those of the pages in docs/ lead to generated pages too: tests/documentation/test_site.py."""
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_sources_and_tests_that_are_named_are_there() -> None:
    for page in [*PAGES, *(ROOT / "docs").glob("*.md")]:
        named = re.findall(r"`((?:tests|nerva_core|backends|sympy_validation)/[\w/]+\.py)`", page.read_text())
        assert [path for path in named if not (ROOT / path).exists()] == [], page


def test_the_readme_shows_the_code_that_runs() -> None:
    """The equations in the README are those of the linear layer, line by line."""
    shown = re.search(r"```python\n(def feedforward.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    source = (ROOT / "nerva_core/layers/linear.py").read_text()
    for line in shown[1].splitlines():
        statement = line.partition("  #")[0].strip()
        if statement and not statement.startswith("def "):
            assert statement in source


def some_images(folder: Path) -> Path:
    """A folder in the format of CIFAR-10: one image in each file."""
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(bytes([3, *rng.integers(256, size=3072)]))
    return folder


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_train(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few_images = {"data.path": str(some_images(tmp_path)), "training.batch_size": 5} if "CIFAR10" in path.read_text() else {}
    if "FashionMNIST" in path.read_text() and not os.path.isdir("/usr/share/datasets/fashion-mnist"):
        pytest.skip("the Debian package dataset-fashion-mnist is not installed")
    config = load_config(path, {"training.epochs": 1, **few_images})
    data = config.data.load()
    train, test = slice(1000), slice(100)
    few = dataclasses.replace(data, Xtrain=data.Xtrain[train], Ttrain=data.Ttrain[train], Xtest=data.Xtest[test], Ttest=data.Ttest[test])
    assert next(Trainer(config, few).run()).epoch == 1


def test_a_new_activation_needs_no_other_edit(tmp_path: Path) -> None:
    """The entry of CONTRIBUTING.md, in a fresh process: parsed and trained at once."""
    (block,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL | re.MULTILINE)
    program = f"""{block.replace("class LiSHT", "class Another")}
from nerva_core.training.config import make_config
from nerva_core.training.trainer import Trainer
model = {{"layers": "Another;Linear", "sizes": [64, 32, 10]}}
config = make_config({{"data": "Digits(train=300)", "model": model, "training": {{"epochs": 9}}}})
assert list(Trainer(config).run())[-1].train_accuracy > 0.9
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
    assert folded("Another") not in ACTIVATIONS._by_key


def run_script(name: str, directory: Path, *arguments: str) -> str:
    """A script of examples/, in a process of its own; its output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_script_of_backpropagation(tmp_path: Path) -> None:
    output = run_script("backpropagation_step_by_step.py", tmp_path)
    assert "Z = X · Wᵀ + 1_N · b  (N × K = 4 × 3)" in output
    assert "loss before step 11: 0.6552" in output


def test_the_script_that_compares_activations(tmp_path: Path) -> None:
    output = run_script("comparing_activations.py", tmp_path, "1")
    assert len(re.findall(r"^\S.* +\d+\.\d % to \d+\.\d %$", output, re.MULTILINE)) == 7
    assert (tmp_path / "activations.png").read_bytes().startswith(b"\x89PNG")


def test_the_script_of_a_layer_on_four_backends(tmp_path: Path) -> None:
    output = run_script("my_layer_on_four_backends.py", tmp_path)
    assert "DX = ∂⟨DY, Y⟩ / ∂X for every DY, all N, D, K: proved" in output
    assert "my_layer.py:WrongGate: DX is wrong: at N=3, D=2, K=4: DX[1,0] should be" in output
    assert len(set(re.findall(r"^ *\w+: loss (0\.\d{9})", output, re.MULTILINE))) == 1


def array_api_backend() -> Any:
    location = importlib.util.spec_from_file_location("array_api_backend", ROOT / "examples" / "array_api_backend.py")
    assert location
    assert location.loader
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    return module.ArrayApiBackend


def test_the_backend_of_the_array_api_standard() -> None:
    """All operations are within their bounds; ``nerva compare`` finds the same of everything that is written in them."""
    ops = array_api_backend()("float64")
    results = [result for subject in subjects() if subject.kind == "operation" for result in measure(subject, ops, 0)]
    assert len(results) > 50
    assert [f"{result.quantity}, {result.case}: {result.problem}" for result in results if not result.within] == []


def test_a_backend_of_definitions_alone_is_named() -> None:
    class Textbook(array_api_backend()):
        softplus = MatrixOps.softplus

    (subject,) = (subject for subject in subjects() if (subject.kind, subject.name) == ("operation", "softplus"))
    assert not all(result.within for result in measure(subject, Textbook("float64"), 0))
