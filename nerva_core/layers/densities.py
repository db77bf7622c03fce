"""Densities of the layers of a network for one overall density."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from nerva_core.algebra.errors import NervaError


def erdos_renyi(overall: float, sizes: Sequence[int]) -> list[float]:
    """The densities of layers between these sizes, so that ``overall`` of all weights are there (Mocanu et al. 2018).

    The density of a K x D matrix is proportional to (D + K) / (D K), so that small layers keep more of their weights. A layer whose
    density would exceed 1 is dense, and the others share what is left.
    """
    if not 0 < overall <= 1:
        raise NervaError(f"an overall density must be greater than 0 and at most 1, got {overall}")
    products = [D * K for D, K in itertools.pairwise(sizes)]
    raw = [(D + K) / (D * K) for D, K in itertools.pairwise(sizes)]
    dense: set[int] = set()
    while len(dense) < len(products):
        left = overall * sum(products) - sum(products[i] for i in dense)
        factor = left / sum(raw[i] * n for i, n in enumerate(products) if i not in dense)
        over = {i for i in range(len(raw)) if i not in dense and factor * raw[i] > 1 - 1e-12}
        if not over:
            return [1.0 if i in dense else factor * r for i, r in enumerate(raw)]
        most = max(raw[i] for i in over)
        dense |= {i for i in over if raw[i] == most}
    return [1.0] * len(raw)
