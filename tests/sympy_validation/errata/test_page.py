"""``docs/errata.md`` says what the theorems say."""

from __future__ import annotations

from pathlib import Path

from sympy_validation.errata import page as errata_page

ROOT = Path(__file__).parents[3]


def test_the_errata_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "errata.md").read_text(encoding="utf-8") == errata_page.errata_page()
