import pytest

from nerva_core.algebra.errors import NervaError
from sympy_validation.foreign.grammar import other_orders, parse


def test_every_kind_of_input() -> None:
    found = parse("x: B T (3 H A), w: 2D, y: B in K, m: T T bool, c: T const, s > 0: N, eps=1e-5, H: size, mode='a', T=1..3 -> B T")
    x, w, y, m, c, s, eps, h, mode = found.inputs
    assert x.axes == (("B",), ("T",), ("3", "H", "A"))
    assert [str(f) for f in w.dims({})[0]] == ["2", "D"]
    assert y.below == "K"
    assert m.mask
    assert c.const
    assert s.positive
    assert (eps.value, mode.value) == (1e-5, "a")
    assert h.size
    assert [i.name for i in found.inputs if i.differentiable] == ["x", "w", "s"]
    assert found.numbers == {"T": (1, 2, 3)}
    assert found.outputs == ((("B",), ("T",)),)
    assert found.sizes() == ["A", "B", "D", "H", "K", "N", "T"]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "y: N in K",
        "x: N D, x: N",
        "x: 784 10",
        "x: N D, eps=1e-5+2",
        "x: N, Q=1..3",
        "x y: N",
        "x: N-1",
        "x: N, N=3..1",
        "x: N, mode=SUM",
    ],
)
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(NervaError):
        parse(words)


def test_a_size_may_have_another_name_than_the_parameter() -> None:
    _, heads = parse("x: B T (H A), heads=H").inputs
    assert (heads.name, heads.size) == ("heads", "H")
    assert not heads.differentiable


def test_a_size_may_be_a_small_letter_and_a_text_is_none() -> None:
    _, heads = parse("x: B T (n a), heads=n").inputs
    assert (heads.name, heads.size) == ("heads", "n")
    for words in ("x: N D, mode=mean", "x: N D, mode=m"):
        with pytest.raises(NervaError, match="a text stands in quotes: mode='m"):
            parse(words)


def test_other_orders_of_factors_have_the_same_lengths() -> None:
    signature = parse("x: N (2 H), w: (2 H), b: 2H")
    found = list(other_orders(signature))
    assert [tuple(x.axes[-1] for x in other.inputs) for other in found] == [(("H", "2"),) * 3]
    assert not list(other_orders(parse("x: N D")))
