from pathlib import Path

import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.reproductions.files import Order, read_order, write, write_order
from tests.reproductions.test_report import report


def test_files(tmp_path: Path) -> None:
    write([report()], tmp_path)
    assert (tmp_path / "figures" / "curve.png").read_bytes() == b"PNG"
    assert (tmp_path / "configurations" / "kind-1-one.toml").read_text() == "seed = 0\n"
    assert (tmp_path / "report.md").exists()
    assert "<h1>Title one</h1>" in (tmp_path / "report.html").read_text()
    write([report("one"), report("two")], tmp_path / "..")
    for target in ("one/figures/curve.png", "two/configurations/kind-1-one.toml"):
        assert (tmp_path / ".." / target).exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NervaError, match="cannot make the directory"):
        write([report()], tmp_path / "file")


def test_an_order_is_read_as_it_was_written(tmp_path: Path) -> None:
    order = Order("dab", "full", "numpy", None, "0,1", 0.5)
    write_order(order, tmp_path)
    assert read_order(tmp_path) == order


@pytest.mark.parametrize(
    "text", ["[", "[]", '{"name": "x"}', '{"name":"x","budget":"huge","backend":null,"data":null,"seeds":null,"fraction":null}']
)
def test_a_damaged_order_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "order.json").write_text(text)
    with pytest.raises(NervaError, match="damaged"):
        read_order(tmp_path)
