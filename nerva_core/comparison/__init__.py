"""Errors of every backend, measured against the exact value of every equation, and golden vectors made from the exact values.

``rounding`` rounds each exact result once (``interpreters/exact.py`` computes them), ``running`` says how large an error an
equation may have, ``subjects`` lists what is compared, ``measure`` compares it, and ``bounds`` states what is accepted.
"""
