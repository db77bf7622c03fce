import pytest

from nerva_core.interpreters.description import describe
from nerva_core.interpreters.subjects import FUNCTIONS, TABLES

COUNTS = "Operations on numbers (a product of matrices is 2mnk, an elementwise function or a sum mn)"


def test_the_linear_layer():
    assert describe("linear") == {
        "Linear (layer)": "Y = X · Wᵀ + 1_N · b.",
        "Forward": "  Y = X · Wᵀ + 1_N · b",
        "Backward": "  DW = DYᵀ · X\n  Db = 1_Nᵀ · DY\n  DX = DY · W",
        "Shapes": "  N × D      X, DX\n  K × D      W, DW\n  1 × K      b, Db\n  N × K      DY, Y",
        COUNTS: "  forward    2NDK + NK\n  backward   4NDK + NK",
        "Source": describe("Linear")["Source"],
    }
    assert "The linear layer (Nerva specification, section 4)." in describe("Linear")["Source"]
    assert "nerva_core.layers.linear.Linear, line " in describe("Linear")["Source"]


def test_in_latex():
    assert describe("Linear", latex=True)["Backward"] == (
        "\\begin{align*}\n  DW &= DY^{\\top} \\cdot X \\\\\n  Db &= 1_{N}^{\\top} \\cdot DY \\\\\n  DX &= DY \\cdot W\n\\end{align*}"
    )


def test_hyper_parameters_say_whether_they_are_given():
    assert "alpha = 0.01 by default" in describe("LeakyReLU")["Source"]
    assert "alpha = 0.1\n" in describe("LeakyReLU(alpha=0.1)")["Source"]


def test_the_other_thing_of_that_name_is_mentioned():
    assert describe("SReLU")["SReLU (layer)"].endswith("There is also the activation SReLU.")


def test_optimizers_have_one_part():
    assert list(describe("Momentum")) == ["Momentum (optimizer)", "Update", "Shapes", COUNTS, "Source"]


def test_numbers_that_are_given_may_be_powers_of_a_step():
    assert "0.9^t" in describe("WeightDecay(Adam)")["Update"]


def test_schedules_are_their_docstrings():
    sections = describe("StepBased")
    assert list(sections) == ["StepBased (schedule)", "Source"]
    assert sections["StepBased (schedule)"].startswith("η_i = η_0 d^⌊(1+i)/r⌋")


@pytest.mark.parametrize("name", [name for table in TABLES for name in table.entries] + list(FUNCTIONS))
@pytest.mark.parametrize("latex", [False, True])
def test_everything_can_be_described(name, latex):
    assert all(describe(name, latex).values())
