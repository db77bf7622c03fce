import copy
import dataclasses
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import leaves
from nerva_core.data.encoding import Encoding
from nerva_core.layers import multilayer_perceptron
from nerva_core.training.config import make_config
from nerva_core.training.models import Model, load_model, load_npz, pack, save_model, save_npz, write_atomically
from nerva_core.training.trainer import Trainer

LAYERS = {"layers": "SReLU;BatchNormalization;Linear", "sizes": [3, 4, 2]}


def model() -> Model:
    config = make_config({"model": LAYERS})
    network = config.model.build()
    rng = np.random.default_rng(0)
    params = network.init(rng, 3)
    state = ((), (), type(network.initial_state(3)[2])(rng.normal(size=(1, 4)), rng.random((1, 4))), ())
    return Model(config, network, 3, params, state)


def test_every_parameter_and_statistic_reads_back(tmp_path: Path) -> None:
    saved = model()
    save_model(tmp_path / "a.safetensors", saved)
    loaded = load_model(tmp_path / "a.safetensors")
    assert loaded.config == saved.config
    assert loaded.inputs == 3
    assert [type(p).__name__ for p in loaded.params] == [type(p).__name__ for p in saved.params]
    before, after = ([*leaves(m.params), *leaves(m.state)] for m in (saved, loaded))
    assert len(before) == 2 + 4 + 2 + 2 + 2
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "a.safetensors"
    with pytest.raises(NervaError, match=r"is a directory; the model of a run is the file .*model\.safetensors"):
        load_model(tmp_path)
    with pytest.raises(NervaError, match="is not there"):
        load_model(path)
    save_model(path, model())
    content = path.read_bytes()
    for damaged in (b"", content[:5], content[:-1], content[:200]):
        path.write_bytes(damaged)
        with pytest.raises(NervaError, match="cannot read"):
            load_model(path)
    save_file({"x": np.ones(2)}, path)
    with pytest.raises(NervaError, match="was not written by nerva"):
        load_model(path)


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    saved = model()
    wrong = Model(make_config({"model": {**LAYERS, "sizes": [3, 5, 2]}}), saved.network, 3, saved.params, saved.state)
    save_model(tmp_path / "a.safetensors", wrong)
    with pytest.raises(NervaError, match=r"params/0.W has shape \(4, 3\), the network needs \(5, 3\)"):
        load_model(tmp_path / "a.safetensors")


NETWORK = multilayer_perceptron("ReLU;Dropout(0.5);BatchNormalization;Linear", [3, 4, 2])
PLAIN = multilayer_perceptron("ReLU;Dropout(0.5);Linear", [3, 4, 2])


def test_nerva_archives_go_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    params = PLAIN.init(np.random.default_rng(0), 3)
    save_npz(path, PLAIN, params)
    with np.load(path) as archive:
        assert {name: archive[name].shape for name in archive.files} == {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}
    again = load_npz(path, PLAIN, 3, PLAIN.init(np.random.default_rng(1), 3), PLAIN.initial_state(3))[0]
    for a, b in zip(leaves(params), leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nerva_archives_load_into_networks_with_more_parameters(tmp_path: Path) -> None:
    params = PLAIN.init(np.random.default_rng(0), 3)
    save_npz(tmp_path / "w.npz", PLAIN, params)
    loaded = load_npz(tmp_path / "w.npz", NETWORK, 3, NETWORK.init(np.random.default_rng(1), 3), NETWORK.initial_state(3))[0]
    np.testing.assert_array_equal(loaded[0].W, params[0].W)
    np.testing.assert_array_equal(loaded[4].b, params[3].b)


def test_parameters_that_the_archive_would_lose_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NervaError, match="would lose the parameters of BatchNormalization"):
        save_npz(tmp_path / "w.npz", NETWORK, NETWORK.init(np.random.default_rng(0), 3))
    assert not (tmp_path / "w.npz").exists()


@pytest.mark.parametrize("bias", [(4,), (1, 4), (4, 1)])
def test_biases_in_the_shapes_of_all_nerva_packages(tmp_path: Path, bias: tuple[int, ...]) -> None:
    np.savez(tmp_path / "w.npz", W1=np.ones((4, 3)), b1=np.arange(4).reshape(bias), W2=np.ones((2, 4)), b2=np.ones(2))
    loaded = load_npz(tmp_path / "w.npz", PLAIN, 3, PLAIN.init(np.random.default_rng(0), 3), PLAIN.initial_state(3))[0]
    np.testing.assert_array_equal(loaded[0].b, [[0, 1, 2, 3]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W1": np.ones((1, 3))}, r"W1 has shape \(1, 3\), the network needs \(4, 3\)"),
        ({"W2": np.ones((4, 2))}, r"W2 has shape \(4, 2\)"),
        ({"b1": np.ones(3)}, r"b1 has shape \(3,\)"),
        ({"W3": np.ones((4, 3))}, "'W3', but the network has only 2 layers with weights"),
        ({"W1": np.array([["a"] * 3] * 4)}, "W1 must hold numbers"),
        ({"b2": None}, "no array 'b2'"),
    ],
)
def test_archives_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    arrays = {"W1": np.ones((4, 3)), "b1": np.ones(4), "W2": np.ones((2, 4)), "b2": np.ones(2), **changes}
    np.savez(tmp_path / "w.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(NervaError, match=message):
        load_npz(tmp_path / "w.npz", PLAIN, 3, PLAIN.init(np.random.default_rng(0), 3), PLAIN.initial_state(3))[0]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NervaError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(NervaError, match="cannot write"):
        write_atomically(tmp_path / "no" / "a", b"new")


def test_predictions_are_those_of_plain_numpy_code_written_from_the_specification(tmp_path: Path) -> None:
    """Trained here, written as Nerva's archive, and evaluated with no code of ours."""
    values = {"layers": "ReLU;LeakyReLU(0.1);Softmax", "sizes": [64, 20, 15, 10]}
    config = make_config({"model": values, "loss": "CrossEntropy", "data": "Digits(train=300)", "training": {"epochs": 3}})
    trainer = Trainer(config)
    list(trainer.run())
    trained = Model(config, trainer.network, 64, trainer.to_numpy().params, trainer.to_numpy().statistics)
    save_npz(tmp_path / "w.npz", trained.network, trained.params)
    X = trainer.data.Xtest
    with np.load(tmp_path / "w.npz") as w:
        Y = np.maximum(0, X @ w["W1"].T + np.tile(w["b1"], (len(X), 1)))
        Z = Y @ w["W2"].T + np.tile(w["b2"], (len(X), 1))
        Z = np.maximum(0.1 * Z, Z) @ w["W3"].T + np.tile(w["b3"], (len(X), 1))
    E = np.exp(Z)
    expected = E * np.tile((1 / E.sum(axis=1))[:, None], (1, 10))
    np.testing.assert_allclose(trained.predict(X), expected, rtol=1e-12)
    with pytest.raises(NervaError, match="64 inputs, but X has 63 columns"):
        trained.predict(X[:, :63])


def test_training_starts_from_given_weights(tmp_path: Path) -> None:
    base = {"data": "Digits(train=50)", "model": {"layers": "ReLU;Linear", "sizes": [64, 8, 10]}}
    first = Trainer(make_config(base))
    list(first.run())
    params = first.to_numpy().params
    save_npz(tmp_path / "w.npz", first.network, params)
    save_model(tmp_path / "m.safetensors", Model(first.config, first.network, 64, params, first.to_numpy().statistics))
    for name in ("w.npz", "m.safetensors"):
        start = Trainer(make_config({**base, "seed": 9, "model": {**base["model"], "load_weights": str(tmp_path / name)}}))
        for a, b in zip(leaves(params), leaves(start.to_numpy().params), strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(NervaError, match="is not there"):
        Trainer(make_config({**base, "model": {**base["model"], "load_weights": "nothing.npz"}}))


def test_one_changed_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_model(path, model())
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    for position in (header, (header + len(content)) // 2, len(content) - 1):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(NervaError, match="does not have the checksum"):
            load_model(path)
    path.write_bytes(content.replace(rb"seed = 0", rb"seed = 1"))
    with pytest.raises(NervaError, match="does not have the checksum"):
        load_model(path)


def test_a_model_file_cannot_make_us_allocate_what_it_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    huge = make_config({"model": {**LAYERS, "sizes": [3, 10**9, 10**9]}})
    path.write_bytes(pack({"params": ()}, {"config": huge.to_toml(), "inputs": str(10**15)}))
    with pytest.raises(NervaError, match=r"has no array 'params/0\.W'"):
        load_model(path)


def test_parameters_must_be_floating_point_numbers(tmp_path: Path) -> None:
    saved = model()
    wrong = (type(saved.params[0])(*(np.asarray(p).astype(int) for p in saved.params[0])), *saved.params[1:])
    save_model(tmp_path / "a.safetensors", dataclasses.replace(saved, params=wrong))
    with pytest.raises(NervaError, match="must hold floating-point numbers, got dtype int64"):
        load_model(tmp_path / "a.safetensors")


def test_the_scaling_and_the_names_read_back(tmp_path: Path) -> None:
    encoding = Encoding(np.array([[1.0, 2.0, 3.0]]), np.array([[4.0, 5.0, 6.0]]), ("a", "b", "c"), ("no", "yes"))
    scaled = dataclasses.replace(model(), encoding=encoding)
    save_model(tmp_path / "a.safetensors", scaled)
    loaded = load_model(tmp_path / "a.safetensors")
    assert (loaded.encoding.features, loaded.encoding.classes) == (encoding.features, encoding.classes)
    X = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(loaded.predict(X), model().predict((X - [1, 2, 3]) / [4, 5, 6]))
    np.testing.assert_array_equal(loaded.predict(X), scaled.predict(X))


def test_the_previous_content_is_kept_if_asked(tmp_path: Path) -> None:
    path, previous = tmp_path / "a", tmp_path / "b"
    for content in (b"1", b"2", b"3"):
        write_atomically(path, content, previous)
    assert (path.read_bytes(), previous.read_bytes()) == (b"3", b"2")


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_who_may_read_a_file(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "a", b"x")
    finally:
        assert os.umask(before) == umask
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_no_examples_cannot_be_predicted() -> None:
    trainer = Trainer(make_config({"data": "Checkerboard(n=20)", "model": {"layers": ["Linear(2)"]}}))
    model = Model(trainer.config, trainer.network, 2, trainer.to_numpy().params, trainer.to_numpy().statistics)
    with pytest.raises(NervaError, match=r"at least one example to predict, got none \(X has shape \(0, 2\)\)"):
        model.predict(np.zeros((0, 2)))


@pytest.mark.parametrize("X", [[["a", "b", "c"]], np.ones((1, 3), complex), None])
def test_what_are_no_real_numbers_is_refused(X: Any) -> None:
    with pytest.raises(NervaError, match="X must hold real numbers, got dtype"):
        model().predict(X)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_trainer_is_pickled_and_goes_on_as_before(backend: str) -> None:
    pytest.importorskip(backend)
    config = {"backend": backend, "data": "Checkerboard(n=12)", "model": {"layers": ["Linear(3)", "ReLU", "Linear(2)"]}}
    trainer = Trainer(make_config({**config, "training": {"epochs": 2}}))
    next(trainer.run())
    copies = [pickle.loads(pickle.dumps(trainer)), copy.deepcopy(trainer)]
    (last,) = trainer.run()
    for again in copies:
        (other,) = again.run()
        assert other.test_loss == last.test_loss
