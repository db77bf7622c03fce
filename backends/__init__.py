"""Numeric interpreters of the matrix operations, one class a framework. ``nerva_core.backend(name)`` finds them."""
