"""Whatever runs on a device stays there: on PyTorch's ``meta``, which holds no numbers, no operation is given a matrix of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from backends.patterns import NotAPattern
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import backend
from nerva_core.algebra.trees import leaves
from nerva_core.comparison.subject import Subject
from nerva_core.comparison.subjects import subjects
from nerva_core.training.config import make_config, override
from nerva_core.training.trainer import Trainer

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from backends.torch import TorchBackend  # noqa: E402

COPIES = ("aten._to_copy", "aten.lift_fresh", "aten.copy_")
"""What takes a matrix to a device."""


class OnMeta(TorchDispatchMode):
    """Refuses every operation but a copy that is given a tensor of another device; PyTorch itself refuses only some."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [X for X in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(X, torch.Tensor)]
        elsewhere = [X for X in given if X.device.type != "meta"]
        assert not elsewhere or str(operation).startswith(COPIES), f"{operation} on the device {elsewhere[0].device}"
        return operation(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def on_meta() -> Iterator[None]:
    with OnMeta():
        yield


class Meta(TorchBackend):
    """On the device meta; of its numbers nothing is known, so 1 is read, and of no places that they are a pattern."""

    def devices(self) -> list[str]:
        return ["meta"]

    def to_numpy(self, X: Any) -> Array:
        assert X.device.type == "meta"
        return np.ones(tuple(X.shape), self.dtype)

    def _pattern(self, *_: Any) -> Any:
        raise NotAPattern


OPS = Meta("float32", "meta")
SUBJECTS = list(subjects())


def results(ops: Any, subject: Subject) -> dict[str, Any]:
    inputs = next(iter(subject.inputs(0, "float32").values()))
    given = {name: ops.matrix(values) if isinstance(values, np.ndarray) else values for name, values in inputs.items()}
    with np.errstate(all="ignore"):
        found: dict[str, Any] = subject.function(ops, subject.entry, given)
    return found


@pytest.mark.sampled(3)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: f"{subject.kind} {subject.name}")
def test_a_subject_stays_on_its_device(subject: Subject) -> None:
    found = results(OPS, subject)
    for name, X in results(backend("numpy"), subject).items():
        assert found[name].device.type == "meta", name
        assert tuple(found[name].shape) == np.shape(X), name


@pytest.mark.parametrize("settings", [{}, {"compile": False}, {"training.blocks": 2}])
def test_training_stays_on_its_device(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nerva_core.training.trainer.backend", lambda name, dtype, device, join: Meta(dtype, "meta"))
    given = {"backend": "torch", "data": "Digits(train=10, test=4)", "training.batch_size": 4, "training.epochs": 1, "optimizer": "Adam"}
    given |= {"model.layers": "ReLU;BatchNormalization;Dropout(0.2);Linear", "model.sizes": [64, 5, 10]}
    trainer = Trainer(make_config(override({}, given | settings), "here"))
    list(trainer.run())
    assert {X.device.type for X in leaves(trainer.state.params)} == {"meta"}


def test_a_matrix_of_the_processor_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"aten.mm.* on the device cpu"):
        OPS.matrix(np.ones((2, 2))) @ torch.ones(2, 2)
