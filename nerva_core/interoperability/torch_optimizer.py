"""PyTorch: any update rule as an optimizer."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.trees import Tree, named_leaves, with_leaves
from nerva_core.equations.optimizers import Optimizer
from nerva_core.interoperability.common import (
    as_rule,
    rule_template,
)
from nerva_core.interoperability.torch_tensors import operations_of


def optimizer(params: Iterable[Any], rule: Optimizer | str, lr: float) -> Any:
    """A ``torch.optim.Optimizer`` for the update rule: ``optimizer(net.parameters(), "GAF(Momentum(0.9), arctan)", lr=0.05)``.

    The learning rate is η, which PyTorch's schedulers may change. A rule that looks at all parameters looks at those of a group.
    A parameter that is no matrix counts as one: a vector as a row, a tensor of more axes with all but the first joined.
    """
    return rule_optimizer()(params, as_rule(rule), lr)


def _matrix(parameter: Any) -> Any:
    rows = parameter.shape[0] if parameter.ndim > 1 else 1
    return parameter.reshape(rows, math.prod(parameter.shape[1:]) if parameter.ndim > 1 else parameter.numel())


@functools.cache
def rule_optimizer() -> Any:
    """The class, which exists once PyTorch is imported."""
    torch = require("torch", "torch")
    Base: Any = torch.optim.Optimizer

    class RuleOptimizer(Base):
        """An update rule; the state of a parameter has the names of the rule's equations."""

        __module__, __qualname__ = "nerva_core.interoperability.torch", "RuleOptimizer"  # where pickled objects look for it

        def __init__(self, params: Iterable[Any], rule: Optimizer, lr: float) -> None:
            if not (isinstance(lr, (int, float)) and 0 <= lr < math.inf):
                raise NervaError(f"lr must be a finite number >= 0, got {lr!r}")
            self.rule, self._template = rule, rule_template(rule)
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure: Callable[[], Any] | None = None) -> Any:
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                given = [parameter for parameter in group["params"] if parameter.grad is not None]
                if any(parameter.grad.is_sparse for parameter in given):
                    raise NervaError("the update rules are for dense gradients, got a sparse one, as of Embedding(sparse=True)")
                if given:
                    _update(self.rule, self._template, self.state, given, group["lr"])
            return loss

        def __getstate__(self) -> dict[str, Any]:
            return {**super().__getstate__(), "rule": self.rule, "_template": self._template}

        def load_state_dict(self, state_dict: Any) -> None:
            names = {"step", *(name for name, _ in named_leaves(self._template))}
            for kept in state_dict["state"].values():
                if kept.keys() != names:
                    raise NervaError(
                        f"{type(self.rule).__name__} keeps {', '.join(sorted(names))} of a parameter, but the state_dict has "
                        f"{', '.join(map(str, sorted(kept, key=str))) or 'nothing'}; it is that of another optimizer"
                    )
            super().load_state_dict(state_dict)

    return RuleOptimizer


def _update(rule: Optimizer, template: Tree, state: Tree, parameters: list[Any], lr: float) -> None:
    """One step of the rule on the parameters of a group, each with its own step count and dtype."""
    thetas = [_matrix(parameter) for parameter in parameters]
    all_kept = [state[parameter] for parameter in parameters]
    for kept, theta in zip(all_kept, thetas, strict=True):
        if not kept:
            kept["step"] = 0
            kept.update((name, matrix.clone()) for name, matrix in named_leaves(rule.init(operations_of(theta), theta)))
        kept["step"] += 1
    states = [with_leaves(template, [kept[name] for name, _ in named_leaves(template)]) for kept in all_kept]
    slopes = [_matrix(parameter.grad) for parameter in parameters]
    keys = [(kept["step"], operations_of(theta)) for kept, theta in zip(all_kept, thetas, strict=True)]
    results = {}
    for t, own in set(keys):  # a rule may look at all parameters, so each step count and dtype is a run of the rule on all
        scalars = [own.scalar(c) for c in rule.scalars(float(lr), t)]
        results[t, own] = rule.step(own, states, thetas, slopes, *scalars)
    for i, (parameter, kept, key) in enumerate(zip(parameters, all_kept, keys, strict=True)):
        new, after = results[key]
        parameter.copy_(new[i].reshape(parameter.shape))
        kept.update(named_leaves(after[i]))
