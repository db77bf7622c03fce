"""GPT-2 (Radford et al. 2019) under the names of its state dicts: ``transformer.h.0.attn.c_attn.weight`` and the others, read and written.

    arrays, _ = read_safetensors(Path("model.safetensors"))      # or the state_dict of a PyTorch module
    gpt = from_gpt2(arrays, heads=12)
    gpt.predict(numbers)                                          # N x L numbers of tokens: the logits, N·L x V
    state_dict = to_gpt2(gpt.network, gpt.params)

Its linear layers are stored as D x K (``Conv1D``), and the output has the matrix of the embedding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.memory import Array
from nerva_core.algebra.numeric_backend import require
from nerva_core.algebra.trees import Tree, leaves, with_leaves
from nerva_core.equations.activations import TanhGELU
from nerva_core.interoperability.from_torch import FromTorch
from nerva_core.layers import LayerNorm, PositionEmbedding, Sequences, Sequential, Tied, TransformerBlock

PREFIX, OUTPUT = "transformer.", "lm_head.weight"
BUFFERS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")
"""What a state dict holds besides parameters: the mask."""
LINEAR = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")


def names(blocks: int) -> list[str]:
    """The parameters in the order of ours, without the prefix."""
    parts = ["ln_1", *LINEAR[:2], "ln_2", *LINEAR[2:]]
    inside = [f"h.{k}.{part}.{kind}" for k in range(blocks) for part in parts for kind in ("weight", "bias")]
    return ["wte.weight", "wpe.weight", *inside, "ln_f.weight", "ln_f.bias"]


def from_gpt2(state: Mapping[str, Any], heads: int, length: int | None = None) -> FromTorch:
    """The network of a state dict, whose number of heads stands elsewhere (``n_head``); for ``length`` positions, by default all it has.

    NervaError for a parameter that is missing, unknown or of another shape, or an output that is not the embedding.
    """
    arrays = {name.removeprefix(PREFIX): _array(tensor) for name, tensor in state.items()}
    output = arrays.pop(OUTPUT, None)
    blocks = 1 + max((int(found[1]) for name in arrays if (found := re.match(r"h\.(\d+)\.", name))), default=-1)
    wanted = names(blocks)
    for name in wanted:
        if name not in arrays:
            raise NervaError(f"a state dict of GPT-2 has {name!r}, this one has not; {did_you_mean(name, list(arrays))}")
    unknown = next((name for name in arrays if name not in wanted and not BUFFERS.fullmatch(name)), None)
    if unknown is not None:
        raise NervaError(f"{unknown!r} is no parameter of GPT-2 with {blocks} blocks, which has {', '.join(names(1))}")
    if output is not None and not np.array_equal(output, arrays["wte.weight"]):
        raise NervaError(f"the output {OUTPUT!r} of GPT-2 is its embedding 'wte.weight', here they differ")
    for name in ("wte.weight", "wpe.weight"):
        if arrays[name].ndim != 2:
            raise NervaError(f"{name!r} should be a matrix, with a row for each token or position, has the shape {arrays[name].shape}")
    (V, K), positions = arrays["wte.weight"].shape, len(arrays["wpe.weight"])
    L = positions if length is None else length
    if not 1 <= L <= positions:
        raise NervaError(f"length must be from 1 to {positions}, the positions that were trained, got {length}")
    arrays["wpe.weight"] = arrays["wpe.weight"][:L]
    network = _network(L, V, K, heads, blocks, arrays)
    template = network.init(np.random.default_rng(0), L)
    params = with_leaves(template, _fitted(wanted, list(leaves(template)), arrays))
    return FromTorch(network, params, network.initial_state(L), (L,), channels_first=False)


def to_gpt2(network: Sequential, params: Tree) -> dict[str, Any]:
    """The state dict of a network that is built as GPT-2 is, as tensors of float64. NervaError for another one."""
    torch = require("torch", "torch")
    blocks = _blocks(network)
    result = {}
    for name, matrix in zip(names(blocks), leaves(params), strict=True):
        array = np.array(matrix, dtype=np.float64)
        result[PREFIX + name] = torch.tensor(array.T.copy() if _is_linear(name) else array if _is_matrix(name) else array[0])
    return {**result, OUTPUT: result[PREFIX + "wte.weight"]}


def _network(L: int, V: int, K: int, heads: int, blocks: int, arrays: Mapping[str, Array]) -> Sequential:
    widening = arrays["h.0.mlp.c_fc.bias"].size // K if blocks else 4
    block = TransformerBlock(heads, widening=widening, activation=TanhGELU())
    inside = Sequential((PositionEmbedding(), *[block] * blocks, LayerNorm()))
    return Sequential((Sequences(L), Tied(K, V, inside)))


def _fitted(wanted: list[str], templates: list[Array], arrays: Mapping[str, Array]) -> Iterator[Array]:
    """The arrays in the shapes of ours. NervaError for one of another shape."""
    for name, template in zip(wanted, templates, strict=True):
        array = arrays[name].T if _is_linear(name) else arrays[name]
        array = array.reshape(1, -1) if array.ndim == 1 else array
        if array.shape != template.shape:
            expected = template.shape[::-1] if _is_linear(name) else template.shape
            raise NervaError(f"{name!r} should have the shape {expected}, has {arrays[name].shape}")
        yield array


def _is_linear(name: str) -> bool:
    """Whether it is stored as D x K, where ours is K x D."""
    return name.endswith(".weight") and any(part in name for part in LINEAR)


def _is_matrix(name: str) -> bool:
    return name in ("wte.weight", "wpe.weight")


def _blocks(network: Sequential) -> int:
    """The number of blocks of a network that is built as GPT-2 is."""
    match network.layers:
        case (Sequences(), Tied(layers=Sequential(layers=(PositionEmbedding(), *layers, LayerNorm(epsilon=LayerNorm.epsilon))))):
            blocks = [layer for layer in layers if _is_block(layer)]
            if len(blocks) == len(layers) and len({(block.heads, block.widening) for block in blocks}) <= 1:
                return len(blocks)
    raise NervaError(
        "a state dict of GPT-2 is that of Sequences; Tied(PositionEmbedding; Block ...; LayerNorm) with equal causal blocks that have the "
        f"norm first and the activation TanhGELU, and nothing else, got {network!r}"
    )


def _is_block(layer: Any) -> TypeGuard[TransformerBlock]:
    return (
        isinstance(layer, TransformerBlock)
        and layer.causal
        and layer.norm_first
        and layer.positions == "none"
        and layer.activation == TanhGELU()
    )


def _array(tensor: Any) -> Array:
    return np.asarray(tensor.detach().cpu().double() if hasattr(tensor, "detach") else tensor, dtype=np.float64)
