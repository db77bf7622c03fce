import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.data import SOURCES


def test_data_of_a_program_cannot_be_read_again() -> None:
    with pytest.raises(NervaError, match="were given in Python"):
        SOURCES.parse("InMemory").load()
