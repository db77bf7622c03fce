"""Spaces in which theorems are checked: symbols and what is assumed of them, entries at concrete sizes, all sizes, exact points."""
