import pytest

from sympy_validation.errata.page import numbered
from sympy_validation.errata.remarks import REMARKS, Remark


@pytest.mark.parametrize("remark", REMARKS, ids=lambda remark: remark.number)
def test_what_is_shown_is_so(remark: Remark) -> None:
    assert remark.shows is None or remark.shows()


def test_every_erratum_stands_once_on_the_page() -> None:
    numbers = [*(item.number for item in numbered()), *(remark.number for remark in REMARKS)]
    assert len(numbers) == len(set(numbers))
    wanted = "000-08 001-52 002-04 002-05 002-06 002-07 002-08 004-05 004-06 004-07 004-08 "
    wanted += " ".join(f"003-{n:02}" for n in (1, 2, 4, *range(7, 15), 16, 17, 18, 20, *range(23, 28), 31, 33, 34, 35))
    assert set(wanted.split()) <= set(numbers)
