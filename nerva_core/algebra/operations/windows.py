"""Windows: the linear maps of convolution and pooling.

Images are N·P x C matrices: N examples of P positions are rows, channels are columns. A ``Geometry`` G says which position p = G(q, u)
the place q sees at the offset u. For each u this is a matrix S_u of zeros and ones, and ``windows`` is all S_u · X side by side.
"""

from __future__ import annotations

from typing import Any, Protocol

from nerva_core.algebra.matrix import M, Shape, Size
from nerva_core.algebra.operation import operation
from nerva_core.algebra.operations.families import FamilyOps


class Windows(Protocol):
    """What these operations ask of a geometry; a proof gives one that stands for all."""

    @property
    def positions(self) -> Size: ...
    @property
    def places(self) -> Size: ...
    @property
    def offsets(self) -> Size: ...
    @property
    def map(self) -> Any: ...
    @property
    def sources(self) -> Any: ...


def _windows(X: Shape, G: Windows) -> tuple[Size, Size]:
    return X.rows // G.positions * G.places, G.offsets * X.columns


def _fold(Z: Shape, G: Windows) -> tuple[Size, Size]:
    return Z.rows // G.places * G.positions, Z.columns // G.offsets


class WindowOps(FamilyOps[M]):
    """What windows see, and back."""

    @operation(shape=_windows, work="free", by={"rows"})
    def windows(self, X: M, G: Windows) -> M:
        """[S_0 · X, S_1 · X, ...], N·Q x U·C: row (n, q), column (u, c) is x_cp of example n at p = G(q, u), and 0 if there is none."""
        rows, C = self.shape(X)
        N = rows // G.positions
        images = self.join_columns(self.reshape(X, N, G.positions * C), self.zeros(N, C))
        seen = self.take_columns(images, [p * C + c for p in G.map.flat for c in range(C)])
        return self.reshape(seen, N * G.places, G.offsets * C)

    @operation(shape=_fold, by={"rows"})
    def fold(self, Z: M, G: Windows) -> M:
        """Σ_u S_uᵀ · Z_u, N·P x C: to each position the sum of what all windows have there; the adjoint of ``windows``."""
        rows, columns = self.shape(Z)
        N, C, none = rows // G.places, columns // G.offsets, G.places * columns
        images = self.join_columns(self.reshape(Z, N, G.places * columns), self.zeros(N, 1))
        of_position = [k * C + c if k * C < none else none for row in G.sources for c in range(C) for k in row]
        terms = self.take_columns(images, [int(k) for k in of_position])
        count = G.positions * C
        return self.reshape(self.rows_sum(self.reshape(terms, N * count, len(G.sources[0]))), N * G.positions, C)

    @operation(shape="definition", work="definition", by={"rows"}, whole={1})
    def convolve(self, X: M, W: M, G: Windows) -> M:
        """windows(X) · W, where W is U·C x K."""
        return self.windows(X, G) @ W

    @operation(shape="definition", work="definition", by=(), adds={"rows"})
    def convolve_weights(self, X: M, DY: M, G: Windows) -> M:
        """windows(X)ᵀ · DY: the gradient of ⟨DY, convolve(X, W)⟩ with respect to W."""
        return self.transpose(self.windows(X, G)) @ DY

    @operation(shape="definition", work="definition", by={"rows"}, whole={1})
    def convolve_inputs(self, DY: M, W: M, G: Windows) -> M:
        """fold(DY · Wᵀ): the gradient of ⟨DY, convolve(X, W)⟩ with respect to X."""
        return self.fold(DY @ self.transpose(W), G)

    @operation(shape="definition", work="free", by={"rows"})
    def channel_windows(self, X: M, G: Windows) -> M:
        """The windows of each channel of its own: row (n, q, c), column u."""
        _, C = self.shape(X)
        Z = self.transpose_columns(self.windows(X, G), G.offsets)
        rows, _ = self.shape(Z)
        return self.reshape(Z, rows * C, G.offsets)

    @operation(shape="definition", work="definition", by={"rows"})
    def channel_fold(self, Z: M, C: Size, G: Windows) -> M:
        """The adjoint of ``channel_windows`` for C channels."""
        rows, _ = self.shape(Z)
        return self.fold(self.transpose_columns(self.reshape(Z, rows // C, C * G.offsets), C), G)
