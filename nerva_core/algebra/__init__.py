"""What every equation is written in: the matrix operations, the tables of named entries, and how values are nested, kept and refused."""
