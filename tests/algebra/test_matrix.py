from nerva_core.algebra.matrix import Shape


def test_the_shape_of_a_matrix_and_of_a_family() -> None:
    assert str(Shape("N", "D")) == "(N, D)"
    assert str(Shape(2, 3, 5)) == "5 of (2, 3)"
    assert Shape(2, 3)[:2] == (2, 3)
    assert Shape(2, 3).members == 1
