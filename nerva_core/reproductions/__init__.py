"""The experiments of the papers, run again: ``nerva reproduce``. An experiment is one file with an ``Experiment`` and its line here."""

from nerva_core.reproductions import (
    dab,
    dab_autoencoder,
    dab_images,
    dab_placement,
    dab_resnet,
    dab_rnn,
    gaf,
    gaf_resnet,
    q_cnn,
    q_neurons,
    sparse,
    tmaf,
    tmaf_resnet,
)
from nerva_core.reproductions.experiment import Bench, Experiment, Part, fastest_backend, perform
from nerva_core.reproductions.report import Findings, Report, Row
from nerva_core.reproductions.runs import Trained, curves, values
from nerva_core.reproductions.verdicts import FEWEST_SEEDS, Statistic, Verdict, judge

_DAB = (dab, dab_rnn, dab_images, dab_resnet, dab_placement, dab_autoencoder)
_ALL = (q_neurons, q_cnn, gaf, gaf_resnet, tmaf, tmaf_resnet, *_DAB, sparse)
EXPERIMENTS: dict[str, Experiment] = {each.EXPERIMENT.name: each.EXPERIMENT for each in _ALL}
"""By the name that ``nerva reproduce`` knows, in the order in which it runs all of them."""

__all__ = [
    "EXPERIMENTS",
    "FEWEST_SEEDS",
    "Bench",
    "Experiment",
    "Findings",
    "Part",
    "Report",
    "Row",
    "Statistic",
    "Trained",
    "Verdict",
    "curves",
    "fastest_backend",
    "judge",
    "perform",
    "values",
]
