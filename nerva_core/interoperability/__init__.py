"""Layers and update rules in other programs, and trained networks in other formats.

``torch``, ``jax``, ``tensorflow`` and ``keras`` make any layer a differentiable function of that framework whose backward pass is the
layer's own, and any update rule an optimizer of that framework. Nothing is written a second time: the framework's arrays go through the
equations as they do when this library trains. Each module imports its framework when it is used.
"""
