"""The language of every equation: the matrix operations, the tables of named entries, and how values are nested, kept and refused."""
