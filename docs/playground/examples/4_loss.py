"""A loss."""

from dataclasses import dataclass

from nerva_core.equations.losses import Loss


@dataclass(frozen=True)
class LogCosh(Loss):
    """The sum of log cosh(y − t), where log cosh z = z + softplus(−2z) − log 2."""

    def rows(self, ops, Y, T):
        Z = Y - T
        return ops.rows_sum(Z + ops.softplus(-2 * Z) - ops.log(ops.full(2, *ops.shape(Z))))

    def gradient(self, ops, Y, T):
        return ops.tanh(Y - T)
