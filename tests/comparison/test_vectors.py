from __future__ import annotations

import dataclasses
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.comparison.layer_subjects import layer
from nerva_core.comparison.subjects import subjects
from nerva_core.comparison.vectors import golden, write_vectors
from nerva_core.equations.activations import ACTIVATIONS
from nerva_core.equations.gradient_activations import GRADIENT_ACTIVATIONS
from nerva_core.equations.hard_functions import HARD_FUNCTIONS
from nerva_core.equations.losses import LOSSES
from nerva_core.equations.optimizers import OPTIMIZERS
from nerva_core.layers import LAYERS, Softmax

PAGE = Path(__file__).parents[2] / "docs" / "vectors.md"
READER = re.search(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
FILES = {"manifest.json", "float64.safetensors", "float32.safetensors"}


def with_few_cases(subject):
    """Of a layer, whose exact values take long, the first cases."""

    def few(rng, dtype):
        return dict(itertools.islice(subject.cases(rng, dtype).items(), 4))

    return dataclasses.replace(subject, cases=few) if subject.kind == "layer" else subject


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """With one of the examples of every entry."""
    path = tmp_path_factory.mktemp("vectors")
    first = {(subject.kind, subject.name.partition("(")[0]): subject for subject in reversed(list(subjects()))}
    names = {found.name for found in first.values()}
    write_vectors(path, chosen=[with_few_cases(subject) for subject in subjects() if subject.name in names])
    return path


@pytest.fixture(scope="module")
def vectors(directory):
    """(case, its matrices) for every case, read with what the documentation shows."""
    namespace = {"json": json, "np": np}
    exec(READER[READER.index("def read") : READER.index("\ndirectory =")], namespace)
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    tensors = {dtype: namespace["read"](directory / f"{dtype}.safetensors") for dtype in ("float64", "float32")}
    names = [(c, [*c["inputs"], *c["outputs"], *(f"tolerance.{name}" for name in c["outputs"])]) for c in manifest["cases"]]
    return [(c, {name: tensors[c["dtype"]][f"{c['prefix']}/{name}"] for name in found}) for c, found in names]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    chosen = [subject for subject in subjects() if subject.name.startswith(("Dropout", "Softmax", "AdaGrad"))]
    for path in (first, second):
        write_vectors(path, chosen=chosen)
    assert {path.name for path in first.iterdir()} == FILES
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_another_seed_gives_others():
    subject = layer(Softmax())
    (_, first, _), (_, second, _) = (next(golden(subject, seed, "float64")) for seed in (0, 1))
    assert not np.array_equal(first["X"], second["X"])


def test_a_directory_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(NervaError, match="not empty"):
        write_vectors(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NervaError, match="file"):
        write_vectors(tmp_path / "file" / "vectors")


def test_the_reader_in_the_documentation_runs_with_nothing_but_numpy(directory, tmp_path):
    (tmp_path / "reader.py").write_text(READER + "\nassert not {'nerva_core', 'safetensors', 'torch'} & set(sys.modules)\n")
    subprocess.run([sys.executable, "-I", str(tmp_path / "reader.py"), str(directory)], check=True)
    assert sum(map(bool, READER.splitlines())) <= 20


def test_the_reader_fails_on_a_wrong_vector(directory, tmp_path):
    (tmp_path / "reader.py").write_text(READER.replace("S = E / E.sum", "S = 1.0001 * E / E.sum"))
    result = subprocess.run([sys.executable, "-I", str(tmp_path / "reader.py"), str(directory)], capture_output=True, text=True)
    assert "AssertionError" in result.stderr


def test_everything_is_there_in_both_dtypes(vectors):
    for dtype in ("float64", "float32"):
        found = {(case["kind"], case["name"]) for case, _ in vectors if case["dtype"] == dtype}
        tables = {"activation": ACTIVATIONS, "loss": LOSSES, "layer": LAYERS, "optimizer": OPTIMIZERS, "hard function": HARD_FUNCTIONS}
        tables["gradient activation"] = GRADIENT_ACTIVATIONS
        positions = {("layer", "Images"), ("layer", "Sequences")}  # of any number of positions in the vectors
        assert found == {(kind, name) for kind, table in tables.items() for name in table.entries} - positions | {("layer", "AnyPositions")}


def test_every_tolerance_is_positive_and_every_condition_at_least_1(vectors):
    for case, given in vectors:
        assert case["condition"].keys() == set(case["outputs"])
        assert all(1 <= factor <= 2 / np.finfo(case["dtype"]).eps for factor in case["condition"].values())
        assert all((given[f"tolerance.{name}"] > 0).all() for name in case["outputs"])


def test_matrices_are_finite_and_of_their_dtype(vectors):
    for case, given in vectors:
        for X in given.values():
            assert X.dtype == case["dtype"]
            assert np.isfinite(X).all()


# Plain NumPy, written from the equations and not from this library.


def plain_tanh(g, p):
    E = np.exp(-2 * np.abs(g["X"]))  # 1 - tanh² has no digits where tanh is nearly 1
    return {"value": np.tanh(g["X"]), "gradient": 4 * (E / (1 + E) ** 2)}


def plain_leaky_relu(g, p):
    a = np.asarray(p["alpha"], g["X"].dtype)
    return {"value": np.where(g["X"] < a * g["X"], a * g["X"], g["X"]), "gradient": np.where(g["X"] < a * g["X"], a, 1)}


def plain_squared_error(g, p):
    return {"rows": ((g["Y"] - g["T"]) ** 2).sum(axis=1, keepdims=True), "gradient": 2 * (g["Y"] - g["T"])}


def plain_linear(g, p):
    X, W, b, DY = g["X"], g["W"], g["b"], g["DY"]
    return {"Y": X @ W.T + b, "DX": DY @ W, "DW": DY.T @ X, "Db": DY.sum(axis=0, keepdims=True), "evaluate": X @ W.T + b}


def plain_batch_normalization(g, p):
    R = g["X"] - g["X"].mean(axis=0)
    s = 1 / np.sqrt((R**2).mean(axis=0) + p["epsilon"])
    Z, DZ = R * s, g["gamma"] * g["DY"]
    DX = s * (DZ - DZ.mean(axis=0) - Z * (Z * DZ).mean(axis=0))
    return {"Y": g["gamma"] * Z + g["beta"], "DX": DX, "Dgamma": (Z * g["DY"]).sum(axis=0, keepdims=True)}


def plain_momentum(g, p):
    result = {}
    for name in ("W", "b"):
        theta, Delta = g[name], 0
        for t in (1, 2, 3):
            Delta = p["mu"] * Delta - 0.01 * g[f"D{name}{t}"]
            theta = theta + Delta
            result[f"{name}{t}"] = theta
        result[f"state.{name}.Delta"] = Delta
    return result


PLAIN = {
    "Tanh": plain_tanh,
    "LeakyReLU": plain_leaky_relu,
    "SquaredError": plain_squared_error,
    "Linear": plain_linear,
    "BatchNormalization": plain_batch_normalization,
    "Momentum": plain_momentum,
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_implementation_agrees(vectors, name):
    ordinary = ("row", "ordinary", "ordinary, one-hot", "ordinary, probabilities", "one row", "one column", "square", "thresholds")
    chosen = [(case, given) for case, given in vectors if case["name"] == name and case["case"] in ordinary]
    chosen = [(case, given) for case, given in chosen if case["kind"] != "gradient activation"]  # its Tanh is another one
    assert {case["dtype"] for case, _ in chosen} == {"float64", "float32"}
    for case, given in chosen:
        for output, computed in PLAIN[name](given, case["parameters"]).items():
            tolerance = given[f"tolerance.{output}"]
            assert (np.abs(computed - given[output]) <= tolerance).all(), (case["prefix"], output)


def test_the_page_has_every_kind() -> None:
    text = PAGE.read_text(encoding="utf-8")
    key = next(line for line in text.splitlines() if line.startswith("| `kind` |"))
    for kind in {subject.kind for subject in subjects()} - {"operation"}:
        assert f"`{kind}`" in key
        assert f"\n| {kind} |" in text
