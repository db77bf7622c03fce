"""The configuration of a run: one TOML file, validated, completed with the defaults, and written back with the results.

Every named part (data, loss, optimizer, schedule, layers) is text such as ``"Momentum(mu=0.9)"`` or a table
``{name = "Momentum", mu = 0.9}``; see ``nerva_core.algebra.registry``.
"""

from __future__ import annotations

import copy
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    PositiveInt,
    ValidationError,
    field_validator,
)

from nerva_core.algebra.errors import NervaError, counted, did_you_mean
from nerva_core.algebra.numeric_backend import DType
from nerva_core.algebra.registry import Entry, user_fields
from nerva_core.data import SOURCES, Dataset, DataSource, Digits
from nerva_core.equations.initializers import INITIALIZERS, Initializer, Zero
from nerva_core.equations.losses import (
    LOSSES,
    Loss,
    SoftmaxCrossEntropyOneHot,
)
from nerva_core.equations.optimizers import OPTIMIZERS, Momentum, Optimizer
from nerva_core.equations.regrowth import GROWERS, PRUNERS, Grower, Pruner, Random
from nerva_core.equations.schedules import Constant, Schedule, as_schedule
from nerva_core.layers import (
    Sequential,
    multilayer_perceptron,
    parse_layers,
)
from nerva_core.layers.augmentation import Augmentation
from nerva_core.layers.densities import erdos_renyi
from nerva_core.layers.notation import plain_items, repeated, sized_count, with_outputs, with_parameters
from nerva_core.layers.positions import PositionsOfExamples

E = TypeVar("E", bound=Entry)


def describe(value: Any) -> Any:
    """An entry as the TOML table that builds it again; lists, numbers and text as they are."""
    if isinstance(value, Entry):
        fields = {name: getattr(value, name) for name in user_fields(value)}
        return {"name": type(value).__name__, **{key: describe(item) for key, item in fields.items() if item is not None}}
    return [describe(item) for item in value] if isinstance(value, (list, tuple)) else value


_AsTable = PlainSerializer(describe)
_Data = Annotated[InstanceOf[DataSource], BeforeValidator(SOURCES.parse), _AsTable]
_Loss = Annotated[InstanceOf[Loss], BeforeValidator(LOSSES.parse), _AsTable]
_Optimizer = Annotated[InstanceOf[Optimizer], BeforeValidator(OPTIMIZERS.parse), _AsTable]
_Pruner = Annotated[InstanceOf[Pruner] | None, BeforeValidator(lambda text: None if text is None else PRUNERS.parse(text)), _AsTable]
_Grower = Annotated[InstanceOf[Grower], BeforeValidator(GROWERS.parse), _AsTable]
_Initializer = Annotated[InstanceOf[Initializer], BeforeValidator(INITIALIZERS.parse), _AsTable]
_Density = Annotated[float, Field(gt=0, le=1, strict=False)]
_Schedule = Annotated[InstanceOf[Schedule], BeforeValidator(as_schedule), _AsTable]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_LIST = '["Linear(8)", "ReLU", {name = "Dropout", p = 0.2}]'


class ModelConfig(_Section):
    """The network: Nerva's notation with sizes, text with sizes in brackets, or a list of layers (see ``nerva_core.layers.notation``)."""

    layers: str | list[str | dict[str, Any]] = "ReLU;ReLU;Linear"
    """The layers, as text in Nerva's notation or as a list with one layer an item."""
    sizes: list[int] = Field(default_factory=lambda: [64, 256, 128, 10])
    """The number of inputs, then the outputs of every layer that has a size, for layers given as text."""
    weights: str = "He"
    """The initial values of the weights, for layers given as text."""
    bias: str = "Zero"
    """The initial values of the biases, for layers given as text."""
    overall_density: _Density | None = None
    """The part of all weights that are there, for layers given as text; the Erdős–Rényi densities of the layers follow from it."""
    densities: list[_Density] | None = None
    """The part of its weights that each layer with a size has, for layers given as text."""
    load_weights: str | None = None
    """A file with the weights to start from: Nerva's .npz, or a model.safetensors of a network of the same shape."""

    @field_validator("layers", mode="before")
    @classmethod
    def _text_or_a_list(cls, layers: Any) -> Any:
        """Text such as ``["Linear(8)", "ReLU"]``, as a command line has it, is the list of TOML that it looks like."""
        if isinstance(layers, str) and layers.lstrip().startswith("["):
            try:
                layers = tomllib.loads(f"layers = {layers}")["layers"]
            except (tomllib.TOMLDecodeError, RecursionError):
                raise NervaError(f"a list of layers is written as in TOML, {_LIST}; got {layers[:100]!r}") from None
        if not isinstance(layers, str) and not (isinstance(layers, (list, tuple)) and all(isinstance(i, (str, dict)) for i in layers)):
            raise NervaError(f"layers are text or a list such as {_LIST}; got {str(layers)[:100]}")
        return layers

    def build(self) -> Sequential:
        """The network; NervaError if the description is not sound."""
        items = self.items()
        if items is None:
            return multilayer_perceptron(str(self.layers), self.sizes, self.weights, self.bias, self.densities_of_layers())
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        unused = given & {"sizes", "weights", "bias", "overall_density", "densities"}
        if unused:
            where = "a list" if isinstance(self.layers, list) else "text with sizes in brackets"
            raise NervaError(f"{sorted(unused)[0]} belongs to Nerva's notation, as in 'ReLU;Linear'; in {where} every layer has its own")
        return parse_layers(items)

    def densities_of_layers(self) -> list[float] | None:
        """The densities of layers in Nerva's notation; None if none are given. NervaError if they are given twice."""
        if self.overall_density is None:
            return self.densities
        if self.densities is not None:
            raise NervaError("the densities of the layers follow from overall_density; give one of overall_density and densities")
        return erdos_renyi(self.overall_density, self.sizes)

    def items(self) -> Sequence[str | dict[str, Any]] | None:
        """The layers one by one; None in Nerva's notation, where they have their sizes elsewhere."""
        if isinstance(self.layers, str):
            return plain_items(self.layers)
        return [layer for item in self.layers for layer in (repeated(item) if isinstance(item, str) else [item])]

    def completed(self, data: Dataset) -> ModelConfig:
        """What is not given is taken from the data: inputs and outputs, if the sizes are those between them; the outputs of the last
        layer; the vocabulary, the size of images; and of what the rows are positions, if a layer or the targets ask for it."""
        items = self.items()
        if items is None:
            return self.model_copy(update={"sizes": self._sizes_for(data)})
        if not items:
            return self  # which ``build`` refuses
        new = [*items[:-1], with_outputs(items[-1], data.outputs)]
        known = {"vocabulary": data.vocabulary} if data.per_position and data.classes is not None else {}
        known |= dict(zip(("height", "width"), data.grid, strict=True)) if len(data.grid) == 2 else {}
        new = [with_parameters(item, known) for item in new]
        network = parse_layers(new)
        makes_positions = any(isinstance(layer, PositionsOfExamples) for layer in network.layers)
        if data.grid and (network.needs_positions() or (data.per_position and not makes_positions)):
            first = sum(1 for _ in itertools.takewhile(lambda layer: isinstance(layer, Augmentation), network.layers))
            new.insert(first, f"{'Images' if len(data.grid) == 2 else 'Sequences'}({', '.join(map(str, data.grid))})")
        return self if new == items else self.model_copy(update={"layers": new})

    def _sizes_for(self, data: Dataset) -> list[int]:
        """The sizes of Nerva's notation for these data: all of them, or the hidden ones between those of the data.

        NervaError where hidden ones are needed and none are given.
        """
        count = sized_count(str(self.layers))
        if "sizes" in self.model_fields_set:
            whole = [*self.sizes[:1], *self.sizes[-1:]] == [data.inputs, data.outputs]
            return self.sizes if whole or len(self.sizes) != count - 1 else [data.inputs, *self.sizes, data.outputs]
        if count > 1 and "layers" in self.model_fields_set:
            raise NervaError(
                f"{count} layers of {self.layers!r} have a size: model.sizes (--sizes) must list the {counted(count - 1, 'hidden one')}; "
                f"the {counted(data.inputs, 'input')} and {counted(data.outputs, 'output')} are those of the data"
            )
        hidden = self.sizes[1:-1] if count > 1 else []
        return [data.inputs, *hidden, data.outputs][: count + 1]


class TrainingConfig(_Section):
    """The length of the training, and its batches."""

    epochs: PositiveInt = 20
    """How often every example is used."""
    batch_size: PositiveInt = 16
    """Examples in a batch; the last of an epoch may be smaller."""
    validation: Annotated[float, Field(ge=0, lt=1, strict=False)] = 0.0
    """The fraction of the training set that is held out, to choose by; the test set is then for the end."""
    patience: PositiveInt | None = None
    """Stop after so many epochs without a smaller loss on the validation set."""
    keep: Literal["last", "best"] | None = None
    """The model that is written: of the last epoch, or of that with the smallest loss on the validation set; by default the best where
    there is a patience."""
    class_weights: Literal["none", "balanced"] | list[Annotated[float, Field(gt=0, strict=False)]] = "none"
    """How much an example of each class counts in the loss; "balanced" for N / (K · the examples of the class)."""
    schedule_by: Literal["epoch", "step"] = "epoch"
    """What the schedule counts."""
    checkpoint_every: PositiveInt = 1
    """After how many epochs the state is saved; it is also saved at the last epoch and at an interrupt."""
    checkpoint_every_minutes: Annotated[float, Field(gt=0, strict=False)] = 10.0
    """After how many minutes the state is saved within an epoch."""
    blocks: PositiveInt | None = None
    """Blocks of a batch whose sums are added up as a binary tree, with the same bits for any number of workers; by default one a worker."""
    micro_batches: PositiveInt = 1
    """Parts of a batch that a worker computes one after the other, in the memory of one, where the layers allow it; the sums are exact."""
    prune: _Pruner = None
    """Which weights of sparse layers move to other places; none unless it is given."""
    grow: _Grower = Field(default_factory=Random)
    """To which places weights move."""
    grow_weights: _Initializer = Field(default_factory=Zero)
    """The values of weights at new places."""
    prune_interval: PositiveInt | None = None
    """After how many steps weights move; by default at the start of each epoch but the first."""
    top_k: Annotated[int, Field(ge=2)] | None = None
    """Whether the metrics have the fraction of the held-out examples whose class is among so many with the largest outputs, too."""
    record_gradients: bool = False
    """Whether the metrics have the largest magnitude of a gradient in every epoch."""
    record_distances: bool = False
    """Whether the metrics have the earth mover distance between input and output of the first hard layer after every epoch."""

    @property
    def keeps_best(self) -> bool:
        """Whether the model is that of the best epoch."""
        return self.keep == "best" or (self.keep is None and self.patience is not None)


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

    def completed(self, data: Dataset) -> Config:
        """With what the data tell of the network."""
        return self.model_copy(update={"model": self.model.completed(data)})

    def to_toml(self) -> str:
        """The complete configuration as TOML text, which ``load_config`` reads back."""
        data = self.model_dump(exclude_none=True)
        if self.model.items() is not None:
            data["model"] = {key: value for key, value in data["model"].items() if key in ("layers", "load_weights")}
        return tomli_w.dumps(data)


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


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Settings by their dotted names from ``training.epochs=5`` or ``optimizer=Adam``: a value of TOML, or else text."""
    result: dict[str, Any] = {}
    for text in texts:
        name, separator, value = (part.strip() for part in text.partition("="))
        if not separator or not name or not value:
            raise NervaError(f"a setting is written name=value, such as training.epochs=5 or optimizer=Adam, got {text!r}")
        try:
            result[name] = tomllib.loads(f"value = {value}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            result[name] = value
    return result


def _explain(where: str, problem: Any) -> str:
    location = [str(part) for part in problem["loc"]]
    name = ".".join(location)
    if problem["type"] == "extra_forbidden":
        section: Any = Config
        for part in location[:-1]:
            section = section.model_fields[part].annotation
        elsewhere = [f"{key}.{name}" for key, field in Config.model_fields.items() if name in getattr(field.annotation, "model_fields", ())]
        hint = f"it is {elsewhere[0]}" if elsewhere else did_you_mean(location[-1], section.model_fields)
        return f"{where}: unknown setting {name!r}; {hint}"
    if problem["type"] == "value_error":  # one of ours: it says what was received
        return f"{where}: {name}: {problem['ctx']['error']}"
    message = problem["msg"]
    return f"{where}: {name}: {message[0].lower()}{message[1:]}, got {problem['input']!r}"
