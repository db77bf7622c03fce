"""Momentum in one pass over memory, by PyTorch's fused stochastic gradient descent.

The update Δ' = μ Δ - η Dθ, θ' = θ + Δ' is three operations of a plan, each of which goes through memory: ``scale``, ``subtract``
(with η folded in) and ``add``. PyTorch's ``_fused_sgd_``, with momentum μ, dampening d and learning rate λ, computes

    Δ' = μ Δ + (1 - d) Dθ,    θ' = θ - λ Δ'.

These are the same for 1 - d = -η, so d = 1 + η, and λ = -1. d is a double: 1 - d is -η within 2⁻⁵³, which float32 does not see
for any η above 10⁻⁸. The function is private, so a PyTorch without it runs the three operations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from backends.plan.program import Call, Operation, are_one, as_now, number_now

OPERATIONS = [("scale", 2), ("subtract", 3), ("add", 2)]
"""The names of the operations of an update, and how many arguments they have."""


def momentum(torch: Any, operations: list[Operation]) -> Call | None:
    """One call for the three operations, if they are the update of Momentum in float32, each in place."""
    if [(name, len(arguments)) for name, arguments, _ in operations] != OPERATIONS or not hasattr(torch, "_fused_sgd_"):
        return None
    ((mu, Delta), scaled), ((minuend, Dtheta, eta), difference), ((theta, summand), new) = (rest for _, *rest in operations)
    in_place = all(are_one(Delta, X) for X in (scaled, minuend, difference, summand)) and are_one(theta, new)
    if not in_place or theta.dtype != torch.float32:
        return None
    update: Callable[..., Any] = partial(torch._fused_sgd_, weight_decay=0, lr=-1, nesterov=False, maximize=False, is_first_step=False)
    return lambda: update([theta], [as_now(Dtheta)], [Delta], momentum=number_now(mu), dampening=1 + number_now(eta))
