import numpy as np

from sympy_validation.all_sizes.symbols import Size
from sympy_validation.foreign.run import Current


def test_a_fixed_map_is_one_variable_for_each_pair_of_sizes() -> None:
    run = Current.start()
    a, b = (run.fixed_map("from1", Size("T-1"), Size(name), lambda number, m, n: np.eye(m, n, k=1)) for name in ("T", "S"))
    assert a != b
    assert a.fixed
    assert set(run.fixed.maps[0]) == {a.name, b.name}
    assert Current.start() is not run
