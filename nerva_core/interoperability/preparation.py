"""The preparation of a table as Python source that needs nothing else."""

from __future__ import annotations

import pprint
from collections.abc import Sequence

from nerva_core.data.preparation import Column

TEMPLATE = '''\
"""The inputs of the network in model.py, from rows of a table. Written by nerva."""

COLUMNS = {columns}


def prepare(rows):
    """A list with the inputs of each row, a dictionary with a value, or None, for the name of each column."""
    return [[x for column in COLUMNS for x in _inputs(column, row.get(column["name"]))] for row in rows]


def _inputs(column, value):
    missing = value is None or value == "" or value != value
    if column["categories"]:
        inputs = [float(value == category) for category in column["categories"]]
    else:
        inputs = [column["fill"] if missing else float(value)]
    return inputs + [float(missing)] * column["indicator"]
'''


def preparation_source(columns: Sequence[Column]) -> str:
    """The module ``prepare.py``."""
    return TEMPLATE.format(columns=pprint.pformat([column.as_table() for column in columns], width=120, sort_dicts=False))
