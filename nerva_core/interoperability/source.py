"""A network at inference as a small Python file that needs PyTorch, JAX or NumPy alone, with its weights as safetensors beside it."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nerva_core.algebra.geometry import Geometry
from nerva_core.interpreters.graph import Graph, Node, Rows


@dataclass(frozen=True)
class Dialect:
    """How a framework writes the operations of a graph; {0}, {1}, ... are the operands, {v} is the value of the node, {n} a size."""

    head: str
    parameter: str
    foot: str
    functions: dict[str, str]


COMMON = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}", "negate": "-{0}", "reciprocal": "1 / {0}",
    "matmul": "{0} @ {1}", "same": "{0}", "rows": "X.shape[0] * {v}",
    "member": "{0}[{v}]", "split": "{0}.reshape({v}).swapaxes(1, 2).reshape({blocks}, {s[1]})",
    "unsplit": "{0}.reshape({v}).swapaxes(1, 2).reshape(-1, {s[1]})",
}  # fmt: skip
NUMPY = {
    **{name: f"xp.{name}({{0}})" for name in ("exp", "log", "sqrt", "arctan", "tanh", "abs", "sign")},
    "maximum": "xp.maximum({0}, {1})", "minimum": "xp.minimum({0}, {1})", "less": "({0} < {1}).astype(X.dtype)",
    "where": "xp.where({0} != 0, {1}, {2})", "sum": "{0}.sum(axis={v}, keepdims=True)", "max": "{0}.max(axis={v}, keepdims=True)",
    "transpose": "{0}.swapaxes(-1, -2)", "spread": "xp.repeat({0}, {n}, axis={v})", "sigmoid": "sigmoid({0})",
    "sort": "xp.sort({0}, axis=-1)",
    "reshape": "{0}.reshape({v})", "take": "{0}[..., xp.asarray({v})]", "join": "xp.concatenate([{0}, {1}], axis=-1)", "erf": "erf({0})",
    "constant": "xp.asarray({v}, dtype=X.dtype)", "family": "xp.stack([{all}])", "rows_at": '{0}[{1}.reshape(-1).astype("int32")]',
    "softmax": "softmax(xp.where({1} != 0, {0}, -xp.inf), axis=-1)",
    "windows": "xp.pad({0}.reshape(-1, {v.positions}, {C}), ((0, 0), (0, 1), (0, 0)))[:, xp.asarray({seen})].reshape(-1, {s[1]})",
    "convolve": "conv_general_dilated({0}.reshape(-1, {size}, {C}), {1}.reshape({kernel}, {C}, {s[1]}), {v.stride}, {pads}, "
    "rhs_dilation={v.dilation}, dimension_numbers={axes}).reshape(-1, {s[1]})",
}  # fmt: skip
TORCH = {
    **{name: f"torch.{name}({{0}})" for name in ("exp", "log", "sqrt", "arctan", "tanh", "abs", "sign", "sigmoid", "erf")},
    "maximum": "torch.maximum(*torch.broadcast_tensors({0}, {1}))", "minimum": "torch.minimum(*torch.broadcast_tensors({0}, {1}))",
    "less": "({0} < {1}).to(X.dtype)", "where": "torch.where({0} != 0, {1}, {2})", "sum": "{0}.sum(dim={v}, keepdim=True)",
    "max": "{0}.amax(dim={v}, keepdim=True)", "transpose": "{0}.mT", "spread": "{0}.repeat_interleave({n}, dim={v})",
    "reshape": "{0}.reshape({v})", "take": "{0}[..., {v}]", "join": "torch.cat([{0}, {1}], dim=-1)", "sort": "{0}.sort(dim=-1).values",
    "family": "torch.stack([{all}])", "rows_at": "{0}[{1}.reshape(-1).long()]",
    "softmax": "torch.softmax({0}.masked_fill({1} == 0, -torch.inf), dim=-1)",
    "windows": "nn.functional.pad({0}.reshape(-1, {v.positions}, {C}), (0, 0, 0, 1))[:, {seen}].reshape(-1, {s[1]})",
    "convolve": "nn.functional.conv{d}d({0}.reshape(-1, {size}, {C}).movedim(-1, 1), {1}.reshape({kernel}, {C}, {s[1]}).movedim((-1, -2), "
    "(0, 1)), None, {v.stride}, {v.padding}, {v.dilation}).movedim(1, -1).reshape(-1, {s[1]})",
    "constant": "torch.tensor({v}, dtype=X.dtype, device=X.device)",
}  # fmt: skip

TORCH_DIALECT = Dialect(
    head='''from pathlib import Path

import torch
from torch import nn

{constants}SHAPES = {shapes}


class Model(nn.Module):
    """{title}: Y (N x {outputs}) for X (N x {inputs}), at inference; PyTorch can differentiate and train it further."""

    def __init__(self):
        super().__init__()
        for name, shape in SHAPES.items():
            if name.startswith("p"):
                self.register_parameter(name, nn.Parameter(torch.zeros(shape)))
            else:  # running statistics, and the scaling of the inputs
                self.register_buffer(name, torch.zeros(shape))

    def forward(self, X):
''',
    parameter="self.{v}",
    foot='''

def load(path=Path(__file__).with_name("model.safetensors")):
    """The model with its weights."""
    from safetensors.torch import load_file

    model = Model()
    model.load_state_dict(load_file(path))
    return model.eval()
''',
    functions={**COMMON, **TORCH},
)

JAX_DIALECT = Dialect(
    head='''from pathlib import Path

import jax.numpy as xp
from jax.lax import conv_general_dilated
from jax.nn import sigmoid, softmax
from jax.scipy.special import erf

{constants}
def apply(params, X):
    """{title}: Y (N x {outputs}) for X (N x {inputs}), at inference. ``params`` is the dictionary of ``load``."""
''',
    parameter='params["{v}"]',
    foot='''

def load(path=Path(__file__).with_name("model.safetensors")):
    """The parameters, a pytree."""
    from safetensors.numpy import load_file

    return {name: xp.asarray(array) for name, array in load_file(path).items()}
''',
    functions={**COMMON, **NUMPY},
)
DIALECTS = {"torch": TORCH_DIALECT, "jax": JAX_DIALECT}


def python_source(graph: Graph, framework: str, metadata: Mapping[str, Any] = types.MappingProxyType({})) -> str:
    """The file for that framework; ``metadata`` are constants of it, in capitals."""
    dialect = DIALECTS[framework]
    indent = " " * (8 if framework == "torch" else 4)
    names: dict[int, str] = {}
    lines: list[str] = []
    for node in graph.nodes():
        text = _expression(node, [names[id(operand)] for operand in node.operands], dialect)
        if node.op in ("input", "parameter", "same"):
            names[id(node)] = text
            continue
        names[id(node)] = f"t{len(lines)}"
        lines.append(f"{indent}t{len(lines)} = {text}\n")
    shapes = "{\n" + "".join(f'    "{name}": {array.shape},\n' for name, array in graph.parameters.items()) + "}"
    title = type(graph.layer).__name__ + " of Nerva"
    constants = "".join(f"{name.upper()} = {value!r}\n" for name, value in metadata.items())
    head = dialect.head.replace("{constants}", constants).replace("{shapes}", shapes).replace("{title}", title)
    head = head.replace("{outputs}", str(graph.output.shape[1])).replace("{inputs}", str(graph.inputs))
    return head + "".join(lines) + f"{indent}return {names[id(graph.output)]}\n" + dialect.foot


def _expression(node: Node, operands: list[str], dialect: Dialect) -> str:
    if node.op == "input":
        return "X"
    if node.op == "parameter":
        return dialect.parameter.replace("{v}", node.value)
    value = node.value.tolist() if node.op == "constant" else node.value
    text, named = dialect.functions[node.op], {"v": value, "s": node.shape, "all": ", ".join(operands)}
    if node.op == "split":  # the numbers of blocks and of their rows, of which one is open
        rows, _ = node.shape
        named["blocks"] = f"-1, {rows}" if isinstance(rows, int) else f"{node.members}, -1"
    if node.op == "spread":
        size = node.shape[value]
        named |= {"n": f"X.shape[0] * {size.factor}" if isinstance(size, Rows) else size, "v": value - 2}
    if isinstance(value, Geometry):
        named |= _of_windows(value, node)
    return text.format(*operands, **named)


def _of_windows(G: Geometry, node: Node) -> dict[str, Any]:
    """What the frameworks are told of windows; channels are the last axis."""
    d = len(G.size)
    axes = "HWD"[:d]
    return {
        "C": node.operands[0].shape[1],
        "seen": G.map.reshape(-1).tolist() if node.op == "windows" else None,
        "d": d,
        "size": ", ".join(map(str, G.size)),
        "kernel": ", ".join(map(str, G.kernel)),
        "pads": [(p, p) for p in G.padding],
        "axes": (f"N{axes}C", f"{axes}IO", f"N{axes}C"),
    }
