"""The specimens of the zoo: wrong gradients with the right ones, where each was seen, and the test that did not show it."""

from __future__ import annotations

from dataclasses import dataclass

from sympy_validation.foreign.weak_tests import WeakTest, usual


@dataclass(frozen=True)
class Specimen:
    """A wrong gradient, the right one, and where the wrong one was seen."""

    file: str
    wrong: str
    right: str
    shapes: str
    mistake: str
    source: str = ""
    """The repository and the number of its issue or pull request; empty where it is a common mistake of nobody in particular."""
    test: WeakTest | str = usual()
    """The project's own test, as data; or why there was none."""


BATCH_NORM = "x: N D, g: D, b: D"
SEQUENCE = "x: B T C, w: C, b: C"
ATTENTION = "q: B T A, k: B T A, v: B T A"
SPECIMENS = (
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_without_scale",
        "batch_norm",
        BATCH_NORM,
        "γ is left out of dx",
        "denizyuret/Knet.jl#288",
        WeakTest("`test/batchnorm.jl`: ten rows of five, γ = 1, to one part in ten", {"N": 10, "D": 5}, ones=("g",), rtol=0.1, atol=0.0),
    ),
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_mean_twice",
        "batch_norm",
        BATCH_NORM,
        "a second mean is subtracted",
        "apache/mxnet#1053",
        "none: the first was written after the report (apache/mxnet#1061)",
    ),
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_scale_by_root",
        "batch_norm",
        BATCH_NORM,
        "printed: times √(σ² + ε), not over it",
        "tensorflow/tensorflow#14676",
        "none: a formula of the documentation",
    ),
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_constant_statistics",
        "batch_norm",
        BATCH_NORM,
        "the mean and the variance as constants",
        "facebookresearch/CrypTen#143",
        "none of training: it did not hand over the flag, says the report",
    ),
    Specimen(
        "numpy_zoo",
        "dense/dense_mean_of_bias",
        "dense",
        "x: N D, w: D K, b: K",
        "the mean in the place of the sum",
        "kvfrans/notes#5",
        "none: lecture notes",
    ),
    Specimen("numpy_zoo", "gram/gram_once", "gram", "x: N D", "x xᵀ differentiated by one of its factors", "NervanaSystems/neon#169"),
    Specimen(
        "numpy_zoo",
        "bias_add/bias_add_of_channels_first",
        "bias_add",
        "x: N H W C, b: C",
        "summed over the axes of another layout",
        "deeplearning4j/deeplearning4j#8280",
    ),
    Specimen(
        "numpy_zoo",
        "softmax/softmax_diagonal",
        "softmax",
        "x: N D",
        "only the diagonal of the Jacobian",
        "wkcn/mobula#3",
        "none: `tests/test_layers/test_softmax.py` called the backward pass and compared nothing",
    ),
    Specimen("numpy_zoo", "softmax/softmax_copied", "softmax", "x: N D", "handed on as it is", "pjreddie/darknet#96"),
    Specimen(
        "numpy_zoo",
        "elu/elu_value_as_slope",
        "elu",
        "x: N D, alpha: const",
        "the value in the place of the slope",
        "eriklindernoren/ML-From-Scratch#73",
        "none in the repository",
    ),
    Specimen(
        "numpy_zoo",
        "softplus/softplus_by_minus",
        "softplus",
        "x: N D",
        "the slope mirrored",
        "NVlabs/tiny-cuda-nn#130",
        "none of its activations",
    ),
    Specimen(
        "numpy_zoo",
        "sequence_norm/sequence_norm_two_axes",
        "sequence_norm",
        SEQUENCE,
        "a row taken for all that follows the batch",
        "flagos-ai/FlagGems#5392",
        WeakTest("`tests/test_norm_ops.py`: matrices only", {"B": 20, "T": 1, "C": 36}, rtol=1e-4, atol=1e-4),
    ),
    Specimen(
        "numpy_zoo",
        "sequence_norm/sequence_norm_without_mean",
        "sequence_norm",
        SEQUENCE,
        "a mean is left out",
        "openxla/xla#8225",
        usual(("w",)),
    ),
    Specimen(
        "numpy_zoo",
        "sequence_norm/sequence_norm_mean_twice",
        "sequence_norm",
        SEQUENCE,
        "the mean is subtracted twice",
        "tenstorrent/tt-metal#53215",
        WeakTest("compared with PyTorch, to 0.5", {"B": 2, "T": 4, "C": 64}, rtol=0.0, atol=0.5),
    ),
    Specimen(
        "numpy_zoo",
        "embed/embed_last_wins",
        "embed",
        "table: V D, ids: N T in V",
        "of equal indices one is added",
        "PaddlePaddle/Paddle#17662",
    ),
    Specimen("numpy_zoo", "conv/conv_last_sample_only", "conv", "x: N C T, w: F C 3", "of the samples of a batch the last counts", ""),
    Specimen(
        "numpy_zoo",
        "two_branches/two_branches_overwritten",
        "two_branches",
        "x: N D",
        "assigned where it should be added",
        "apache/mxnet#18499",
    ),
    Specimen(
        "numpy_zoo",
        "lstm_step/lstm_step_cell_forgotten",
        "lstm_step",
        "x: N D, h: N H, c: N H, wx: D (4 H), wh: H (4 H), b: (4 H)",
        "the cell's own gradient dropped",
        "",
    ),
    Specimen(
        "numpy_zoo",
        "pre_norm/pre_norm_added_before",
        "pre_norm",
        "x: N D, residual: N D",
        "the residual's gradient is added before the norm",
        "Dao-AILab/quack#53",
    ),
    Specimen(
        "numpy_zoo",
        "rotary/rotary_turned_before",
        "rotary",
        "x: N (2 A), cos: N (2 A) const, sin: N (2 A) const",
        "the halves turned before the sines are multiplied",
        "PaddlePaddle/Paddle#74716",
        WeakTest("its unit test: the halves of the sines are equal, says the correction", halves=("cos", "sin"), rtol=1e-5, atol=1e-5),
    ),
    Specimen(
        "numpy_zoo",
        "rms_norm/rms_norm_constant",
        "rms_norm",
        "x: N D, g: D",
        "the root as a constant",
        "ooples/AiDotNet#695",
        usual(("g",)),
    ),
    Specimen(
        "numpy_zoo", "modified_huber/modified_huber_half", "modified_huber", "d: N", "a factor 2 in one branch", "stdlib-js/stdlib#13111"
    ),
    Specimen(
        "torch_zoo",
        "CrossEntropySumByBatch",
        "CrossEntropySum",
        "logits: N K, target: N in K",
        "a sum, divided by the batch",
        "paiml/aprender#2182",
    ),
    Specimen(
        "torch_zoo",
        "CrossEntropyFirstToken",
        "CrossEntropyPerToken",
        "logits: N K, target: N in K",
        "all weighted as the first",
        "linkedin/Liger-Kernel#678",
    ),
    Specimen("torch_zoo", "BinaryCrossEntropyNoMean", "BinaryCrossEntropy", "p > 0: N D, y: N D const", "not divided by the batch", ""),
    Specimen("torch_zoo", "FocalWeightConstant", "FocalWeight", "x: N", "the modulating factor as a constant", "GuoxiaWang/DOOBNet#6"),
    Specimen(
        "torch_zoo",
        "HuberUpstreamIgnored",
        "Huber",
        "x: N D, t: N D, delta=1.0",
        "the upstream gradient is ignored",
        "chainer/chainer#1175",
        WeakTest("`test_huber_loss.py`: the gradient of the output is 1 (until chainer/chainer#1178)", of_sum=True, rtol=1e-4, atol=1e-5),
    ),
    Specimen(
        "torch_zoo",
        "AttentionKeysNotTransposed",
        "Attention",
        ATTENTION,
        "printed in FlashAttention-2: dK = Q dSᵀ, which is dSᵀ Q",
        "Dao-AILab/flash-attention#373",
        "none: an equation of a paper",
    ),
    Specimen(
        "torch_zoo",
        "LinearAttentionScaleLost",
        "LinearAttention",
        ATTENTION,
        "the scale is lost",
        "fla-org/flash-linear-attention#47",
        WeakTest("at the scale 1, at which it agrees, says the report", {"A": 1}, rtol=1e-3, atol=1e-3),
    ),
    Specimen("torch_zoo", "GeluTanhInnerForgotten", "GeluTanh", "x: N D", "a term of the chain rule is missing", "sony/nnabla#690"),
    Specimen(
        "torch_zoo",
        "AffineNormFrozen",
        "AffineNorm",
        "x: B T C, weight: C, bias: C",
        "no gradient at all, and no message",
        "huggingface/candle#3613",
        "none: the first came with the correction",
    ),
    Specimen(
        "torch_zoo",
        "DropoutScaledByRate",
        "Dropout",
        "x: N D, mask: N D bool, p: const",
        "times p, not over 1 - p",
        "NVIDIA/apex#816",
        "none with dropout: its tests of attention set the rate to 0",
    ),
    Specimen(
        "torch_zoo", "DropoutMaskForgotten", "Dropout", "x: N D, mask: N D bool, p: const", "the mask is left out", "ddbourgin/numpy-ml#94"
    ),
    Specimen("jax_zoo", "sine_times_wrong", "sine_times", "x: N, y: N", "a sign, in a tutorial", "jax-ml/jax#3213", "none: documentation"),
    Specimen("jax_zoo", "log_softmax_as_softmax", "log_softmax", "x: N D", "the sum of softmax", "uxlfoundation/oneDNN#616"),
    Specimen(
        "paper_zoo",
        "attention_weights_inverted/attention_weights_backward",
        "attention_weights",
        "s1: N M, s2: N P, v1: M A, v2: P A",
        "printed in Algorithm 1 of FlashAttention-2: diag(exp(m - m'))⁻¹ O, where it is not inverted",
        "Dao-AILab/flash-attention#991",
        "none: an equation of a paper",
    ),
    Specimen(
        "paper_zoo",
        "softmax_times_denominators/softmax_times_backward",
        "softmax_times",
        "s: N M, v: M A",
        "printed in Appendix C of FlashAttention: diag(l), where it is diag(l)⁻¹; the authors agreed",
        "Dao-AILab/flash-attention#273",
        "none: an equation of a paper",
    ),
)

REPORTED = (
    ("numpy_zoo", "batch_norm/batch_norm_by_projection", BATCH_NORM, "BVLC/caffe#3912", "the mean subtracted last"),
    ("torch_zoo", "Attention", ATTENTION, "huggingface/picotron#37", "Σ dO ⊙ O in the place of Σ dP ⊙ P, of the whole output"),
    ("numpy_zoo", "batch_norm/mean_delta_simplified", BATCH_NORM, "pjreddie/darknet#29", "a term of the paper left out"),
)
"""Reported as wrong, and right."""
