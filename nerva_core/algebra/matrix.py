"""The types that equations are written about: matrices, numbers, sizes and shapes."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, Self, TypeAlias

from typing_extensions import TypeVar

Size: TypeAlias = Any
"""A number of rows or columns: an int, or a symbol where an equation is treated for all sizes."""

Scalar: TypeAlias = Any
"""A real number: a float, or a symbol."""


class Matrix(Protocol):
    """What a value of an interpretation must support natively."""

    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __neg__(self) -> Self: ...
    def __matmul__(self, other: Self, /) -> Self: ...
    def __rmul__(self, other: Any, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Self: ...


M = TypeVar("M", bound=Matrix, default=Any)
"""The matrices of one interpretation; any, where it is not said."""


class Shape(NamedTuple):
    """The numbers of rows and columns; of a family, those of a member and the number of members."""

    rows: Size
    columns: Size
    members: Size = 1

    def __str__(self) -> str:
        matrix = f"({self.rows}, {self.columns})"
        return matrix if self.members == 1 else f"{self.members} of {matrix}"

    @property
    def product(self) -> str:
        """N × D, as it stands in a list of shapes."""
        return f"{self.rows} × {self.columns}" + ("" if self.members == 1 else f", {self.members} of them")
