"""``nerva export``, and trained networks as objects of the frameworks, against ``predict``."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.commands.export import FORMATS, export, graph
from nerva_core.data.encoding import Encoding
from nerva_core.training.config import make_config
from nerva_core.training.models import Model, save_model
from tests.conftest import load_frameworks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)).astype("float32")


@pytest.fixture(scope="module")
def model() -> Model:
    """With an activation that the frameworks lack, running statistics, and inputs that were scaled."""
    layers = ["Linear(5)", "BatchNormalization", "ReLU", "Linear(4)", "SReLU", "Dropout(0.5)", "q-elu", "Linear(2)", "Softmax"]
    config = make_config({"model": {"layers": layers}})
    network = config.model.build()
    state = list(network.initial_state(3))
    state[1] = type(state[1])(RNG.normal(size=(1, 5)), RNG.uniform(0.5, 2, size=(1, 5)))
    encoding = Encoding(RNG.normal(size=(1, 3)), RNG.uniform(0.5, 2, size=(1, 3)))
    return Model(config, network, 3, network.init(RNG, 3), tuple(state), encoding)


@pytest.fixture
def path(model: Model, tmp_path: Path) -> Path:
    save_model(tmp_path / "model.safetensors", model)
    return tmp_path / "model.safetensors"


def assert_predicts(actual: Any, model: Model) -> None:
    np.testing.assert_allclose(actual, model.predict(X), rtol=0, atol=2e-6)


def test_onnx(path: Path, model: Model) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    export(path, path.with_name("net.onnx"))
    (Y,) = runtime.InferenceSession(path.with_name("net.onnx")).run(["Y"], {"X": X})
    assert_predicts(Y, model)


def test_keras(path: Path, model: Model) -> None:
    """Read in the process that wrote it; only the layers that Keras lacks are ours."""
    pytest.importorskip("keras")
    load_frameworks()
    from nerva_core.interoperability import keras as interop

    export(path, path.with_name("net.keras"))
    network = interop.load_model(path.with_name("net.keras"))
    assert_predicts(network.predict(X, verbose=0), model)
    names = [type(layer).__name__ for layer in network.layers]
    assert names == [
        "Rescaling",
        "Rescaling",
        "Dense",
        "BatchNormalization",
        "Activation",
        "Dense",
        "NervaLayer",
        "Dropout",
        "NervaLayer",
        "Dense",
        "NervaLayer",
    ]


@pytest.fixture
def logits(tmp_path: Path) -> tuple[Path, Model]:
    """A network whose last layer gives logits, trained on classes and features with names."""
    config = make_config({"model": {"layers": ["Linear(4)", "ReLU", "Linear(2)"]}})
    network = config.model.build()
    encoding = Encoding(features=("a", "b", "c"), classes=("yes", "no"))
    model = Model(config, network, 3, network.init(RNG, 3), network.initial_state(3), encoding)
    save_model(tmp_path / "logits.safetensors", model)
    return tmp_path / "logits.safetensors", model


def softmax(Y: Any) -> Any:
    E = np.exp(Y - Y.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def test_probabilities_and_names_in_onnx(logits: tuple[Path, Model]) -> None:
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    path, model = logits
    for name, probabilities in (("logits.onnx", False), ("p.onnx", True)):
        export(path, path.with_name(name), probabilities=probabilities)
        (Y,) = runtime.InferenceSession(path.with_name(name)).run(["Y"], {"X": X})
        expected = softmax(model.predict(X)) if probabilities else model.predict(X)
        np.testing.assert_allclose(Y, expected, rtol=0, atol=2e-6)
        properties = {p.key: p.value for p in onnx.load(path.with_name(name)).metadata_props}
        assert properties == {"classes": '["yes", "no"]', "features": '["a", "b", "c"]'}


def test_probabilities_and_names_in_python(logits: tuple[Path, Model]) -> None:
    pytest.importorskip("torch")
    path, model = logits
    export(path, path.with_name("out"), "torch", probabilities=True)
    np.save(path.with_name("x.npy"), X)
    program = "import numpy as np; from model import *; np.save('../y.npy', load()(torch.tensor(np.load('../x.npy'))).detach().numpy())"
    subprocess.run([sys.executable, "-c", f"{program}; assert CLASSES == ['yes', 'no']"], cwd=path.with_name("out"), check=True)
    np.testing.assert_allclose(np.load(path.with_name("y.npy")), softmax(model.predict(X)), rtol=0, atol=2e-6)


def test_an_archive_of_weights_has_no_probabilities(logits: tuple[Path, Model]) -> None:
    with pytest.raises(NervaError, match="holds the weights alone"):
        export(logits[0], logits[0].with_name("w.npz"), probabilities=True)


def test_objects_of_torch_and_jax(model: Model) -> None:
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    load_frameworks()
    from nerva_core.interoperability.jax import to_jax
    from nerva_core.interoperability.torch import to_torch

    assert_predicts(to_torch(model)(torch.tensor(X)).detach().numpy(), model)
    params, apply = to_jax(model)
    assert_predicts(jax.jit(apply)(params, X), model)
    assert jax.tree.structure(jax.grad(lambda params: apply(params, X)[0, 0])(params)) == jax.tree.structure(params)


@pytest.mark.parametrize(("framework", "call"), [("torch", "load()(torch.tensor(X)).detach().numpy()"), ("jax", "apply(load(), X)")])
def test_a_directory_that_needs_the_framework_alone(path: Path, model: Model, framework: str, call: str) -> None:
    pytest.importorskip(framework)
    directory = path.with_name("out")
    export(path, directory, framework)
    np.save(path.with_name("x.npy"), X)
    program = f"""
import sys
import numpy as np
from model import *
X = np.load("../x.npy")
np.save("../y.npy", {call})
assert "nerva_core" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], cwd=directory, check=True)
    assert_predicts(np.load(path.with_name("y.npy")), model)


def test_the_scaling_does_not_cancel(model: Model) -> None:
    """Columns 1e6 ± 10 and 1e5 ± 0.01, whose means are no numbers of float32."""
    for module in ("torch", "jax", "keras", "onnxruntime"):
        pytest.importorskip(module)
    load_frameworks()
    import onnxruntime
    import torch

    from nerva_core.interoperability.jax import to_jax
    from nerva_core.interoperability.keras import to_keras
    from nerva_core.interoperability.onnx import to_onnx
    from nerva_core.interoperability.torch import to_torch

    shift, spread = np.array([[1e6 + 0.123, 1e5 + 0.0012, 0.0]]), np.array([[10.0, 0.01, 1.0]])
    scaled = dataclasses.replace(model, encoding=Encoding(shift, spread))
    inputs = (shift + spread * RNG.normal(size=(50, 3))).astype("float32")
    expected = scaled.predict(inputs)
    params, apply = to_jax(scaled)
    session = onnxruntime.InferenceSession(to_onnx(graph(scaled)).SerializeToString())
    for actual in (
        to_torch(scaled)(torch.tensor(inputs)).detach().numpy(),
        apply(params, inputs),
        to_keras(scaled).predict(inputs, verbose=0),
        session.run(["Y"], {"X": inputs})[0],
    ):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


def test_mistakes(path: Path) -> None:
    for arguments, message in {
        (
            "w.pt",
            None,
        ): r"its suffix, .npz, .onnx, .keras, or for a directory it is --format torch or jax; got 'w.pt'",
        ("out", "pytorch"): r"unknown format 'pytorch'; did you mean 'torch'",
        ("model.safetensors", "onnx"): r"is already there",
        ("net.py", "torch"): r"--format torch writes a directory with model.py and model.safetensors: give it a name such as 'net'",
        ("net", "keras"): r"ends in .keras, got 'net'",
        ("nowhere/net.onnx", None): r"cannot write .*net.onnx",
        ("model.safetensors/out", "torch"): r"cannot make the directory",
        ("w.npz", None): r"would lose the parameters of BatchNormalization",
    }.items():
        with pytest.raises(NervaError, match=message):
            export(path, path.parent / arguments[0], arguments[1])
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.safetensors"]
    assert set(FORMATS) == {"npz", "onnx", "keras", "torch", "jax"}


@pytest.mark.parametrize(("name", "format"), [("x.npz", "onnx"), ("x.onnx", "npz"), ("x.npz", "torch"), ("x.keras", "jax")])
def test_a_name_of_another_format_is_refused(path: Path, name: str, format: str) -> None:
    with pytest.raises(NervaError, match=f"but --format says {format}"):
        export(path, path.with_name(name), format)
    assert not path.with_name(name).exists()


def test_a_dangling_link_is_not_replaced(path: Path) -> None:
    link = path.with_name("x.npz")
    link.symlink_to(path.with_name("nothing"))
    with pytest.raises(NervaError, match="already there"):
        export(path, link)
    assert link.is_symlink()
