"""The base of convolution and pooling: windows over the positions of each example."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.operations.windows import Windows
from nerva_core.layers.base import Layer, Positions, Symbols


@dataclass(frozen=True, kw_only=True)
class WindowedLayer(Layer):
    """A layer whose rows are N·P positions, and whose output has a row for each of N·Q windows."""

    geometry: Windows | None = field(default=None, repr=False)
    """The windows, which the layers before this one determine."""

    def windows_over(self, positions: Positions) -> Geometry:
        """The windows over such a grid of positions."""
        raise NotImplementedError

    @property
    def windows(self) -> Windows:
        """The windows; NervaError if the network has not said of what the rows are positions."""
        if self.geometry is None:
            raise NervaError(
                f"{self!r} does not know the positions of an example; begin the network with Images(height, width) or Sequences(length)"
            )
        return self.geometry

    def can_go_on(self) -> bool:
        return False

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        if not positions:
            return self, positions
        geometry = self.windows_over(positions)
        return (self if geometry == self.geometry else replace(self, geometry=geometry)), geometry.out

    def needs_positions(self) -> bool:
        return self.geometry is None

    def for_any_data(self, symbols: Symbols) -> Layer:
        return replace(self, geometry=symbols.geometry("S"))

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.windows.positions, symbols.size("C")

    def rows_for(self, N: Size) -> Size:
        if isinstance(N, int) and isinstance(self.geometry, Geometry) and N % self.geometry.positions:
            raise NervaError(f"{self!r} takes examples of {self.geometry.positions} positions, a row each, got {N} rows")
        return N // self.windows.positions * self.windows.places

    def in_groups(self, ops: MatrixOps[M], X: M, G: Size) -> M:
        """The family of the G parts of the columns of X; X itself if there is one group."""
        rows, columns = ops.shape(X)
        return X if G == 1 else ops.split(X, rows, columns // G)

    def beside(self, ops: MatrixOps[M], F: M, G: Size) -> M:
        """The G members side by side: the inverse of ``in_groups``."""
        return F if G == 1 else ops.join(F, 1)


class ToPositions(WindowedLayer):
    """A layer the other way: its rows are the N·Q windows, and its output has a row for each of N·P positions under them."""

    def bind(self, positions: Positions | None) -> tuple[Layer, Positions | None]:
        layer, _ = super().bind(positions)
        return layer, self.windows_over(positions).size if positions else positions

    def shape_of_input(self, symbols: Symbols) -> tuple[Size, Size]:
        return symbols.size("N") * self.windows.places, symbols.size("C")

    def rows_for(self, N: Size) -> Size:
        if isinstance(N, int) and isinstance(self.geometry, Geometry) and N % self.geometry.places:
            raise NervaError(f"{self!r} takes examples of {self.geometry.places} positions, a row each, got {N} rows")
        return N // self.windows.places * self.windows.positions


def groups_of(layer: Layer, groups: Size, C: Size, K: Size) -> Size:
    """The number of groups; NervaError if it does not divide the C channels and the K outputs."""
    for what, count in (("channels", C), ("outputs", K)):
        if isinstance(count, int) and isinstance(groups, int) and count % groups:
            raise NervaError(f"{layer!r}: the number of {what} must be a multiple of {groups}, the groups, got {count}")
    return groups


def extents(positions: Positions) -> str:
    """The positions as text, 28 x 28."""
    return " x ".join(map(str, positions))
