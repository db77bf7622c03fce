"""What reads the equations besides a backend: exact numbers, traced operations, graphs, shapes and costs, LaTeX, faults (mutants)."""
