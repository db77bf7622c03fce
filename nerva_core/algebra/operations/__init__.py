"""The matrix operations by subject; ``MatrixOps`` is all of them."""
