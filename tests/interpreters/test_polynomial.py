import pytest
from hypothesis import given
from hypothesis import strategies as st

from nerva_core.algebra.errors import NervaError
from nerva_core.interpreters.polynomial import Polynomial, size

N, D, K = size("N"), size("D"), size("K")


@pytest.mark.parametrize(
    ("polynomial", "text"),
    [
        (4 * N * D * K + N * K, "4NDK + NK"),
        (N * K + 2 * N * N * K, "2N²K + NK"),
        (K * D * N - N, "NDK - N"),
        (-N + 3, "-N + 3"),
        (2 - N, "-N + 2"),
        (N - N, "0"),
        (Polynomial.of(7), "7"),
        (size("H") * N, "NH"),
        (N * 0 + 1, "1"),
    ],
)
def test_text(polynomial, text):
    assert str(polynomial) == text


def polynomials():
    size_ = st.sampled_from([N, D, K, Polynomial.of(1), Polynomial.of(-2)])
    return st.recursive(size_, lambda p: st.builds(lambda a, b, plus: a + b if plus else a * b, p, p, st.booleans()), max_leaves=6)


@given(polynomials(), polynomials(), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_polynomial_is_a_function_of_its_sizes(p, q, n, d, k):
    sizes = {"N": n, "D": d, "K": k}
    assert (p + q)(**sizes) == p(**sizes) + q(**sizes)
    assert (p * q)(**sizes) == p(**sizes) * q(**sizes)
    assert (p - q)(**sizes) == p(**sizes) - q(**sizes)
    assert (p == q) == (str(p) == str(q))


def test_constants_equal_numbers():
    assert Polynomial.of(3) == 3
    assert hash(Polynomial.of(3)) == hash(3)
    assert N != 1
    assert N * D == D * N
    assert len({N * D, D * N, N}) == 2


def test_a_size_is_not_a_number():
    with pytest.raises(NervaError, match=r"the size N is not a number: use it in ops\.scale"):
        _ = 1 / N
