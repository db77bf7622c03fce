import pytest

from sympy_validation.errata.page import numbered
from sympy_validation.errata.remarks import REMARKS, Remark


@pytest.mark.parametrize("remark", REMARKS, ids=lambda remark: remark.number)
def test_what_is_shown_is_so(remark: Remark) -> None:
    assert remark.shows is None or remark.shows()


def test_every_erratum_stands_once_on_the_page() -> None:
    numbers = [*(item.number for item in numbered()), *(remark.number for remark in REMARKS)]
    assert len(numbers) == len(set(numbers))
    wanted = "001-52 003-02 003-04 003-09 003-10 003-12 003-20 003-31 003-33 004-05 004-06 004-07 004-08"
    assert set(wanted.split()) <= set(numbers)
