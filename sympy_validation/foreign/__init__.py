"""Proofs about gradients that were not written for this library: NumPy functions, PyTorch's ``autograd.Function``, JAX's ``custom_vjp``.

The user's own code runs on tensors of symbols, whose entries are the normal forms of ``all_sizes``. To read it, from the bottom up:

* ``errors``, ``sizes``, ``constants``, ``run``: sizes that are products and sums; numbers; what a run remembers.
* ``tensor``, ``elementwise``, ``reductions``, ``shapes``, ``labels``, ``parts``, ``products``: tensors of any order, with views.
* ``placements``, ``windows``: maps between axes by counting, and convolution, pooling and views by strides of them.
* ``functions``, ``keywords``, ``numpy_front``, ``torch_front``, ``einops_front``, ``proxies``: the libraries as the code sees them.
* ``jax_gather``, ``jax_primitives``, ``jax_code``: JAX, by the primitives to which its functions trace.
* ``grammar``, ``signatures``, ``code``, ``find``: the shapes in words, and the parts of the user's code.
* ``gradients``: what the backward pass gives, and what it should give. ``values``, ``exact``, ``trials``: the same in numbers.
* ``verdicts``, ``repair``, ``reasons``: the ladder of verdicts. ``requests``, ``show``: the command.
"""
