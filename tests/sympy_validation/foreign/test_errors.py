from sympy_validation.foreign.errors import NotCaptured, SizeNeeded


def test_a_size_that_is_needed_is_named() -> None:
    error = SizeNeeded({"T", "B"}, "a loop over T")
    assert isinstance(error, NotCaptured)
    assert error.names == ("B", "T")
    assert str(error) == "a loop over T"
