"""Errors that are the user's to mend: the command line prints their message and exits with status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 3000
"""Characters of a message."""

MOST_NAMES = 40
"""Of more names a message lists the nearest."""

ELSEWHERE = {
    "adamw": "weight decay is around a rule: WeightDecay(Adam, 0.01, decoupled=true)",
    "adagrad": "the nearest is RMSProp",
    "adadelta": "the nearest is RMSProp",
    "nadam": "the nearest is Adam",
    "lion": "the nearest is Adam",
    "nllloss": "NegativeLogLikelihood takes probabilities, of Softmax; for logarithms of them use LogSoftmax with SoftmaxCrossEntropy",
    "bceloss": "BinaryCrossEntropy takes logits, of Linear without Sigmoid",
    "smoothl1loss": "it is Huber(delta=...) divided by delta",
    "kldivloss": "its gradient is that of the cross-entropy: SoftmaxCrossEntropy",
    "hingeloss": "the nearest is SoftmaxCrossEntropy",
    "cosineembeddingloss": "the nearest is CosineDistance",
    "layernorm": "the nearest is BatchNormalization",
    "layernormalization": "the nearest is BatchNormalization",
    "groupnorm": "the nearest is BatchNormalization",
    "instancenorm1d": "the nearest is BatchNormalization",
    "batchnorm2d": "examples are rows of a matrix: BatchNormalization",
    "conv1d": "there are no convolutions: layers are fully connected, Linear",
    "conv2d": "there are no convolutions: layers are fully connected, Linear",
    "maxpool2d": "there is no pooling: layers are fully connected, Linear",
    "avgpool2d": "there is no pooling: layers are fully connected, Linear",
    "flatten": "examples are flat already: leave it out",
    "reshape": "examples are rows of a matrix: leave it out",
    "lstm": "there are no recurrent layers",
    "gru": "there are no recurrent layers",
    "rnn": "there are no recurrent layers",
    "embedding": "there are no embeddings: give one-hot features to Linear",
    "multiheadattention": "there is no attention",
    "transformer": "there is no attention",
    "hardtanh": "the nearest is Tanh",
    "relu6": "the nearest is ReLU",
    "selu": "the nearest is ELU",
    "mish": "the nearest is SiLU",
    "hardswish": "the nearest is SiLU",
    "reducelronplateau": "schedules do not look at the loss; the nearest is Cosine or MultiStep",
    "onecyclelr": "the nearest is Cosine with warm-up",
}
"""Names of other frameworks, folded, that are of nothing here, and what comes nearest."""


def elsewhere(name: str) -> str:
    """What comes nearest to something of another framework, as the beginning of a hint; nothing for other names."""
    found = ELSEWHERE.get(name.casefold().replace("_", "").replace("-", "").replace(" ", ""))
    return f"{found}; " if found else ""


class NervaError(ValueError):
    """A mistake in what the user gave: what was expected, what was received, what was probably meant.

    Of a very long message, as when what was received is a whole file, the middle is left out.
    """

    def __str__(self) -> str:
        message = super().__str__()
        return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} [...] {message[-LONGEST // 2 :]}"


class NotInstalledError(NervaError):
    """A backend was asked for whose framework is not installed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that ends a message about an unknown name: the nearest known name, then all of them, or of many the nearest five."""
    names = sorted(set(known))
    folded = {candidate.casefold(): candidate for candidate in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    if len(names) > MOST_NAMES:
        nearest = difflib.get_close_matches(name.casefold(), folded, n=5, cutoff=0)
        return f"{hint}nearest of {len(names)}: {', '.join(folded[key] for key in nearest)}"
    return f"{hint}known: {', '.join(names)}"
