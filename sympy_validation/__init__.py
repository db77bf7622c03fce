"""Proofs that the hand-written backward equations are exact gradients, by running the code that trains on symbols.

``nerva prove`` runs them; ``docs/proofs.md`` says what they mean. To read the code, from the bottom up:

* ``spaces``: where a claim is interpreted, over one kind of matrix: variables, sizes, derivatives. ``spaces/grids`` and the elements of
  a grid: ``entries`` (SymPy expressions, with ``zero_test``), ``numbers`` and ``points`` (exact numbers); ``symbolic_sizes``.
* ``all_sizes``: matrices of symbolic size, and their normal form.
* ``claims``: what is tested, and what it should be, stated once for all spaces.
* ``certificates``: exact counterexamples. ``theorem``: from claim to verdict, within ``limits``; ``jobs``: in several processes.
* ``audit``: mutants of the tested code.
* ``theorems`` and ``errata``: what is claimed, a file a subject or paper; ``table`` lists it. ``user_layers``: a layer of the user's own.
* ``report`` and ``page``: what a user sees.
"""

from __future__ import annotations

import os

os.environ.setdefault("SYMPY_CACHE_SIZE", "200000")  # read when SymPy is imported: its own choice, 1000, costs a tenth of the time
