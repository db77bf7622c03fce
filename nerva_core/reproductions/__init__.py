"""The experiments of the papers, run again: ``nerva reproduce``. An experiment is one file with an ``Experiment`` and its line here."""

from nerva_core.reproductions import dab, dab_autoencoder, dab_images, dab_placement, gaf, q_cnn, q_neurons, sparse, tmaf
from nerva_core.reproductions.experiment import Bench, Experiment, Part, fastest_backend, perform
from nerva_core.reproductions.report import Findings, Report, Row
from nerva_core.reproductions.runs import Trained, curves, values
from nerva_core.reproductions.verdicts import FEWEST_SEEDS, Statistic, Verdict, judge

_DAB = (dab.EXPERIMENT, dab_images.EXPERIMENT, dab_placement.EXPERIMENT, dab_autoencoder.EXPERIMENT)
_ALL = (q_neurons.EXPERIMENT, q_cnn.EXPERIMENT, gaf.EXPERIMENT, tmaf.EXPERIMENT, *_DAB, sparse.EXPERIMENT)
EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in _ALL}
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
