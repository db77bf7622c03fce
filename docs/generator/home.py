"""The first page of the site: an equation, its code, its theorems, a figure, and how to install."""

from __future__ import annotations

import inspect
import textwrap

from docs.generator.equations import typeset
from docs.generator.evidence import Evidence, theorem_table
from nerva_core.algebra.registry import EntryCall
from nerva_core.interpreters.latex import equations
from nerva_core.interpreters.subjects import symbolic
from nerva_core.layers import Linear
from nerva_core.layers.base import LAYERS

SUBJECT = "layers.Linear"

HEAD = """\
# Nerva

Neural networks with explicit backpropagation. Every layer, activation, loss and update rule is written once, as the matrix equation of
the paper it comes from. NumPy, JAX, PyTorch and TensorFlow run that line; SymPy and a prover of our own show, for all sizes, that its
backward pass is the gradient.
"""

REST = """\
## One figure

[![Activations that networks learned, one curve a layer](images/tmaf_learned_activations.png)](tmaf.md)

The activations that networks with [trainable matrix activations](tmaf.md) learned, in one of [the experiments of five
papers](reproductions.md) that are repeated here with a statistical verdict.

## Install

Python 3.11 or newer, `make` and `git` are enough. In a clone:

```text
make demo                      # light dependencies, and a first network: 1,797 handwritten digits
source .venv/bin/activate
nerva train --backend jax      # or numpy, torch, tensorflow: nerva backends says what is installed
nerva prove Linear
```

[First steps](first-steps.md) takes ten minutes.

## Where to go

| if you want to | read |
|---|---|
| train a network, prove it, compare four backends, in ten minutes | [First steps](first-steps.md) |
| try it without installing anything: prove a layer, or train one matrix by matrix | [Playground](playground.md) |
| see what a layer computes, forward and backward | [The equations](equations/index.md) |
| train on a table, images or arrays of your own, or from scikit-learn | [Training](training.md) |
| prove a gradient that you have in NumPy, PyTorch or JAX | [Prove your own gradient](write-your-own/gradient.md) |
| read a model of PyTorch, or use a layer in PyTorch, JAX or Keras | [Working with others](interoperability.md) |
| add an activation, a layer or a backend | [Write your own](write-your-own/index.md) |
| know what a green proof is worth | [Why believe it](soundness.md) |
| know how exact the numbers are | [Accuracy](accuracy.md) |
| use q-neurons or gradient activations | [q-neurons](q_neurons.md), [gradient activations](gaf.md) |
| train through a hard function, or with trained activations | [bridges](dab.md), [TMAF](tmaf.md) |
| see what of the papers reproduces | [Reproductions](reproductions.md) |
| see what is wrong in the papers | [Errata](errata.md) |
| look something up | [Commands](reference/commands.md), [configuration](reference/configuration.md), [API](api/index.md) |
"""


def home_page(evidence: Evidence) -> str:
    """The page; the equations, the code and the verdicts are those of the linear layer."""
    found = equations(symbolic(LAYERS, EntryCall("Linear")))
    code = "\n".join(textwrap.dedent(inspect.getsource(method)) for method in (Linear.feedforward, Linear.backpropagate))
    parts = [
        HEAD,
        "## One equation\n\nThe [linear layer](equations/layers/Linear.md), and its backward pass:",
        typeset([*found.forward, *found.backward]),
        "## Its code\n\nThese lines train, on every backend; the equations above are read from them while they run on symbols.",
        f"``` {{ .py .no-copy }}\n{code}```",
        f"## Its verdict\n\n{_verdict(evidence)}",
        REST,
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _verdict(evidence: Evidence) -> str:
    """What was proved of the layer when the site was built."""
    if not evidence.verdicts:
        return "This site was built without the proofs; `nerva prove Linear` makes them."
    text = "DY is a matrix of free symbols, so each holds for every loss. [All theorems](theorems.md), [what they are worth](soundness.md)."
    return f"{theorem_table(evidence.theorems(SUBJECT))}\n{text}"
