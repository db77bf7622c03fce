"""Of an epoch: the set that is watched while training goes on."""

import dataclasses

from nerva_core.training.results import Metrics

EPOCH = Metrics(3, 0.05, 0.125, 0.25, 0.5, 0.75, 1.5)


def test_the_validation_set_is_watched_if_there_is_one() -> None:
    assert EPOCH.held_out == ("test", 0.25, 0.75)
    assert dataclasses.replace(EPOCH, validation_loss=0.5).held_out == ("validation", 0.5, None)
    assert dataclasses.replace(EPOCH, validation_loss=0.0, validation_accuracy=1.0).held_out == ("validation", 0.0, 1.0)
