"""What parameters of other frameworks are called here, for messages about a parameter that an entry does not have."""

from __future__ import annotations

from collections.abc import Collection

RENAMED: dict[str, tuple[str, ...]] = {
    "weight_decay": ("decay",),
    "betas": ("beta1", "beta2"),
    "b1": ("beta1",),
    "b2": ("beta2",),
    "eps": ("epsilon",),
    "momentum": ("mu",),
    "alpha": ("rho",),
    "decay_rate": ("rho",),
    "ema_momentum": ("beta",),
    "negative_slope": ("alpha",),
    "min_val": ("a",),
    "max_val": ("b",),
    "out_features": ("outputs",),
    "out_channels": ("outputs",),
    "units": ("outputs",),
    "filters": ("outputs",),
    "hidden_size": ("outputs",),
    "embedding_dim": ("outputs",),
    "output_dim": ("outputs",),
    "num_embeddings": ("vocabulary",),
    "input_dim": ("vocabulary",),
    "kernel_size": ("kernel",),
    "pool_size": ("kernel",),
    "strides": ("stride",),
    "dilation_rate": ("dilation",),
    "num_heads": ("heads",),
    "nhead": ("heads",),
    "nonlinearity": ("activation",),
    "kernel_initializer": ("weights",),
    "bias_initializer": ("bias",),
}
"""The name elsewhere, and the parameters here: it is told where an entry has all of them."""

ABSENT = {
    "weight_decay": "wrap the optimizer, as in WeightDecay(Adam, 0.01), or use AdamW",
    "nesterov": "Nesterov is an optimizer of its own",
    "amsgrad": "AMSGrad is an optimizer of its own",
    "maximize": "a loss is minimised",
    **dict.fromkeys(
        ("in_features", "in_channels", "input_size", "num_features", "normalized_shape"), "inputs are those of the layer before"
    ),
    "embed_dim": "its outputs are as many as its inputs",
    "use_bias": "bias names its initial values, and is always trained",
}
"""What to do in the place of a parameter that an entry has under no name."""


def named_here(name: str, parameters: Collection[str]) -> str:
    """A hint what a parameter of another framework is here, where an entry has these parameters; "" if nothing is known of it."""
    here = RENAMED.get(name, ())
    if here and all(parameter in parameters for parameter in here):
        return f"it is called {' and '.join(here)} here"
    return ABSENT.get(name, "")
