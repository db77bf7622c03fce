"""Parts of tensors: slices, elements by number, and elements by index; each is a view that can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sympy_validation.all_sizes import sums
from sympy_validation.all_sizes.products import multiply
from sympy_validation.all_sizes.symbols import Index, Size, fresh, number_index
from sympy_validation.all_sizes.terms import ONE, Entry, only
from sympy_validation.foreign.errors import NotCaptured, ShapesDiffer, SizeNeeded
from sympy_validation.foreign.gather import Gather, put, zeros
from sympy_validation.foreign.labels import Labels, numbered
from sympy_validation.foreign.placements import placement
from sympy_validation.foreign.recorded import operation
from sympy_validation.foreign.shapes import Shapes
from sympy_validation.foreign.sizes import Dim, Factors, dim, undim
from sympy_validation.foreign.tensor import Storage, View, as_array, axis_indices, int_shape, renamed, vectorized


def is_whole(key: Any) -> bool:
    """Whether a key is ``:``."""
    return isinstance(key, slice) and key == slice(None)


def mapped(array: Any, by: Any, i: Index, j: Index, *, up: bool) -> Any:
    """Σ_k S(j,k) x(k) at j, or up: Σ_k S(k,i) x(k) at i; i is the index of the whole, and j that of the part."""
    old, new = (j, i) if up else (i, j)
    k = fresh(old.size)
    S = only(Entry(by, k, new)) if up else only(Entry(by, new, k))
    return vectorized(lambda P: sums.sum_over(multiply(S, sums.substitute(P, {old: k})), [k]), array)


class TensorParts(Shapes):
    """Reading and changing parts."""

    def _key(self, key: Any) -> list[Any]:
        keys = list(key) if isinstance(key, tuple) else [key]
        keys = [k.tolist() if isinstance(k, np.ndarray) and k.ndim == 0 else k for k in keys]
        used = sum(k is not None and k is not Ellipsis for k in keys)
        if used > self.ndim:
            raise ShapesDiffer(f"{used} indices into the shape {self.shape}")
        rest = [slice(None)] * (self.ndim - used)
        at = next((n for n, k in enumerate(keys) if k is Ellipsis), len(keys))
        return [*keys[:at], *rest, *keys[at + 1 :]]

    def __getitem__(self, key: Any) -> Any:
        found = self.part(key)
        if found is not self and found.view_of:
            found.view_of.key = (self, key)
        return found

    @operation
    def part(self, key: Any) -> Any:
        """The part with this key."""
        if isinstance(key, Storage):
            raise NotCaptured("the elements that a mask selects: their number depends on the data")
        x: Any = self
        a, by_index = 0, list[tuple[int, Any]]()
        for k in self._key(key):
            if isinstance(k, Storage):
                raise NotCaptured("an index that is computed")
            if k is None:
                x = x.with_axis(a)
                a += 1
            elif isinstance(k, slice):
                x = x.sliced(a, k)
                a += 1
            elif isinstance(k, (Labels, list, np.ndarray)) or hasattr(k, "detach"):
                by_index.append((a, k))
                a += 1
            else:
                x = x.element(a, k)
        return x.by_index(by_index) if by_index else x.alias() if x is self else x

    def alias(self) -> Any:
        """Another name of the same memory."""
        return Storage.make(self.dims, self.array, View(self, lambda base: base, lambda new: new))

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, Storage):
            if key.ndim < self.ndim:
                key = Storage.make([*key.dims, *[()] * (self.ndim - key.ndim)], key.array)
            self.assign(key.where(value, self))
            return
        own = isinstance(value, Storage) and value.view_of and value.view_of.key
        if own and own[0] is self and own[1] is key:
            return  # x[key] += y has changed it
        self.part(key).assign(value)

    def element(self, a: int, k: Any) -> Any:
        """The elements with number k along an axis, without this axis."""
        factors = self.dims[a]
        if isinstance(k, Dim) or any(isinstance(f, Size) for f in factors):
            if isinstance(k, int) and k == 0 and len(factors) == 1:
                return self._first(a)
            raise SizeNeeded(dim(undim(factors)).names(), f"element {k} of an axis of length {dim(undim(factors))}")
        number, n = k.__index__(), undim(factors)
        if not -n <= number < n:
            raise ShapesDiffer(f"element {number} of an axis of length {n}")
        number %= n
        return self.sliced(a, slice(number, number + 1)).without_axes([a])

    def _first(self, a: int) -> Any:
        (i,), size = self.indices()[a], self.dims[a][0]
        dims = [() if k == a else factors for k, factors in enumerate(self.dims)]
        one = sums.delta(i, number_index(0, size))
        view = View(
            self,
            lambda base: renamed(base, {i: number_index(0, size)}),
            lambda new: vectorized(lambda P: multiply(one, P), new),
            vectorized(lambda _: one, self.array),
        )
        return Storage.make(dims, renamed(self.array, {i: number_index(0, size)}), view).without_axes([a])

    def sliced(self, a: int, s: slice) -> Any:
        """A slice of one axis."""
        if is_whole(s):
            return self
        factors = self.dims[a]
        found = _slice_of_ints(factors, s)
        if found is not None:
            return self._sliced_array(a, *found)
        return self._shifted(a, s)

    def _sliced_array(self, a: int, which: int, s: slice) -> Any:
        """A slice of one of the ints of an axis; which is its number among all factors of the axis, -1 for an axis of length 1."""
        factors = self.dims[a]
        n = factors[which] if which >= 0 else 1
        length = len(range(n)[s])
        if not length:
            raise NotCaptured("a part without elements")
        if which < 0:
            return self.alias()
        p = self.array_axes(a)[len(int_shape([factors[:which]]))]
        cut = (slice(None),) * p + (s,)
        dims = [*self.dims[:a], (*factors[:which], *((length,) if length > 1 else ()), *factors[which + 1 :]), *self.dims[a + 1 :]]
        drop, shape = length == 1, self.array.shape

        def get(base: Any) -> Any:
            return base[cut].squeeze(p) if drop else base[cut]

        def spread(new: Any) -> Any:
            result = zeros(shape)
            put(result, cut, np.expand_dims(new, p) if drop else new)
            return result

        cover = zeros(shape)
        cover[cut] = ONE
        # Neighbouring ints of an axis are merged, so the array has the shape that the factors give.
        merged_shape = int_shape(Storage.make(dims, np.empty(0, dtype=object)).dims)
        plain = as_array(get(self.array)).shape
        view = View(self, lambda b: as_array(get(b)).reshape(merged_shape), lambda new: spread(as_array(new).reshape(plain)), cover)
        return Storage.make(dims, as_array(get(self.array)).reshape(merged_shape), view)

    def _shifted(self, a: int, s: slice) -> Any:
        factors = self.dims[a]
        if len(factors) == 1 and _is_first(s):
            return self._first(a).with_axis(a)
        names = dim(undim(factors)).names()
        step = 1 if s.step is None else s.step
        if len(factors) != 1 or isinstance(step, Dim) or step < 1:
            raise SizeNeeded(names, f"a slice {_text(s)} of an axis of length {dim(undim(factors))}")
        (whole,) = factors
        start = 0 if s.start is None else s.start
        stop = dim(whole) if s.stop is None else s.stop
        start, stop = (dim(whole) + x if isinstance(x, int) and x < 0 else x for x in (start, stop))
        length = stop - start if isinstance(stop, Dim) else dim(stop) - start if isinstance(start, Dim) else max(stop - start, 0)
        if step > 1 and isinstance(length, Dim):
            length = (length + (step - 1)) // step
        if isinstance(length, int) or any(c < 0 for m, c in length.form.items() if m):
            raise SizeNeeded(names, f"a slice {_text(s)} of an axis of length {dim(whole)}")
        if step == 1 and length.form == dim(whole).form:
            return self
        (part,) = length.factors if len(length.factors) == 1 else (None,)
        if part is None:
            raise SizeNeeded(names, f"a slice {_text(s)} of an axis of length {dim(whole)}")
        return self._view_of_part(a, placement(start, part, whole, step), part)

    def _view_of_part(self, a: int, S: Any, part: Size) -> Any:
        (i,), (j,) = self.indices()[a], axis_indices(a, (part,))
        dims = [*self.dims[:a], (part,), *self.dims[a + 1 :]]
        k = fresh(part)
        cover = vectorized(lambda _: sums.sum_over(only(Entry(S, k, i)), [k]), self.array)
        view = View(self, lambda base: mapped(base, S, i, j, up=False), lambda new: mapped(new, S, i, j, up=True), cover)
        return Storage.make(dims, mapped(self.array, S, i, j, up=False), view)

    # Elements by index.

    def by_index(self, chosen: Sequence[tuple[int, Any]]) -> Any:
        """The elements with these indices along some axes, which stand side by side."""
        axes = [a for a, _ in chosen]
        if axes != list(range(axes[0], axes[-1] + 1)):
            raise NotCaptured("indices along axes that do not stand side by side")
        labels = [self._labels(a, k) for a, k in chosen]
        gather = Gather(self.dims, axes[0], labels)
        unique = any(x.distinct and len(gather.axes) == x.ndim for x in labels)
        cover = gather.spread(np.full(int_shape(gather.result), ONE, dtype=object)) if unique else None
        view = View(self, gather.get, gather.spread if unique else None, cover)
        return Storage.make(gather.result, gather.get(self.array), view)

    def _labels(self, a: int, k: Any) -> Labels:
        factors = self.dims[a]
        if len(factors) > 1:
            raise NotCaptured(f"an index into an axis that is the product {dim(undim(factors))}")
        size = factors[0] if factors else 1
        if not isinstance(k, Labels):
            values = np.asarray(k.detach().numpy() if hasattr(k, "detach") else k)
            if values.dtype == bool:
                values = np.flatnonzero(values)
            return numbered(values, size)
        if k.size != size:
            raise ShapesDiffer(f"an index below {dim(k.size)} into an axis of length {dim(size)}")
        return k

    def increase_at(self, key: Any, value: Any) -> None:
        """Adds to the elements with an index, as often as it occurs."""
        keys = self._key(key)
        chosen = [(a, k) for a, k in enumerate(keys) if not is_whole(k)]
        axes = [a for a, _ in chosen]
        if axes != list(range(axes[0], axes[-1] + 1)) or any(isinstance(k, slice) for _, k in chosen):
            raise NotCaptured("indices along axes that do not stand side by side")
        gather = Gather(self.dims, axes[0], [self._labels(a, k) for a, k in chosen])
        new = Storage.of(value).expand(*(undim(d) for d in gather.result))
        self.increase(gather.spread(new.array))


def _is_first(s: slice) -> bool:
    """Whether it is the slice :1."""
    ends = (s.start, s.stop, s.step)
    return all(x is None or isinstance(x, int) for x in ends) and (s.start or 0, s.stop, s.step or 1) == (0, 1, 1)


def _text(s: slice) -> str:
    return ":".join("" if x is None else str(x) for x in (s.start, s.stop)) + (f":{s.step}" if s.step is not None else "")


def _slice_of_ints(factors: Factors, s: slice) -> tuple[int, slice] | None:
    """Which int of an axis is sliced, and how; None if the slice is none of an int."""
    if not factors:
        return -1, s
    if len(factors) == 1 and isinstance(factors[0], int):
        ends = [None if x is None else min(x, 10**9) if isinstance(x, int) else factors[0] for x in (s.start, s.stop)]
        return 0, slice(ends[0], ends[1], s.step)
    if isinstance(s.step, int) and s.step > 1 and s.stop is None and isinstance(factors[-1], int) and factors[-1] == s.step:
        first = s.start or 0
        return len(factors) - 1, slice(first, first + 1)
    if s.step in (None, 1) and isinstance(factors[0], int):
        ends = [_multiple(x, factors[1:]) for x in (0 if s.start is None else s.start, dim(undim(factors)) if s.stop is None else s.stop)]
        if None not in ends:
            return 0, slice(*ends)
    return None


def _multiple(x: Any, rest: Factors) -> int | None:
    """How often the rest of the factors is in x; a negative x counts from the end."""
    if isinstance(x, int):
        return 0 if x == 0 else None
    form, unit = x.form, dim(undim(rest)).form
    (m, c), *others = form.items()
    (n, d), *more = unit.items()
    return c // d if not others and not more and m == n and c % d == 0 else None
