"""Theorems, what is claimed and proved: one file a subject."""
