"""``nerva bench``: a training step of ours against the framework's own automatic differentiation, and against its matrix products alone."""
