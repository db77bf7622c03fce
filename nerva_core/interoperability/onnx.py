"""ONNX: a network at inference as a file that other runtimes execute."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerva_core.algebra.numeric_backend import DType, require
from nerva_core.interpreters.graph import Graph, Node

OPSET, IR_VERSION = 17, 8

OPERATORS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "negate": "Neg", "exp": "Exp", "log": "Log",
    "reciprocal": "Reciprocal", "sqrt": "Sqrt", "arctan": "Atan", "tanh": "Tanh", "sigmoid": "Sigmoid", "abs": "Abs",
    "sign": "Sign", "maximum": "Max", "minimum": "Min", "erf": "Erf", "matmul": "MatMul", "transpose": "Transpose",
    "same": "Identity",
}  # fmt: skip
"""The operators that are those of a graph under another name."""


class _Writer:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self, dtype: DType) -> None:
        self.onnx = require("onnx", "onnx")
        self.dtype = dtype
        self.type = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.parameters: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.layer = ""
        """The layer that is being written; nodes and tensors are named after it."""

    def constant(self, name: str, array: Any) -> str:
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def emit(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        here = self.here(operator)
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [name or here], name=here, **attributes))
        return name or here

    def here(self, operator: str) -> str:
        """A name for the next node: 0.Linear/MatMul_3."""
        return f"{self.layer}{'/' * bool(self.layer)}{operator}_{len(self.nodes)}"

    def number(self, array: Any) -> str:
        return self.constant(f"c{len(self.constants)}", array)

    def rows(self, factor: int) -> str:
        """A multiple of the number of rows, an integer."""
        count = self.emit("Slice", self.emit("Shape", "X"), self.number(np.array([0])), self.number(np.array([1])))
        return count if factor == 1 else self.emit("Mul", count, self.number(np.array([factor])))

    def sorted_rows(self, operand: str, n: int) -> str:
        """The n smallest of the n elements of each row, in order."""
        count, values = self.number(np.array([n])), self.here("TopK")
        outputs = [values, f"{values}_places"]
        node = self.onnx.helper.make_node("TopK", [operand, count], outputs, name=values, axis=1, largest=0, sorted=1)
        self.nodes.append(node)
        return values

    def reshaped(self, operand: str, *sizes: int) -> str:
        return self.emit("Reshape", operand, self.number(np.array(sizes)))

    def windows(self, operand: str, node: Node) -> str:
        """The rows of each example that the windows see; a row of zeros where there is no position."""
        G, (_, UC) = node.value, node.shape
        images = self.reshaped(operand, -1, G.positions, UC // G.offsets)
        edge = self.emit("Pad", images, self.number(np.array([0, 0, 0, 0, 1, 0])))
        seen = self.emit("Gather", edge, self.number(G.map.reshape(-1).astype(np.int64)), axis=1)
        return self.reshaped(seen, -1, UC)

    def convolution(self, operand: str, weights: str, node: Node) -> str:
        """ONNX's Conv, whose channels come before the positions."""
        G, axes = node.value, len(node.value.size)
        C, K = node.operands[0].shape[1], node.shape[1]
        images = self.emit("Transpose", self.reshaped(operand, -1, *G.size, C), perm=[0, axes + 1, *range(1, axes + 1)])
        kernels = self.emit("Transpose", self.reshaped(weights, *G.kernel, C, K), perm=[axes + 1, axes, *range(axes)])
        attributes = {"kernel_shape": G.kernel, "strides": G.stride, "pads": G.padding * 2, "dilations": G.dilation}
        found = self.emit("Conv", images, kernels, **attributes)
        return self.reshaped(self.emit("Transpose", found, perm=[0, *range(2, axes + 2), 1]), -1, K)

    def write(self, node: Node) -> str:
        """The name of the value of a node, once what it is made of has been written."""
        operands = [self.names[id(operand)] for operand in node.operands]
        match node.op:
            case "input":
                return "X"
            case "parameter":
                return self.parameters[str(node.value)]
            case "constant":
                return self.number(node.value.astype(self.dtype))
            case "rows":
                return self.emit("Cast", self.rows(node.value), to=self.type)
            case "less":
                return self.emit("Cast", self.emit("Less", *operands), to=self.type)
            case "where":
                chosen = self.emit("Cast", operands[0], to=self.onnx.TensorProto.BOOL)
                return self.emit("Where", chosen, *operands[1:])
            case "sum":
                return self.emit("ReduceSum", *operands, self.number(np.array([node.value])), keepdims=1)
            case "max":
                return self.emit("ReduceMax", *operands, axes=[node.value], keepdims=1)
            case "convolve":
                return self.convolution(operands[0], operands[1], node)
            case "softmax":
                shown = self.emit("Cast", operands[1], to=self.onnx.TensorProto.BOOL)
                hidden = self.number(np.array(np.finfo(self.dtype).min, self.dtype))
                return self.emit("Softmax", self.emit("Where", shown, operands[0], hidden), axis=-1)
            case "sort":
                return self.sorted_rows(operands[0], node.shape[1])
        return self.moved(node, operands) or self.emit(OPERATORS[node.op], *operands)

    def moved(self, node: Node, operands: Sequence[str]) -> str:
        """The name of the value of a node that moves or repeats elements; empty if it is no such node."""
        match node.op:
            case "transpose" if node.members != 1:
                return self.emit("Transpose", *operands, perm=[0, 2, 1])
            case "reshape":
                return self.reshaped(operands[0], *node.value)
            case "take":
                return self.emit("Gather", *operands, self.number(np.array(node.value)), axis=-1)
            case "join":
                return self.emit("Concat", *operands, axis=-1)
            case "family":
                first = (self.emit("Unsqueeze", operand, self.number(np.array([0]))) for operand in operands)
                return self.emit("Concat", *first, axis=0)
            case "member":
                return self.emit("Gather", *operands, self.number(np.array(node.value)), axis=0)
            case "split" | "unsplit":
                blocks = self.emit("Transpose", self.reshaped(operands[0], *node.value), perm=[0, 2, 1, 3])
                m, n = node.shape
                if node.op == "split" and not isinstance(m, int):  # blocks of all rows: their number is known, not that of the rows
                    return self.reshaped(blocks, node.members, -1, n)
                return self.reshaped(blocks, *((-1, m, n) if node.op == "split" else (-1, n)))
            case "windows":
                return self.windows(operands[0], node)
            case "rows_at":
                number = self.emit("Cast", self.reshaped(operands[1], -1), to=self.onnx.TensorProto.INT64)
                return self.emit("Gather", operands[0], number, axis=0)
            case "spread":
                size = node.shape[node.value]
                count = self.number(np.array([size])) if isinstance(size, int) else self.rows(size.factor)
                one = self.number(np.array([1]))
                order = (count, one) if node.value == 0 else (one, count)
                return self.emit("Expand", *operands, self.emit("Concat", *order, axis=0))
        return ""


def _parameter(graph: Graph, name: str) -> str:
    """The name of a parameter, or of a statistic, in the file: 0.Linear.W, or as it is in the graph if no layer is known."""
    layer = next((of for node, of in graph.of_layer.items() if node.op == "parameter" and node.value == name), "")
    kind, own = name[0], name.partition("_")[2]
    return f"{layer}.{'state.' if kind == 's' else ''}{own}" if layer else name


def to_onnx(graph: Graph, dtype: DType = "float32", metadata: Mapping[str, str] = types.MappingProxyType({})) -> Any:
    """An ``onnx.ModelProto``, checked by ONNX; its input is X (N x D), its output Y (N x K), for any N. ``metadata`` are its properties."""
    writer = _Writer(dtype)
    onnx, helper = writer.onnx, writer.onnx.helper
    writer.parameters = {name: _parameter(graph, name) for name in graph.parameters}
    for name, array in graph.parameters.items():
        writer.constant(writer.parameters[name], array.astype(dtype))
    for node in graph.nodes():
        writer.layer = graph.of_layer.get(node, "")
        writer.names[id(node)] = writer.write(node)
    writer.layer = ""
    writer.emit("Identity", writer.names[id(graph.output)], name="Y")
    X, Y = (
        helper.make_tensor_value_info(name, writer.type, ["N", width])
        for name, width in (("X", graph.inputs), ("Y", graph.output.shape[1]))
    )
    body = helper.make_graph(writer.nodes, "nerva", [X], [Y], writer.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="nerva")
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model
