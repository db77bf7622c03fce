"""The equations of section 4 of the specification, as they are printed there."""

from nerva_core.interpreters.subjects import FUNCTIONS, AnyActivation, K, find
from nerva_core.layers import (
    ActivationDropout,
    ActivationLayer,
    Linear,
    LinearDropout,
    LogSoftmax,
    Sequential,
    Softmax,
    SReLU,
)

AFFINE = r"Z = XW^\top + 1_N \cdot b"
BACK = [r"DW = DZ^\top \cdot X", r"Db = 1_N^\top \cdot DZ", r"DX = DZ \cdot W"]
DROPOUT_BACK = [r"DW = (DZ^\top \cdot X) \odot R^\top", r"Db = 1_N^\top \cdot DZ", r"DX = DZ(W \odot R^\top)"]
SRELU = r"\text{srelu}(Z, a_l, t_l, a_r, t_r)"  # the specification leaves the parameters out

# The equations of section 4 of the specification, as printed there. Where the code runs another form, which is proved equal, it is
# given with the reason.
SPECIFICATION = {
    "linear": (
        Linear(K),
        [r"Y = XW^\top + 1_N \cdot b", r"DW = DY^\top \cdot X", r"Db = 1_N^\top \cdot DY", r"DX = DY \cdot W"],
    ),
    "activation": (
        Sequential((Linear(K), ActivationLayer(AnyActivation()))),
        [AFFINE, r"Y = \text{act}(Z)", r"DZ = DY \odot \text{act}'(Z)", *BACK],
    ),
    "srelu": (
        Sequential((Linear(K), SReLU())),
        [
            AFFINE,
            rf"Y = {SRELU}",
            r"A^l = \begin{cases} Z - t_l & \text{if } Z \leq t_l \\ 0 & \text{otherwise} \end{cases}",
            r"T^l = \begin{cases} 1 - a_l & \text{if } Z \leq t_l \\ 0 & \text{otherwise} \end{cases}",
            r"A^r = \begin{cases} 0 & \text{if } Z \leq t_l \lor Z < t_r \\ Z - t_r & \text{otherwise} \end{cases}",
            # printed as 1 - a_r if Z >= t_r, which is wrong for t_r <= Z <= t_l (erratum 004-16)
            r"T^r = \begin{cases} 0 & \text{if } Z \leq t_l \lor Z < t_r \\ 1 - a_r & \text{otherwise} \end{cases}",
            r"DZ = DY \odot \text{srelu}'(Z, a_l, t_l, a_r, t_r)",
            r"Da_l = 1_N^\top \cdot (DY \odot A^l) \cdot 1_K",
            r"Dt_l = 1_N^\top \cdot (DY \odot T^l) \cdot 1_K",
            r"Da_r = 1_N^\top \cdot (DY \odot A^r) \cdot 1_K",
            r"Dt_r = 1_N^\top \cdot (DY \odot T^r) \cdot 1_K",
            *BACK,
        ],
    ),
    "softmax": (
        Sequential((Linear(K), Softmax())),
        [
            AFFINE,
            r"Y = \text{stable-softmax}(Z)",  # does not overflow
            r"DZ = Y \odot (DY - (DY \odot Y) \cdot 1_K \cdot 1_K^\top)",  # in place of diag(DY Y^T), which costs O(N^2 K)
            *BACK,
        ],
    ),
    "log-softmax": (
        Sequential((Linear(K), LogSoftmax())),
        [
            AFFINE,
            r"Y = \text{stable-log-softmax}(Z)",
            r"DZ = DY - \text{stable-softmax}(Z) \odot (DY \cdot 1_K \cdot 1_K^\top)",
            *BACK,
        ],
    ),
    "batch normalization": (
        find("BatchNormalization")[0],
        [
            r"\text{mean} = \frac{1}{N} \cdot 1_N^\top \cdot X",
            r"R = X - 1_N \cdot \text{mean}",
            r"\Sigma = \frac{1}{N} \cdot 1_N^\top \cdot (R \odot R)",  # in place of diag(R^T R)^T / N, which costs O(N D^2)
            r"Z = (1_N \cdot (\Sigma + \epsilon)^{-\frac{1}{2}}) \odot R",  # with epsilon
            r"Y = (1_N \cdot \gamma) \odot Z + 1_N \cdot \beta",
            r"DZ = (1_N \cdot \gamma) \odot DY",
            r"D\beta = 1_N^\top \cdot DY",
            r"D\gamma = 1_N^\top \cdot (Z \odot DY)",
            # equation (25), which has N x N matrices, in O(ND)
            r"DX = (1_N \cdot (\Sigma + \epsilon)^{-\frac{1}{2}}) \odot (DZ - \frac{1}{N} \cdot 1_N \cdot 1_N^\top \cdot DZ"
            r" - Z \odot (\frac{1}{N} \cdot 1_N \cdot 1_N^\top \cdot (Z \odot DZ)))",
        ],
    ),
    "linear dropout": (
        LinearDropout(K),
        [
            r"Y = X(W^\top \odot R) + 1_N \cdot b",
            r"DW = (DY^\top \cdot X) \odot R^\top",
            r"Db = 1_N^\top \cdot DY",
            r"DX = DY(W \odot R^\top)",
        ],
    ),
    "activation dropout": (
        ActivationDropout(K, AnyActivation()),
        [r"Z = X(W^\top \odot R) + 1_N \cdot b", r"Y = \text{act}(Z)", r"DZ = DY \odot \text{act}'(Z)", *DROPOUT_BACK],
    ),
    "q-activation": (  # the q-neurons paper, equation (3) and its derivative
        find("QActivation")[0],
        [
            r"Y = (\text{act}(Z) - \text{act}(Q \odot Z)) \odot \frac{1}{1 - Q}",
            r"G = (\text{act}'(Z) - Q \odot \text{act}'(Q \odot Z)) \odot \frac{1}{1 - Q}",
            r"DZ = DY \odot G",
        ],
    ),
    "gradient descent": (find("GradientDescent")[0], [r"\theta' = \theta - \eta \cdot D\theta"]),
    "momentum": (find("Momentum")[0], [r"\Delta' = \mu \cdot \Delta - \eta \cdot D\theta", r"\theta' = \theta + \Delta'"]),
    "Nesterov": (
        find("Nesterov")[0],
        [r"\Delta' = \mu \cdot \Delta - \eta \cdot D\theta", r"\theta' = \theta + \mu \cdot \Delta' - \eta \cdot D\theta"],
    ),
    "squared error": (
        find("SquaredError")[0],
        [r"\mathcal{L}(Y, T) = 1_N^\top \cdot ((Y - T) \odot (Y - T)) \cdot 1_K", r"\nabla_Y \mathcal{L}(Y, T) = 2(Y - T)"],
    ),
    "cross-entropy": (
        find("CrossEntropy")[0],
        [r"\mathcal{L}(Y, T) = 1_N^\top \cdot (-T \odot \log(Y)) \cdot 1_K", r"\nabla_Y \mathcal{L}(Y, T) = -T \odot \frac{1}{Y}"],
    ),
    "softmax function": (
        FUNCTIONS["softmax"],
        [r"E = e^X", r"\text{softmax}(X) = E \odot \left( \frac{1}{E \cdot 1_D} \cdot 1_D^\top \right)"],
    ),
    "log-softmax function": (FUNCTIONS["log_softmax"], [r"\text{log-softmax}(X) = X - \log(e^X \cdot 1_D) \cdot 1_D^\top"]),
    "(26)": (
        FUNCTIONS["softmax_jacobian"],
        [r"s = \text{stable-softmax}(x)", r"\text{softmax-jacobian}(x) = \text{Diag}(s) - s^\top \cdot s"],
    ),
    "(27)": (FUNCTIONS["log_softmax_jacobian"], [r"\text{log-softmax-jacobian}(x) = \mathbb{I}_D - 1_D \cdot \text{stable-softmax}(x)"]),
}
