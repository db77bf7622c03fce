import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerva_core.algebra.errors import NervaError
from nerva_core.data import Digits, Spirals
from nerva_core.equations.activations import ReLU
from nerva_core.equations.gradient_activations import Arctan
from nerva_core.equations.optimizers import GAF, Adam, Momentum, WeightDecay
from nerva_core.equations.schedules import MultiStep
from nerva_core.layers import ActivationLayer, Linear, Sequential
from nerva_core.training.config import Config, load_config, make_config, override, parse_config, parse_settings


def test_the_defaults_are_the_digits_on_numpy() -> None:
    config = Config()
    assert (config.backend, config.dtype, config.data) == ("numpy", "float32", Digits())
    assert config.model.build().outputs_for(64) == 10


def test_text_and_tables_are_the_same() -> None:
    text = parse_config('optimizer = "WeightDecay(Adam(beta1=0.8), 0.01)"\nschedule = "MultiStep(0.1, milestones=[3, 5])"')
    table = parse_config(
        """
        [optimizer]
        name = "weight_decay"
        decay = 0.01
        optimizer = {name = "adam", beta1 = 0.8}
        [schedule]
        name = "MultiStep"
        eta0 = 0.1
        milestones = [3, 5]
        """
    )
    assert text == table
    assert table.optimizer == WeightDecay(Adam(beta1=0.8), 0.01)
    assert table.schedule == MultiStep(0.1, (3, 5))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"data": "Spirals(n=10, arms=2)", "loss": "BCE", "seed": 7, "optimizer": "WeightDecay(RMSProp(rho=0.5), 0.1, decoupled=true)"},
        {"model": {"layers": ["Linear(5, weights=Uniform(-1, 1))", "ELU(0.5)", {"name": "Dropout", "p": 0.1}, "Linear(10)", "LogSoftmax"]}},
        {"model": {"layers": "SReLU(al=0,tl=0,ar=0,tr=1);Linear", "sizes": [64, 3, 10], "weights": "He;Xavier", "bias": "Constant(0.1)"}},
        {"data": {"name": "CSV", "path": 'a "strange" \\ name.csv'}, "schedule": "MultiStep(0.1, milestones=[1, 2])"},
    ],
)
def test_the_complete_configuration_reads_back(values: dict[str, Any]) -> None:
    config = make_config(values)
    again = parse_config(config.to_toml())
    assert again == config
    assert again.to_toml() == config.to_toml()
    assert again.model.build() == config.model.build()


def test_a_gradient_activation_in_an_optimizer() -> None:
    expected = GAF(Momentum(0.9), Arctan(0.1, 20.0))
    texts = ("GAF(Momentum(0.9), arctan, alpha=0.1, beta=20)", "GAF(Momentum, arctan(0.1))", "GAF(optimizer=Momentum)")
    tables = ({"name": "GAF", "optimizer": "Momentum(0.9)", "activation": {"name": "arctan", "alpha": 0.1}, "beta": 20},)
    for description in (*texts, *tables):
        config = make_config({"optimizer": description})
        assert config.optimizer == expected
        assert parse_config(config.to_toml()) == config


def test_a_list_of_layers_in_text() -> None:
    for text in ('["Linear(3)", "ReLU", {name = "Dropout", p = 0.25}, "Linear"]', " ['Linear(3)', 'ReLU', 'Dropout(0.25)', 'Linear']"):
        network = completed({"layers": text}).model.build()
        assert [type(layer).__name__ for layer in network.layers] == ["Linear", "ActivationLayer", "Dropout", "Linear"]
    with pytest.raises(NervaError, match=r"a list of layers is written as in TOML, .*; got '\[Linear, ReLU\]'"):
        make_config({"model": {"layers": "[Linear, ReLU]"}})
    for wrong in ("[1, 2]", [1, 2]):
        with pytest.raises(NervaError, match=r"model.layers: layers are text or a list such as .*; got \[1, 2\]$"):
            make_config({"model": {"layers": wrong}})


def test_a_list_of_layers() -> None:
    config = make_config({"model": {"layers": ["Linear(3)", "ReLU", "Linear(outputs=10)"]}})
    assert config.model.build() == Sequential((Linear(3), ActivationLayer(ReLU()), Linear(10)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = 3", "unknown setting 'epochs'; it is training.epochs"),
        ("[training]\nepoch = 3", "unknown setting 'training.epoch'; did you mean 'epochs'"),
        ("[training]\nepochs = 0", "training.epochs: input should be greater than 0, got 0"),
        ("[training]\nbatch_size = -5", "training.batch_size: input should be greater than 0, got -5"),
        ("[training]\nepochs = 1.5", "training.epochs: input should be a valid integer, got 1.5"),
        ("[training]\nepochs = '3'", "training.epochs: input should be a valid integer, got '3'"),
        ("[training]\nschedule_by = 'batch'", "training.schedule_by: input should be 'epoch' or 'step', got 'batch'"),
        ("training = 3", "training: input should be a valid"),
        ("seed = -1", "seed: input should be greater than or equal to 0, got -1"),
        ("dtype = 'float16'", "dtype: input should be 'float32', 'float64' or 'bfloat16', got 'float16'"),
        ("optimizer = 'Adams'", "optimizer: unknown optimizer 'Adams'; did you mean 'Adam'"),
        ("optimizer = 3", "the optimizer must be text such as 'Adam', got 3"),
        ("optimizer = 'Momentum(mu=2)'", "mu must be >= 0 and < 1, got 2.0"),
        ("optimizer = 'Momentum(0.01)'", "mu must be named: Momentum\\(mu=0.01\\); the learning rate is that of the schedule"),
        ("optimizer = 'Momentum(nu=2)'", "Momentum has no parameter 'nu'; known: mu"),
        ("optimizer = 'Momentum(mu='", "cannot read the optimizer"),
        ("[optimizer]\nmu = 0.5", "needs a name"),
        ("loss = 'SoftmaxCrossEntrop'", "did you mean 'SoftmaxCrossEntropy'"),
        ("schedule = 'Constant(-1.0)'", "eta0 must be > 0, got -1.0"),
        ("schedule = 'Constant(nan)'", "eta0 must be > 0, got nan"),
        ("schedule = 'Constant(inf)'", "eta0 must be finite"),
        ("schedule = 'MultiStep(0.1, milestones=[5, 3])'", "in increasing order"),
        ("data = 'Digitz'", "did you mean 'Digits'"),
        ("data = 'CSV'", "CSV needs the parameter 'path'"),
        ("data = 'Digits(scaling=large)'", "scaling must be one of 'none', 'unit', 'standard'"),
        ("x = ", "is not valid TOML"),
    ],
)
def test_mistakes_are_explained(text: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_config(text)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"layers": "ReLu6;Linear", "sizes": [64, 5, 10]}, "unknown layer 'ReLu6'; "),
        ({"layers": "ReLU;Linear", "sizes": [64, 10]}, r"has 2 layers with a size, so sizes must list 3 numbers .* got 2"),
        ({"layers": "ReLU;Linear", "sizes": [64, -5, 10]}, "sizes must be positive integers"),
        ({"layers": "ReLU junk;Linear", "sizes": [64, 5, 10]}, "unknown layer 'ReLU junk'"),
        ({"layers": "ReLU() junk;Linear", "sizes": [64, 5, 10]}, "unexpected 'junk'"),
        ({"layers": "ReLU(5);Linear", "sizes": [64, 5, 10]}, "ReLU takes at most 0 parameters, got 1"),
        ({"layers": "", "sizes": [64]}, "at least one layer"),
        ({"layers": []}, "at least one layer"),
        ({"layers": ["Linear(0)"]}, "outputs must be >= 1, got 0"),
        ({"layers": "Linear(2.5)"}, "outputs must be an integer, got '2.5'"),
        ({"layers": ["Linear"]}, "needs the parameter 'outputs'"),
        ({"layers": ["Linear(10)"], "sizes": [64, 10]}, "sizes belongs to Nerva's notation, .*; in a list every layer has its own"),
        ({"layers": ["Dropout(1.0)"]}, "p must be >= 0 and < 1, got 1.0"),
        ({"layers": "ReLU;Linear", "sizes": [64, 5, 10], "weights": "He;He;He"}, "must name 1 or 2 initializers, got 3"),
        ({"layers": "ReLU;Linear", "sizes": [64, 5, 10], "weights": "Xavior"}, "did you mean 'Xavier'"),
    ],
)
def test_mistakes_in_the_model_are_explained(model: dict[str, Any], message: str) -> None:
    with pytest.raises(NervaError, match=message):
        make_config({"model": model}).model.build()


def test_several_mistakes_are_all_told() -> None:
    with pytest.raises(NervaError, match=r"(?s)seed.*epochs"):
        parse_config("seed = -1\n[training]\nepochs = 0")


def test_overrides_do_not_change_their_input() -> None:
    values: dict[str, Any] = {"training": {"epochs": 3}}
    assert override(values, {"training.epochs": 5, "seed": 1}) == {"training": {"epochs": 5}, "seed": 1}
    assert values == {"training": {"epochs": 3}}
    with pytest.raises(NervaError, match="training must be a table, got 3"):
        override({"training": 3}, {"training.epochs": 5})


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('data = "Spirals"\noptimizer = "Momentum"')
    config = load_config(path, {"training.epochs": 2})
    assert (config.data, config.optimizer, config.training.epochs) == (Spirals(), Momentum(), 2)
    with pytest.raises(NervaError, match=r"cannot read the configuration .*: No such file"):
        load_config(tmp_path / "b.toml")
    path.write_bytes(b"\xff")
    with pytest.raises(NervaError, match="not UTF-8"):
        load_config(path)


@given(st.text(max_size=60))
def test_no_text_ends_in_another_error(text: str) -> None:
    for values in ({"optimizer": text}, {"model": {"layers": text}}, {"data": text}, {"model": {"layers": [text]}}):
        with contextlib.suppress(NervaError):
            assert make_config(values).model.build()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = " + "9" * 6000, "is not valid TOML: "),
        ("a = " + "[" * 3000, "nested too deeply"),
        ("a." * 3000 + "b = 1", "nested too deeply"),
    ],
)
def test_extremes_that_fuzzing_found(text: str, message: str) -> None:
    with pytest.raises(NervaError, match=message):
        parse_config(text)


def test_more_examples_than_there_are_cannot_be_asked_for() -> None:
    with pytest.raises(NervaError, match="train must be at most 1437, as many examples there are, got 5000"):
        make_config({"data": "Digits(train=5000)"}).data.load()


def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("seed = 7", encoding="utf-8-sig")
    assert load_config(tmp_path / "a.toml").seed == 7


def completed(model: dict[str, Any]) -> Config:
    config = make_config({"data": "Checkerboard(n=20)", "model": model})
    return config.completed(config.data.load())


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        ({}, [2, 256, 128, 2]),
        ({"layers": "Linear"}, [2, 2]),
        ({"layers": "Softmax"}, [2, 2]),
        ({"layers": "Dropout"}, [2]),
        ({"layers": "ReLU;Linear", "sizes": [8]}, [2, 8, 2]),
        ({"layers": "ReLU;Linear", "sizes": [2, 8, 2]}, [2, 8, 2]),
    ],
)
def test_sizes_that_are_not_given_are_those_of_the_data(model: dict[str, Any], sizes: list[int]) -> None:
    assert completed(model).model.sizes == sizes


def test_hidden_sizes_must_be_given() -> None:
    with pytest.raises(NervaError, match=r"3 layers .* have a size.* must list the 2 hidden ones; the 2 inputs and 2 outputs"):
        completed({"layers": "ReLU;ReLU;Linear"})


@pytest.mark.parametrize("layers", ["Linear", "Linear(8);ReLU;Linear", "Linear(8);LayerNorm;Linear(2)", ["Linear(2)"]])
def test_the_written_configuration_of_every_form_of_a_network_reads_back(layers: Any) -> None:
    config = completed({"layers": layers})
    again = parse_config(config.to_toml())
    assert again.model.build() == config.model.build()
    assert again.to_toml() == config.to_toml()


def test_settings_are_values_of_toml_or_text() -> None:
    given = parse_settings(
        ["training.epochs=5", "optimizer=Adam", "model.sizes = [64, 10]", "data=Spirals(arms=3)", "schedule.eta0=0.1", "compile=false"]
    )
    assert given == {
        "training.epochs": 5,
        "optimizer": "Adam",
        "model.sizes": [64, 10],
        "data": "Spirals(arms=3)",
        "schedule.eta0": 0.1,
        "compile": False,
    }


@pytest.mark.parametrize("text", ["epochs", "=3", "epochs="])
def test_a_setting_has_a_name_and_a_value(text: str) -> None:
    with pytest.raises(NervaError, match="a setting is written name=value"):
        parse_settings([text])
