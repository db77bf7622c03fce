"""The page of the zoo of wrong gradients: each refuted and, beside it, the right form proved, when the page is made."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from docs.generator.markdown import cell, table


@dataclass(frozen=True)
class Specimen:
    """A wrong gradient, the right one, and where the wrong one was seen."""

    file: str
    wrong: str
    right: str
    shapes: str
    mistake: str
    source: str = ""
    """The repository and the number of its issue; empty where it is a common mistake of nobody in particular."""
    initial: tuple[str, ...] = ()
    """The inputs that are 1 in a fresh network, as tests have them."""


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
        ("g",),
    ),
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_mean_twice",
        "batch_norm",
        BATCH_NORM,
        "a second mean is subtracted",
        "apache/mxnet#1053",
        ("g",),
    ),
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_scale_by_root",
        "batch_norm",
        BATCH_NORM,
        "printed: times √(σ² + ε), not over it",
        "tensorflow/tensorflow#14676",
        ("g",),
    ),
    Specimen(
        "numpy_zoo",
        "batch_norm/batch_norm_constant_statistics",
        "batch_norm",
        BATCH_NORM,
        "the mean and the variance as constants",
        "facebookresearch/CrypTen#143",
        ("g",),
    ),
    Specimen(
        "numpy_zoo", "dense/dense_mean_of_bias", "dense", "x: N D, w: D K, b: K", "the mean in the place of the sum", "kvfrans/notes#5"
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
    Specimen("numpy_zoo", "softmax/softmax_diagonal", "softmax", "x: N D", "only the diagonal of the Jacobian", "wkcn/mobula#3"),
    Specimen("numpy_zoo", "softmax/softmax_copied", "softmax", "x: N D", "handed on as it is", "pjreddie/darknet#96"),
    Specimen(
        "numpy_zoo",
        "elu/elu_value_as_slope",
        "elu",
        "x: N D, alpha: const",
        "the value in the place of the slope",
        "eriklindernoren/ML-From-Scratch#73",
    ),
    Specimen("numpy_zoo", "softplus/softplus_by_minus", "softplus", "x: N D", "the slope mirrored", "NVlabs/tiny-cuda-nn#130"),
    Specimen(
        "numpy_zoo",
        "sequence_norm/sequence_norm_two_axes",
        "sequence_norm",
        SEQUENCE,
        "a row taken for all that follows the batch",
        "flagos-ai/FlagGems#5392",
        ("w",),
    ),
    Specimen(
        "numpy_zoo", "sequence_norm/sequence_norm_without_mean", "sequence_norm", SEQUENCE, "a mean is left out", "openxla/xla#8225", ("w",)
    ),
    Specimen(
        "numpy_zoo",
        "embed/embed_last_wins",
        "embed",
        "table: V D, ids: N T in V",
        "of equal indices one is added",
        "NVIDIA/cudnn-frontend#385",
    ),
    Specimen(
        "numpy_zoo",
        "conv/conv_last_sample_only",
        "conv",
        "x: N C T, w: F C 3",
        "of the samples of a batch the last counts",
        "LBANN/lbann#1022",
    ),
    Specimen(
        "numpy_zoo", "two_branches/two_branches_overwritten", "two_branches", "x: N D", "assigned, not added", "PaddlePaddle/Paddle#1805"
    ),
    Specimen(
        "numpy_zoo",
        "lstm_step/lstm_step_cell_forgotten",
        "lstm_step",
        "x: N D, h: N H, c: N H, wx: D (4 H), wh: H (4 H), b: (4 H)",
        "the cell's own gradient dropped",
        "apache/mxnet#4057",
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
    ),
    Specimen(
        "numpy_zoo", "rms_norm/rms_norm_constant", "rms_norm", "x: N D, g: D", "the root as a constant", "ooples/AiDotNet#695", ("g",)
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
        "linkedin/Liger-Kernel#1298",
    ),
    Specimen(
        "torch_zoo",
        "BinaryCrossEntropyNoMean",
        "BinaryCrossEntropy",
        "p > 0: N D, y: N D const",
        "not divided by the batch",
        "fetchai/ledger#1580",
    ),
    Specimen("torch_zoo", "FocalWeightConstant", "FocalWeight", "x: N", "the modulating factor as a constant", "GuoxiaWang/DOOBNet#6"),
    Specimen(
        "torch_zoo",
        "HuberUpstreamIgnored",
        "Huber",
        "x: N D, t: N D, delta=1.0",
        "the upstream gradient is ignored",
        "chainer/chainer#1175",
    ),
    Specimen(
        "torch_zoo",
        "AttentionKeysNotTransposed",
        "Attention",
        ATTENTION,
        "printed in FlashAttention-2: dK = Q dSᵀ, which is dSᵀ Q",
        "Dao-AILab/flash-attention#373",
    ),
    Specimen(
        "torch_zoo", "LinearAttentionScaleLost", "LinearAttention", ATTENTION, "the scale is lost", "fla-org/flash-linear-attention#47"
    ),
    Specimen("torch_zoo", "GeluTanhInnerForgotten", "GeluTanh", "x: N D", "a term of the chain rule is missing", "sony/nnabla#690"),
    Specimen(
        "torch_zoo", "AffineNormFrozen", "AffineNorm", "x: B T C, weight: C, bias: C", "no gradient for γ and β", "paiml/aprender#2196"
    ),
    Specimen(
        "torch_zoo", "DropoutScaledByRate", "Dropout", "x: N D, mask: N D bool, p: const", "times p, not over 1 - p", "NVIDIA/apex#816"
    ),
    Specimen(
        "torch_zoo", "DropoutMaskForgotten", "Dropout", "x: N D, mask: N D bool, p: const", "the mask is left out", "ddbourgin/numpy-ml#94"
    ),
    Specimen("jax_zoo", "sine_times_wrong", "sine_times", "x: N, y: N", "a sign, in a tutorial", "jax-ml/jax#3213"),
    Specimen("jax_zoo", "log_softmax_as_softmax", "log_softmax", "x: N D", "the sum of softmax", "uxlfoundation/oneDNN#616"),
)

REPORTED = (
    ("numpy_zoo", "batch_norm/batch_norm_by_projection", BATCH_NORM, "BVLC/caffe#3912", "the mean subtracted last"),
    ("torch_zoo", "Attention", ATTENTION, "huggingface/picotron#37", "Σ dO ⊙ O in the place of Σ dP ⊙ P, of the whole output"),
    ("numpy_zoo", "batch_norm/mean_delta_simplified", BATCH_NORM, "pjreddie/darknet#29", "a term of the paper left out"),
)
"""Reported as wrong, and right."""

HEAD = """\
# The zoo of wrong gradients

Backward passes that were wrong somewhere, each written anew in a few lines in the style of its framework, and refuted by `nerva prove`
when this page was made; the right form beside each was proved for all sizes. The code is in `examples/zoo`. The link leads to the report;
the lines here are a model of the mistake and not the code of the project, and a likely form of it where the report does not tell it.

The last column was measured too: would a test have seen it that sums the output, as many do, with the weights of a fresh network, and
compares with a difference quotient to one part in a hundred? (The tests of the projects themselves could not be run here.)

"""


def link(source: str) -> str:
    """The issue as a link."""
    repository, _, number = source.partition("#")
    return f"[{source}](https://github.com/{repository}/issues/{number})" if source else "a common mistake"


def row(root: Path, s: Specimen) -> list[str]:
    """The verdicts on a specimen as a row of the table."""
    from nerva_core.algebra.user_files import load_file
    from sympy_validation.foreign.gradient_verdict import Rung
    from sympy_validation.foreign.verdicts import decide
    from sympy_validation.foreign.weak_tests import seen_by_a_sum

    module = load_file(root / "examples" / "zoo" / f"{s.file}.py")
    started = time.process_time()
    wrong = decide(module, s.wrong, s.shapes)
    seconds, right = time.process_time() - started, decide(module, s.right, s.shapes, repair=False)
    assert wrong.rung is Rung.REFUTED, f"{s.wrong}: {wrong.words}"
    assert right.rung is Rung.PROVED, f"{s.right}: {right.words}"
    seen = "yes" if seen_by_a_sum(module, s.wrong, s.shapes, s.initial) else "**no**"
    name = s.wrong.rpartition("/")[2]
    found = str(wrong.counterexample) if wrong.counterexample else wrong.reason
    return [f"`{name}`", cell(s.mistake), link(s.source), cell(found), cell(wrong.advice or "-"), f"{seconds:.1f} s", seen]


def zoo_page(root: Path) -> str:
    """The table of the specimens."""
    from nerva_core.algebra.user_files import load_file
    from sympy_validation.foreign.verdicts import Rung, decide

    rows = [row(root, s) for s in SPECIMENS]
    text = HEAD + table(["code", "mistake", "seen in", "refuted by", "repair that was found", "time", "a test by a sum sees it"], rows)
    text += "\n\n## Reported as wrong, and right\n\nFormulas that were reported as mistakes are proved for all sizes.\n\n"
    proved = []
    for file, name, shapes, source, words in REPORTED:
        verdict = decide(load_file(root / "examples" / "zoo" / f"{file}.py"), name, shapes)
        assert verdict.rung is Rung.PROVED, f"{name}: {verdict.words}"
        proved.append([f"`{name.rpartition('/')[2]}`", cell(words), link(source), verdict.words])
    return text + table(["code", "what was reported", "where", "verdict"], proved) + "\n"


def write_page() -> None:
    """Make ``docs/zoo.md`` anew: about two minutes, so the site takes the page that was made last."""
    root = Path(__file__).parents[2]
    (root / "docs" / "zoo.md").write_text(zoo_page(root), encoding="utf-8")


if __name__ == "__main__":
    write_page()
