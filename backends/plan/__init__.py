"""A recorded plan of a training step: the equations, run with reused buffers and no work that nothing needs.

The step is run once, plainly, by a recorder (``graph``); its operations are rewritten where an identity saves work (``rewrites``); every
value gets a place in memory (``memory``); and what remains is a flat list of calls on fixed arrays (``program``), made from the table of
the framework's functions (``numpy_kernels``, ``torch_kernels``). An operation that a table does not know runs as its backend has it.
"""
