"""Interpreters of the equations, besides backends: exact numbers, traced operations, graphs, shapes and costs, LaTeX, faults."""
