"""Numeric interpreters of the matrix operations, one class a framework. ``nerva_core.algebra.numeric_backend(name)`` finds them."""
