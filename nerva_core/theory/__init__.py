"""Theorems of the papers that are not a layer, as code: q-calculus, gradient activation theory, bridges."""
