"""How far every backend is from the exact value of every equation, and golden vectors made from the exact values.

``exact`` runs the layer code on numbers with as many digits as needed, ``rounding`` rounds the results once, ``running`` says how large
an error an equation may have, ``subjects`` lists what is compared, ``measure`` compares it, and ``bounds`` states what is accepted.
"""
