from sympy_validation.foreign.errors import NoModel, NotCaptured, SizeNeeded
from sympy_validation.foreign.tensor import Storage


def test_a_size_that_is_needed_is_named() -> None:
    error = SizeNeeded({"T", "B"}, "a loop over T")
    assert isinstance(error, NotCaptured)
    assert error.names == ("B", "T")
    assert str(error) == "a loop over T"


def test_what_has_no_model_says_what_to_write() -> None:
    error = NoModel("the function fft")
    assert isinstance(error, NotCaptured)
    assert not hasattr(Storage.of(1), "fft")  # it is an AttributeError too
    assert str(error).endswith("or make what it gives an argument")
