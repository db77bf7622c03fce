from sympy_validation.foreign.reasons import readable


def test_letters_for_numbered_indices() -> None:
    assert readable("x[i0_0,i1_0] + y[i2_1] != 0") == "x[i,j] + y[k1] != 0"
