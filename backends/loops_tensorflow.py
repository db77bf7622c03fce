"""Loops over the members of families by ``tf.while_loop``, in steps that are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nerva_core.algebra.matrix_ops import MatrixOps, Size
from nerva_core.algebra.trees import Tree

Tensor = Any

if TYPE_CHECKING:
    _Operations = MatrixOps[Tensor]
else:
    _Operations = object


class TensorFlowLoopOps(_Operations):
    """``scan`` as one loop: what is compiled is one step of it, and not all of them one after the other."""

    tf: Any

    def scan(
        self,
        body: Callable[..., tuple[Any, Any]],
        state: Tree,
        given: tuple[Tensor, ...],
        length: Size,
        reverse: bool = False,
        names: tuple[str, ...] = (),
    ) -> tuple[Any, Any]:
        """While a step is compiled, one loop, before which its first step tells what the outputs are; outside, the definition."""
        tf = self.tf
        if tf.executing_eagerly() or (isinstance(length, int) and length < 2):
            return MatrixOps.scan(self, body, state, given, length, reverse, names)

        def step(k: Any, state: Tree, arrays: Any) -> Any:
            place = length - 1 - k if reverse else k
            after, outputs = body(state, *(F[place] for F in given))
            after = tf.nest.map_structure(lambda X, before: tf.ensure_shape(X, before.shape), after, state)
            arrays = arrays or [tf.TensorArray(X.dtype, size=length, element_shape=X.shape) for X in outputs]
            return k + 1, after, tuple(array.write(place, X) for array, X in zip(arrays, outputs, strict=True))

        start = step(tf.constant(0), state, ())
        _, state, arrays = tf.while_loop(lambda k, *_: k < length, step, start, maximum_iterations=length)
        return state, tuple(array.stack() for array in arrays)
