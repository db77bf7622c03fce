"""Nested tuples of matrices: parameters, gradients, caches and states are such trees, and every framework takes them as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from nerva_core.algebra.memory import Array, on_cache_line

Tree: TypeAlias = Any
"""A matrix or an array, or a tuple or NamedTuple of trees: parameters, gradients, caches, noise and states."""


def rebuild(template: Tree, items: Iterable[Any]) -> Any:
    """``items`` in a tuple of the template's type: a NamedTuple or a plain tuple."""
    return type(template)(*items) if hasattr(template, "_fields") else tuple(items)


def map_tree(f: Callable[[Any], Any], tree: Tree) -> Any:
    """The tree with ``f`` applied to every leaf."""
    if isinstance(tree, tuple):
        return rebuild(tree, [map_tree(f, item) for item in tree])
    return f(tree)


def leaves(tree: Tree) -> Iterator[Any]:
    """The leaves from left to right."""
    if isinstance(tree, tuple):
        for item in tree:
            yield from leaves(item)
    else:
        yield tree


def with_leaves(tree: Tree, new: Iterable[Any]) -> Any:
    """The tree with its leaves replaced, from left to right."""
    supply = iter(new)
    return map_tree(lambda _: next(supply), tree)


def stacked(trees: Sequence[Any]) -> Any:
    """Trees of arrays as one, whose leaves have a leading axis over the trees."""
    return with_leaves(trees[0], map(_stack, zip(*map(leaves, trees), strict=True)))


def _stack(arrays: Sequence[Any]) -> Array:
    first = np.asarray(arrays[0])
    return np.stack(arrays, out=on_cache_line((len(arrays), *first.shape), first.dtype))


def named_leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(name, leaf) pairs; a name is the path of field names and positions, such as ``2.gamma``."""
    if not isinstance(tree, tuple):
        yield prefix, tree
        return
    for name, item in zip(getattr(tree, "_fields", map(str, range(len(tree)))), tree, strict=True):
        yield from named_leaves(item, f"{prefix}.{name}" if prefix else name)


def map_shapes(f: Callable[[tuple[Any, Any]], Any], shapes: Any) -> Any:
    """A tree of shapes, which are plain pairs (rows, columns), with ``f`` applied to every shape."""
    if isinstance(shapes, tuple) and len(shapes) == 2 and not hasattr(shapes, "_fields") and not isinstance(shapes[0], tuple):
        return f(shapes)
    return rebuild(shapes, [map_shapes(f, item) for item in shapes])
