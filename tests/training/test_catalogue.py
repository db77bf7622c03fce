from nerva_core.algebra.registry import Table
from nerva_core.equations.optimizers import Momentum
from nerva_core.layers import LAYERS, Linear
from nerva_core.training.catalogue import TABLES, description, signature


def test_every_table_is_listed() -> None:
    ours = {table for base, table in Table.of.items() if base.__module__.startswith("nerva_core.")}  # and not those of other tests
    assert set(TABLES.values()) == ours


def test_signatures_show_parameters_and_defaults() -> None:
    assert signature(Momentum) == "Momentum(mu=0.9)"
    assert signature(Linear) == "Linear(outputs, weights=NormalizedXavier(), bias=Zero())"


def test_every_entry_is_documented() -> None:
    for table in TABLES.values():
        for entry in table:
            assert (entry.__doc__ or "").strip(), entry
            assert not (entry.__doc__ or "").startswith(entry.__name__ + "("), f"{entry.__name__} has only the docstring of a dataclass"


def test_a_description_is_the_first_sentence() -> None:
    assert description(Momentum)
    assert description(LAYERS.lookup("LayerNorm")).endswith("(Ba et al. 2016)")
    for table in TABLES.values():
        for entry in table:
            line = description(entry)
            assert line, entry
            assert "\n" not in line
            assert line.count("(") <= line.count(")"), line
