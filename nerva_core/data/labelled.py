"""Examples with a class at each position: tags of the words of sentences, classes of the pixels of images."""

from __future__ import annotations

import math

from nerva_core.algebra.errors import NervaError, counted
from nerva_core.algebra.memory import Array
from nerva_core.data.dataset import PADDING, Dataset, features


def labelled_positions(what: str, Xtrain: Array, Ttrain: Array, Xtest: Array, Ttest: Array, ignored: int) -> Dataset:
    """A checked data set. T is N x L for sequences, N x H x W for images; X has one or more columns for each position.

    Positions whose class is ``ignored`` are padding: they count for nothing. NervaError for labels that are no class numbers, for
    shapes that do not fit, and where all is padding.
    """
    grid = tuple(map(int, Ttrain.shape[1:]))
    if Ttrain.ndim not in (2, 3) or 0 in Ttrain.shape or Ttest.shape[1:] != grid:
        raise NervaError(
            f"{what}: with a class at each position Ttrain and Ttest must be N x positions, or N x height x width, got shapes "
            f"{Ttrain.shape} and {Ttest.shape}"
        )
    parts = {"Xtrain": features(what, "Xtrain", Xtrain), "Xtest": features(what, "Xtest", Xtest)}
    labels = [_labels(what, name, T, ignored) for name, T in (("Ttrain", Ttrain), ("Ttest", Ttest))]
    P = math.prod(grid)
    for (name, X), T in zip(parts.items(), labels, strict=True):
        if len(X) != len(T):
            raise NervaError(f"{what}: {name} has {counted(len(X), 'row')}, but {name.replace('X', 'T')} has {len(T)}")
        if X.shape[1] % P or X.shape[1] != parts["Xtrain"].shape[1]:
            raise NervaError(f"{what}: {name} has {counted(X.shape[1], 'column')}, which are not the same number for each of {P} positions")
    classes = max(2, int(labels[0].max()) + 1)
    if labels[1].max() >= classes:
        raise NervaError(f"{what}: labels must be in 0..{classes - 1}, as in Ttrain, or {ignored}, got {labels[1].max()} in Ttest")
    return Dataset(parts["Xtrain"], labels[0], parts["Xtest"], labels[1], classes, positions=P, grid=grid, per_position=True)


def _labels(what: str, name: str, T: Array, ignored: int) -> Array:
    """Class numbers, N x positions, with ``PADDING`` where the label is to be ignored."""
    if T.dtype.kind not in "iu":
        raise NervaError(f"{what}: {name} must hold class numbers, integers, got dtype {T.dtype}")
    labels = T.reshape(len(T), -1).astype("int64")
    counts = labels != ignored
    if (labels[counts] < 0).any():
        wrong = int(labels[counts].min())
        raise NervaError(f"{what}: labels must be 0, 1, 2, ... or ignored, which is {ignored}, got {wrong} in {name}")
    labels[~counts] = PADDING
    if labels.max() == PADDING:
        raise NervaError(f"{what}: every label of {name} is {ignored}, which is ignored: there is nothing to learn")
    return labels
