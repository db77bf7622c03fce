"""The configuration of a run: one TOML file, validated, completed with the defaults, and written back with the results.

Every named part (data, loss, optimizer, schedule, layers) is text such as ``"Momentum(mu=0.9)"`` or a table
``{name = "Momentum", mu = 0.9}``; see ``nerva_core.algebra.registry``.
"""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, PlainSerializer, PositiveInt, ValidationError

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.numeric_backend import DType
from nerva_core.algebra.registry import Entry
from nerva_core.data import SOURCES, Dataset, DataSource, Digits
from nerva_core.equations.activations import ReLU, Sigmoid, Tanh
from nerva_core.equations.losses import (
    LOSSES,
    CosineDistance,
    LogisticCrossEntropy,
    Loss,
    SequenceCrossEntropy,
    SoftmaxCrossEntropy,
    SoftmaxCrossEntropyOneHot,
)
from nerva_core.equations.optimizers import OPTIMIZERS, Momentum, Optimizer
from nerva_core.equations.schedules import SCHEDULES, Constant, Schedule
from nerva_core.layers import (
    ActivationLayer,
    BatchNormalization,
    Layer,
    Linear,
    LogSoftmax,
    Sequential,
    Softmax,
    SReLU,
    multilayer_perceptron,
    parse_layers,
)

E = TypeVar("E", bound=Entry)


def describe(value: Any) -> Any:
    """An entry as the TOML table that builds it again; lists, numbers and text as they are."""
    if isinstance(value, Entry):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init and field.repr}  # type: ignore[arg-type]
        return {"name": type(value).__name__, **{key: describe(item) for key, item in fields.items() if item is not None}}
    return [describe(item) for item in value] if isinstance(value, (list, tuple)) else value


_AsTable = PlainSerializer(describe)
_Data = Annotated[InstanceOf[DataSource], BeforeValidator(SOURCES.parse), _AsTable]
_Loss = Annotated[InstanceOf[Loss], BeforeValidator(LOSSES.parse), _AsTable]
_Optimizer = Annotated[InstanceOf[Optimizer], BeforeValidator(OPTIMIZERS.parse), _AsTable]
_Schedule = Annotated[InstanceOf[Schedule], BeforeValidator(SCHEDULES.parse), _AsTable]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ModelConfig(_Section):
    """The network: Nerva's notation with sizes, or a list of layers (see ``nerva_core.layers.notation``)."""

    layers: str | list[str | dict[str, Any]] = "ReLU;ReLU;Linear"
    """The layers, as text in Nerva's notation or as a list with one layer an item."""
    sizes: list[int] = Field(default_factory=lambda: [64, 256, 128, 10])
    """The number of inputs, then the outputs of every layer that has a size, for layers given as text."""
    weights: str = "He"
    """The initial values of the weights, for layers given as text."""
    bias: str = "Zero"
    """The initial values of the biases, for layers given as text."""
    load_weights: str | None = None
    """A file with the weights to start from: Nerva's .npz, or a model.safetensors of a network of the same shape."""

    def build(self) -> Sequential:
        """The network; NervaError if the description is not sound."""
        if isinstance(self.layers, str):
            return multilayer_perceptron(self.layers, self.sizes, self.weights, self.bias)
        unused = self.model_fields_set & {"sizes", "weights", "bias"}
        if unused:
            raise NervaError(f"{sorted(unused)[0]} belongs to layers given as text; in a list every layer has its own, as in 'Linear(10)'")
        return parse_layers(self.layers)


class TrainingConfig(_Section):
    """How long to train, and in which batches."""

    epochs: PositiveInt = 20
    """How often every example is used."""
    batch_size: PositiveInt = 16
    """Examples in a batch; the last of an epoch may be smaller."""
    schedule_by: Literal["epoch", "step"] = "epoch"
    """What the schedule counts."""
    checkpoint_every: PositiveInt = 1
    """After how many epochs the state is saved; it is also saved at the last epoch and at an interrupt."""
    checkpoint_every_minutes: Annotated[float, Field(gt=0, strict=False)] = 10.0
    """After how many minutes the state is saved within an epoch."""
    record_gradients: bool = False
    """Whether the metrics have the largest magnitude of a gradient in every epoch."""
    record_distances: bool = False
    """Whether the metrics have the earth mover distance between input and output of the first hard layer after every epoch."""


class Config(_Section):
    """Everything that determines a run."""

    backend: str = "numpy"
    """What runs the equations: numpy, jax, torch, tensorflow, or a backend of another distribution."""
    dtype: DType = "float32"
    """The precision of every number of the run."""
    device: str = "cpu"
    """Where the backend keeps the data, as the framework names it."""
    compile: bool = True
    """Whether the backend compiles the step; otherwise it runs the equations one operation after the other, with the same results."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Determines initial values, the order of the examples and the noise, the same on every backend."""
    data: _Data = Field(default_factory=Digits)
    """The training and test examples: a data source."""
    model: ModelConfig = Field(default_factory=ModelConfig)
    """The network."""
    loss: _Loss = Field(default_factory=SoftmaxCrossEntropyOneHot)
    """What is minimised."""
    optimizer: _Optimizer = Field(default_factory=Momentum)
    """The update rule; its learning rate is the schedule's."""
    schedule: _Schedule = Field(default_factory=lambda: Constant(eta0=0.05))
    """The learning rate η as a function of the epoch, or of the step."""
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    """How long to train, in which batches, and what is recorded."""

    def to_toml(self) -> str:
        """The complete configuration as TOML text, which ``load_config`` reads back."""
        data = self.model_dump(exclude_none=True)
        if not isinstance(self.model.layers, str):
            data["model"] = {key: value for key, value in data["model"].items() if key in ("layers", "load_weights")}
        return tomli_w.dumps(data)


def check_task(loss: Loss, network: Sequential, data: Dataset, outputs: int) -> None:
    """NervaError unless the loss, the last layer, the outputs and the data make sense together: others train something else in silence."""
    name, last = type(loss).__name__, network.layers[-1]
    data.check_outputs(outputs)
    if data.positions > 1 or isinstance(loss, SequenceCrossEntropy):
        if (loss.classification and data.positions > 1) or getattr(loss, "classes", data.classes) != data.classes:
            needed = f"SequenceCrossEntropy(classes={data.classes})" if data.classes else "SquaredError"
            raise NervaError(f"the data have {data.positions} positions of {data.classes} classes, but the loss is {loss}; use {needed}")
        return
    if data.classes is None:
        _check_reach(last, data)
        return
    if outputs == 1:
        _check_single_output(loss, last)
    given = _given_by(last)
    if loss.takes == "probabilities" and given not in ("probabilities", None):
        instead = "BinaryCrossEntropy after a Linear layer" if given == "fractions" else "SoftmaxCrossEntropyOneHot after a Linear layer"
        raise NervaError(
            f"the loss {name} takes probabilities that sum to 1, but the last layer, {last}, gives {_MEANING[given or '']}; "
            f"make it Softmax, or use {instead}"
        )
    if loss.takes == "logits" and (given in ("probabilities", "fractions") or (given == "logarithms" and not _is_softmax(loss))):
        instead = ", or use CrossEntropy" if given == "probabilities" else ""
        raise NervaError(
            f"the loss {name} turns logits into probabilities itself, but the last layer, {last}, gives {_MEANING[given or '']}; "
            f"make it Linear{instead}"
        )


def check_batches(network: Sequential, batch: int, examples: int) -> None:
    """NervaError for a batch of one example in a network that normalises batches."""
    if 1 not in (batch, examples, examples % batch) or not any(isinstance(layer, BatchNormalization) for layer in network.walk()):
        return
    last = "" if batch == 1 else f", of which the last of {examples:,} examples has one"
    raise NervaError(
        f"BatchNormalization needs at least two examples in every batch, as the variance of one is 0; got batches of {batch}{last}: "
        "choose another training.batch_size"
    )


_MEANING = {
    "numbers": "any numbers",
    "fractions": "numbers in (0, 1) that do not sum to 1",
    "probabilities": "probabilities already",
    "logarithms": "logarithms of probabilities",
}


def _given_by(last: Layer) -> str | None:
    """What a last layer gives; None for one that is not known."""
    if isinstance(last, Softmax):
        return "probabilities"
    if isinstance(last, LogSoftmax):
        return "logarithms"
    if isinstance(last, ActivationLayer) and isinstance(last.activation, Sigmoid):
        return "fractions"
    return "numbers" if isinstance(last, (ActivationLayer, BatchNormalization, Linear, SReLU)) else None


def _is_softmax(loss: Loss) -> bool:
    return isinstance(loss, SoftmaxCrossEntropy)


def _check_single_output(loss: Loss, last: Layer) -> None:
    """With one output a softmax is 1, and a loss without a term for the class 0 is least where everything is class 1."""
    constant = _is_softmax(loss) or isinstance(last, (Softmax, LogSoftmax)) or isinstance(loss, CosineDistance)
    if constant or loss.takes == "probabilities" or isinstance(loss, LogisticCrossEntropy):
        what = "the softmax or the direction of one number is constant" if constant else "it has no term for the class 0"
        raise NervaError(
            f"with one output the loss {type(loss).__name__} after {last} trains nothing: {what}; "
            "use BinaryCrossEntropy after a Linear layer, or two outputs"
        )


def _check_reach(last: Layer, data: Dataset) -> None:
    """NervaError for targets of a regression that the last layer never gives."""
    activation = last.activation if isinstance(last, ActivationLayer) else last
    ranges = {Sigmoid: (0, 1), Softmax: (0, 1), Tanh: (-1, 1), ReLU: (0, np.inf), LogSoftmax: (-np.inf, 0)}
    low, high = ranges.get(type(activation), (-np.inf, np.inf))
    if data.Ttrain.min() < low or data.Ttrain.max() > high:
        raise NervaError(
            f"the last layer, {last}, gives numbers from {low} to {high}, but the targets go from {data.Ttrain.min():g} to "
            f"{data.Ttrain.max():g}; make the last layer Linear, or scale the targets"
        )


def make_config(values: Mapping[str, Any], where: str = "configuration") -> Config:
    """A validated configuration; NervaError naming the field, what was received, and the nearest known name."""
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise NervaError("\n".join(_explain(where, problem) for problem in error.errors())) from None


def parse_config(text: str, where: str = "configuration", overrides: Mapping[str, Any] | None = None) -> Config:
    """A configuration from TOML text, with some of its values replaced: ``{"training.epochs": 5}``."""
    try:
        values = tomllib.loads(text)
        return make_config(override(values, overrides or {}), where)
    except NervaError:
        raise
    except ValueError as error:  # TOMLDecodeError, and what Python says of a number with thousands of digits
        raise NervaError(f"{where} is not valid TOML: {error}") from None
    except RecursionError:
        raise NervaError(f"{where} is nested too deeply") from None


def load_config(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """A configuration from a TOML file."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before the text
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NervaError(f"cannot read the configuration {path}: {reason}") from None
    return parse_config(text, str(path), overrides)


def override(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those at the dotted names of ``overrides`` replaced."""
    result = copy.deepcopy(dict(values))
    for name, value in overrides.items():
        section, _, key = name.rpartition(".")
        target = result if not section else result.setdefault(section, {})
        if not isinstance(target, dict):
            raise NervaError(f"{section} must be a table, got {target!r}")
        target[key] = value
    return result


def _explain(where: str, problem: Any) -> str:
    location = [str(part) for part in problem["loc"]]
    name = ".".join(location)
    if problem["type"] == "extra_forbidden":
        section: Any = Config
        for part in location[:-1]:
            section = section.model_fields[part].annotation
        return f"{where}: unknown setting {name!r}; {did_you_mean(location[-1], section.model_fields)}"
    if problem["type"] == "value_error":  # one of ours: it says what was received
        return f"{where}: {name}: {problem['ctx']['error']}"
    message = problem["msg"]
    return f"{where}: {name}: {message[0].lower()}{message[1:]}, got {problem['input']!r}"
