"""Backpropagation step by step: every matrix of one training step of a tiny network, named as in the equations.

The numbers come from the code that trains, and so do the equations beside them.
"""

# %% A network with one hidden layer, four examples, two classes
import numpy as np

import nerva_core as nc
from nerva_core.inspection.trace import print_trace, trace_step

network = nc.multilayer_perceptron("ReLU;Linear", sizes=[2, 3, 2])
loss = nc.losses.SoftmaxCrossEntropyOneHot()
X = np.array([[0.5, -1.0], [1.5, 0.5], [-1.0, 1.0], [0.0, 2.0]])
T = np.array([[1, 0], [0, 1], [0, 1], [1, 0]])
params = network.init(np.random.default_rng(seed=1), 2)

# %% One step: forward, the loss, backward, and the update of the parameters
step = trace_step(network, X, T, params, loss, lr=0.5)
print_trace(step)

# %% Each matrix is a NumPy array, and its equation can be checked by hand: DW = DZᵀ · X in layer 1
DZ, DW = step["1.DZ"].values, step["1.DW"].values
print(f"\n{step['1.DW'].name} = {step['1.DW'].right}")
np.testing.assert_allclose(DW, DZ.T @ X)

# %% Is it the gradient? Change one element of W a little, and look at the loss
h = 1e-6


def loss_with(change):
    """The loss of the batch, with W[0, 1] of layer 1 changed."""
    W, b = params[0]
    changed = (type(params[0])(W + change * np.eye(3, 2, k=1) * (np.arange(3) == 0)[:, None], b), *params[1:])
    return trace_step(network, X, T, changed, loss).loss


slope = (loss_with(h) - loss_with(-h)) / (2 * h)
print(f"DW[0, 1] = {DW[0, 1]:.8f}, measured slope of the loss: {slope:.8f}")
assert abs(slope - DW[0, 1]) < 1e-8

# %% Ten more steps: the loss goes down
for number in range(1, 11):
    params = step.params
    step = trace_step(network, X, T, params, loss, lr=0.5)
    print(f"loss before step {number + 1}: {step.loss:.4f}")
