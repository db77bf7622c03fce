"""Proofs that the hand-written backward equations are exact gradients, by running the code that trains on symbols.

``nerva prove`` runs them; ``docs/proofs.md`` says what they mean. To read the code, from the bottom up:

* ``spaces``: where a claim is interpreted, over one kind of matrix: variables, sizes, derivatives.
* ``grids`` and the elements of a grid: ``entries`` (SymPy expressions, with ``zero_test``), ``numbers`` and ``points`` (exact numbers).
* ``all_sizes`` and ``symbolic_sizes``: matrices of symbolic size.
* ``claims``: what is tested, and what it should be, stated once for all spaces.
* ``certificates``: exact counterexamples. ``theorem``: from claim to verdict. ``audit``: mutants of the tested code.
* ``theorems``: the table. ``user_layers``: theorems about a layer of the user's own.
* ``command``, ``report``, ``page`` and ``errata_page``: what a user sees.
"""
