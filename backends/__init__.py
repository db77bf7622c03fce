"""Numeric interpreters of the matrix operations, one class a framework. ``nerva_core.numeric_backend(name)`` finds them."""
