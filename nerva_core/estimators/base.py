"""The base of the classifier and the regressor: their parameters, and how a network is trained on arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import Backend, DType, backend
from nerva_core.algebra.trees import Tree
from nerva_core.data import Dataset
from nerva_core.data.dataset import Scaling, scaled
from nerva_core.data.encoding import Encoding
from nerva_core.data.memory import InMemory
from nerva_core.data.preparation import Column, learn, prepare
from nerva_core.data.tables import is_frame, of_frame
from nerva_core.layers import Sequential
from nerva_core.layers.notation import plain_items
from nerva_core.training.config import Config, make_config
from nerva_core.training.models import Model
from nerva_core.training.results import Metrics
from nerva_core.training.trainer import Callback, Trainer

FLOATS = [np.float64, np.float32]
"""What inputs may be; others are converted to the first."""


def _is_numeric(frame: Any) -> bool:
    """Whether a data frame holds numbers alone, and no cell is empty."""
    values = np.asarray(frame)
    return values.dtype.kind in "iub" or (values.dtype.kind == "f" and not np.isnan(values).any())


@dataclass(kw_only=True, eq=False, repr=False)
class NervaEstimator(BaseEstimator):
    """A network that is trained by ``fit``; its parameters are those of a configuration, and mean the same.

    After ``fit``: ``model_`` is the network with its parameters, which ``nerva_core.training.models.save_model`` writes; ``history_`` has
    the metrics of every epoch, and ``n_iter_`` is their number.
    """

    default_loss: ClassVar[str]

    layers: str | list[Any] = "ReLU;Linear"
    """The layers in Nerva's notation, or with their sizes in brackets."""
    sizes: Sequence[int] = (100,)
    """For Nerva's notation: the outputs of every layer with a size but the last. Inputs and outputs are those of the data."""
    weights: str = "He"
    """For Nerva's notation: how the weights begin."""
    loss: str | None = None
    """By default softmax cross-entropy for classes, squared error for numbers."""
    optimizer: str = "Adam"
    schedule: str = "Constant(0.005)"
    """The learning rate."""
    epochs: int = 100
    batch_size: int = 64
    scaling: Scaling = "standard"
    """Of the inputs, by numbers of the training set: "standard", "unit" or "none"."""
    early_stopping: bool = False
    """Hold out ``validation_fraction`` of the examples, stop after ``patience`` epochs without a smaller loss on them, keep the best."""
    validation_fraction: float = 0.1
    patience: int = 10
    backend: str = "numpy"
    dtype: DType = "float64"
    device: str = "cpu"
    compile: bool = True
    """Whether the backend compiles the step; for small data that may take longer than it saves."""
    random_state: Any = 0
    """Initial values, order and noise: a number, a RandomState, or None for others each time."""
    callbacks: Sequence[Callback] = ()
    """Called with the trainer and the metrics after every epoch; True ends the training."""

    @abstractmethod
    def _targets(self, y: Array, weights: Array | None, reset: bool) -> tuple[Array, int | None]:
        """The targets as a Dataset has them, and the number of classes; ``reset`` for the first examples of a network."""

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        data = self._scaled(self._dataset(X, y, sample_weight, reset=True))
        trainer = Trainer(self._config(data), data, self.callbacks)
        self.history_: list[Metrics] = list(trainer.run())
        trainer.finish()
        self._keep(trainer, len(self.history_) * trainer.steps_per_epoch)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """One more epoch, on these examples; the scaling is that of the first."""
        first = not hasattr(self, "model_")
        data = self._dataset(X, y, sample_weight, reset=first)
        if first:
            self._steps, self.history_ = 0, []
            data = self._scaled(data)
        else:
            encoding = self.model_.encoding
            data = replace(data, Xtrain=encoding.inputs(data.Xtrain), encoding=encoding)
        trainer = Trainer(self._config(data, epochs=len(self.history_) + 1, held_out=False), data, self.callbacks)
        if not first:
            trainer.restore(len(self.history_), self.state_)
        trainer.first_step = self._steps
        self.history_ += trainer.run()
        self._keep(trainer, self._steps + trainer.steps_per_epoch)
        return self

    def _dataset(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Dataset:
        """The examples that count, as a training set; ValueError, as scikit-learn has it, if they are not sound."""
        X, y = validate_data(
            self, self._numbers_of(X, reset), y, reset=reset, dtype=[np.float64, np.float32], multi_output=True, y_numeric=self._numeric()
        )
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
            if not len(X):
                raise ValueError("sample_weight must be positive for at least one example, got zeros alone")
        T, classes = self._targets(y, weights, reset)
        names = [name for column in self.columns_ for name in column.inputs] or list(getattr(self, "feature_names_in_", []))
        encoding = Encoding(features=tuple(names), classes=self._class_names(), columns=self.columns_)
        return Dataset(X, T, X[:0], T[:0], classes, encoding, weights=weights)

    def _numbers_of(self, X: Any, reset: bool) -> Any:
        """A data frame with texts or without some values as numbers, in the columns of the first one; anything else as it is."""
        if reset:
            self.columns_: tuple[Column, ...] = ()
        if not is_frame(X) or (reset and _is_numeric(X)) or not (reset or self.columns_):
            return X
        table = of_frame(X)
        if reset:
            table.require_names()
            self.columns_ = learn(table, list(table.columns), np.arange(table.rows))
        return prepare(table, self.columns_)[0]

    def _scaled(self, data: Dataset) -> Dataset:
        return scaled(data, self.scaling)

    @classmethod
    def _numeric(cls) -> bool:
        """Whether the targets are numbers."""
        return False

    def _class_names(self) -> tuple[str, ...]:
        """The names of the classes, if there are any."""
        return ()

    def _class_weights(self, data: Dataset) -> Any:
        """How much an example of each class counts, as a configuration has it."""
        return "none"

    def _config(self, data: Dataset, epochs: int | None = None, held_out: bool = True) -> Config:
        early = self.early_stopping and held_out
        model: dict[str, Any] = {"layers": self.layers}
        if isinstance(self.layers, str) and plain_items(self.layers) is None:
            model |= {"sizes": [data.inputs, *map(int, self.sizes), data.outputs], "weights": self.weights}
        training = {
            "epochs": self.epochs if epochs is None else epochs,
            "batch_size": self.batch_size,
            "class_weights": self._class_weights(data),
            **({"validation": self.validation_fraction, "patience": self.patience, "keep": "best"} if early else {}),
        }
        values = {name: getattr(self, name) for name in ("backend", "dtype", "device", "compile", "optimizer", "schedule")}
        if not hasattr(self, "_seed") or epochs is None:
            self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        data_source = InMemory(scaling=self.scaling)
        loss = self.loss or self.default_loss
        return make_config(
            {**values, "seed": self._seed, "loss": loss, "data": data_source, "model": model, "training": training}, type(self).__name__
        )

    def _keep(self, trainer: Trainer, steps: int) -> None:
        self.state_, self._steps = trainer.to_numpy(), steps
        self.n_iter_ = len(self.history_)
        evaluated, encoding = trainer.evaluated(), trainer.data.encoding
        params = self._with_targets_as_given(trainer.network, evaluated.params)
        self.model_ = Model(trainer.config, trainer.network, trainer.data.inputs, params, evaluated.statistics, encoding)

    def _with_targets_as_given(self, network: Sequential, params: Tree) -> Any:
        """The parameters for outputs that are like the given targets."""
        return params

    def _inputs(self, X: Any) -> tuple[Array, Backend]:
        """Checked examples, and the backend that runs the network on them."""
        check_is_fitted(self)
        return validate_data(self, self._numbers_of(X, reset=False), reset=False, dtype=[np.float64, np.float32]), backend(
            self.backend, self.dtype, self.device
        )
