"""A recorded plan of a training step: the equations, run with reused buffers and no work that nothing needs.

The step is run once, plainly, by a recorder (``graph``); its operations are rewritten where an identity saves work
(``rewrites``); the parameters are packed (``packing``); every value gets a place in memory (``memory``); and what remains is a
flat list of calls on fixed arrays (``program``), made from the table of the framework's functions (``numpy_kernels``,
``torch_kernels``). An operation that a table does not know runs as its backend has it.

node     an operation of the recorded step on other nodes; a *leaf* is given to the step, a *constant* has its value
order    nodes run in the lexicographic order of it
state    the leaves that a step replaces by new values; each new value has one leaf of it as its *target*
root     the node that owns the memory in which a value lies; a *view*, such as a transpose, lies in that of its operand
place    the memory of a root: a *buffer*, which is used again, or that of a leaf of the state
flat     a matrix 1 x n in which the members of a *family*, treated alike, lie side by side; each is a *segment* of it
run      operations that follow one another; it may go through its matrices by rows, a *block* of them at a time
local    a value that only its own run reads: it has memory for one block
alone    a node that is in no run with others and in no flat, since the framework allocates its result
fresh    such a result: new memory in each step, read where it lies and given back after that
"""
