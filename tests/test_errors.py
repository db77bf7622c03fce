from nerva_core.errors import NervaError, NotInstalledError, did_you_mean


def test_the_nearest_name_is_suggested() -> None:
    assert did_you_mean("Relu", ["ReLU", "ELU"]) == "did you mean 'ReLU'? known: ELU, ReLU"


def test_without_a_near_name_all_are_listed() -> None:
    assert did_you_mean("xyzzy", ["b", "a"]) == "known: a, b"


def test_hierarchy() -> None:
    assert issubclass(NotInstalledError, NervaError)
    assert issubclass(NervaError, ValueError)
