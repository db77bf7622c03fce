"""Interpretations of the layer code other than running it: its operations (traced), faults in it (mutants), its shapes and costs,
and its equations (latex)."""
