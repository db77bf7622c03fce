"""The theorems once more, as statements that the kernel of the Coq proof assistant checks.

``nerva prove --coq DIR`` writes them and has them checked; ``docs/kernel.md`` says what that means. From the bottom up:

* ``terms``: the entry of a matrix, as a term. ``derivatives``: of a term, for the Jacobians that a claim computes with.
* ``matrices`` and ``ops``: matrices of terms, and the interpreter. It records what the code does and simplifies nothing.
* ``space``: variables, sizes and gradients.
* ``numbering``, ``wording`` and ``statement``: a theorem twice over, in the words of a mathematician and as data for the checker.
* ``export``: from the table of theorems to Coq files. ``kernel``: what coqc says of them.
* ``library``: the checker and the proof that it is right, in Coq.
"""
