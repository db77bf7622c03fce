"""The one change of a backward pass that makes it right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy_validation.foreign.code import Code
from sympy_validation.foreign.grammar import Signature


def advice(code: Code, signature: Signature, wrong: Sequence[str], sizes: Mapping[str, int]) -> str:
    """The change in words; empty if none is found."""
    return ""
