"""Lloyd's k-means algorithm as a hard function (DAB, Table 2)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.matrix_ops import M, MatrixOps, Size
from nerva_core.algebra.registry import Count
from nerva_core.equations.hard_function import HardFunction


@dataclass(frozen=True)
class Coordinates:
    """Samples of n points of d numbers each, one point after the other: the rows of X, N x nd."""

    d: int

    def points(self, D: Size) -> Size:
        """n, the number of points of a sample."""
        return D // self.d

    def in_order(self, ops: MatrixOps[M], X: M) -> M:
        """The points from which the centroids start."""
        return X

    def for_each_point(self, ops: MatrixOps[M], C: M, n: Size) -> M:
        """C, N x d, beside itself n times."""
        return ops.take_columns(C, list(range(self.d)) * n)

    def for_each_coordinate(self, ops: MatrixOps[M], A: M) -> M:
        """Each column of A, N x n, d times."""
        return ops.take_columns(A, [p for p in range(ops.shape(A)[1]) for _ in range(self.d)])

    def sum_of_coordinates(self, ops: MatrixOps[M], X: M) -> M:
        """The sum of the numbers of each point, N x n."""
        N, D = ops.shape(X)
        n = self.points(D)
        return ops.reshape(ops.rows_sum(ops.reshape(X, N * n, self.d)), N, n)

    def sum_of_points(self, ops: MatrixOps[M], X: M) -> M:
        """The sum of the points of each sample, N x d."""
        N, D = ops.shape(X)
        n = self.points(D)
        by_coordinate = ops.take_columns(X, [p * self.d + a for a in range(self.d) for p in range(n)])
        return ops.reshape(ops.rows_sum(ops.reshape(by_coordinate, N * self.d, n)), N, self.d)


@dataclass(frozen=True)
class SingleCoordinate(Coordinates):
    """Points that are numbers, which have an order: d = 1."""

    d: int = 1

    def points(self, D: Size) -> Size:
        return D

    def in_order(self, ops: MatrixOps[M], X: M) -> M:
        return ops.sort_rows(X)

    def for_each_point(self, ops: MatrixOps[M], C: M, n: Size) -> M:
        return ops.column_repeat(C, n)

    def for_each_coordinate(self, ops: MatrixOps[M], A: M) -> M:
        return A

    def sum_of_coordinates(self, ops: MatrixOps[M], X: M) -> M:
        return X

    def sum_of_points(self, ops: MatrixOps[M], X: M) -> M:
        return ops.rows_sum(X)


@dataclass(frozen=True)
class KMeans(HardFunction):
    """Lloyd's algorithm on the points of each sample, with k clusters and a fixed number of iterations (Table 2).

    A sample of D columns is D/d points of d = ``dimension`` numbers. The centroids start at evenly spaced points, for d = 1 of the sorted
    sample. A point goes to the nearest centroid, of equally near ones to the first; a centroid without points stays where it is.

    The paper does not say what the output is (erratum 003-24): here every point replaced by its centroid ("quantised", D columns), the
    centroids (k d columns), or the number of the cluster of each point, 0, 1, ..., k - 1 ("assignments", D/d columns). (``nerva show``
    shows one iteration, for at most two clusters.)
    """

    k: Count = 10
    output: Literal["quantised", "centroids", "assignments"] = "quantised"
    iterations: Count = 5
    dimension: Count = 1

    @property
    def coordinates(self) -> Coordinates:
        """How the points lie in a sample."""
        return SingleCoordinate() if self.dimension == 1 else Coordinates(self.dimension)

    def value(self, ops: MatrixOps[M], X: M, *noise: M) -> M:
        centroids = self._start(ops, X)
        for _ in range(self.iterations):
            clusters = self._clusters(ops, X, centroids)
            centroids = [self._mean(ops, X, self._members(ops, clusters, c), C) for c, C in enumerate(centroids)]
        if self.output == "centroids":
            return self._joined(ops, centroids)
        clusters = self._clusters(ops, X, centroids)
        return clusters if self.output == "assignments" else self._quantised(ops, clusters, centroids)

    def outputs_for(self, D: Size) -> Size:
        d = self.dimension
        if isinstance(D, int) and D % d:
            raise NervaError(f"KMeans: the number of columns must be a multiple of the dimension {d} of a point, got {D}")
        if self.output == "centroids":
            return self.k * d
        return D if self.output == "quantised" else self.coordinates.points(D)

    def example_width(self) -> int:
        return 2 * self.k * self.dimension

    def abridged(self) -> KMeans:
        return dataclasses.replace(self, k=min(self.k, 2), iterations=1)

    def levels(self) -> int | None:
        return self.k if self.output == "assignments" else None

    def _start(self, ops: MatrixOps[M], X: M) -> list[M]:
        """The centroids before the first iteration, each N x d."""
        d, k = self.dimension, self.k
        n = ops.shape(X)[1] // d
        points = self.coordinates.in_order(ops, X)
        numbers = [(2 * c + 1) * n // (2 * k) for c in range(k)]
        return [ops.take_columns(points, range(p * d, (p + 1) * d)) for p in numbers]

    def _clusters(self, ops: MatrixOps[M], X: M, centroids: list[M]) -> M:
        """The number of the nearest centroid of each point, N x n."""
        nearest = self._squared_distance(ops, X, centroids[0])
        clusters = ops.zeros(*ops.shape(nearest))
        for c, C in enumerate(centroids[1:], 1):
            distance = self._squared_distance(ops, X, C)
            clusters = ops.where(ops.less(distance, nearest), ops.full(c, *ops.shape(nearest)), clusters)
            nearest = ops.minimum(nearest, distance)
        return clusters

    def _squared_distance(self, ops: MatrixOps[M], X: M, C: M) -> M:
        """Of each point to the centroid C, N x n."""
        coordinates = self.coordinates
        E = X - coordinates.for_each_point(ops, C, coordinates.points(ops.shape(X)[1]))
        return coordinates.sum_of_coordinates(ops, ops.hadamard(E, E))

    def _members(self, ops: MatrixOps[M], clusters: M, c: int) -> M:
        """The indicator of the points of cluster c, N x n."""
        return ops.equal(clusters, ops.full(c, *ops.shape(clusters)))

    def _mean(self, ops: MatrixOps[M], X: M, members: M, C: M) -> M:
        """The mean of the members, N x d; C where there is none."""
        coordinates, d = self.coordinates, self.dimension
        N, _ = ops.shape(X)
        total = coordinates.sum_of_points(ops, ops.hadamard(coordinates.for_each_coordinate(ops, members), X))
        count = ops.column_repeat(ops.rows_sum(members), d)
        return ops.where(ops.greater(count, ops.zeros(N, d)), ops.quotient(total, count), C)

    def _joined(self, ops: MatrixOps[M], matrices: list[M]) -> M:
        joined, *rest = matrices
        for X in rest:
            joined = ops.join_columns(joined, X)
        return joined

    def _quantised(self, ops: MatrixOps[M], clusters: M, centroids: list[M]) -> M:
        coordinates, n = self.coordinates, ops.shape(clusters)[1]
        result, *rest = (coordinates.for_each_point(ops, C, n) for C in centroids)
        for c, Y in enumerate(rest, 1):
            result = ops.where(coordinates.for_each_coordinate(ops, self._members(ops, clusters, c)), Y, result)
        return result
