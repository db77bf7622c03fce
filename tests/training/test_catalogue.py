from nerva_core.algebra.registry import Table
from nerva_core.equations.optimizers import Momentum
from nerva_core.layers import Linear
from nerva_core.training.catalogue import TABLES, signature


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
