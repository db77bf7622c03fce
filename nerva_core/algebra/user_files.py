"""Python files of the user's own, with layers, activations and other entries of the tables."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from nerva_core.algebra.errors import NervaError, did_you_mean, not_there
from nerva_core.algebra.registry import Entry, Table


def load_file(path: Path) -> ModuleType:
    """Run the file, once, and give its module; what it adds to the tables is then known by name. NervaError if it cannot be run."""
    return _load(path.resolve())


@cache
def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise NervaError(f"there is no file {path}" if path.exists() else not_there(path))
    spec = importlib.util.spec_from_file_location(f"nerva_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise NervaError(f"{path} is not a Python file; its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.insert(0, str(path.parent))  # as if the file were run: it may import its neighbours
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise NervaError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def own_entry(name: str) -> str:
    """``MyLayer(2)`` for ``my_layer.py:MyLayer(2)``, whose class is then known by its name; any other name as it is.

    NervaError if the file has no such class, or if it is of none of the kinds that have a table.
    """
    return own_description(name)[1] if ".py:" in name else name


def own_description(name: str) -> tuple[Table[Any], str]:
    """The table of the kind of ``my_layer.py:MyLayer(2)``, to which the class is added, and ``MyLayer(2)``. NervaError as above."""
    path, _, description = name.rpartition(".py:")
    module, class_name = load_file(Path(f"{path}.py")), description.partition("(")[0].strip()
    entry = getattr(module, class_name, None)
    table = next((table for base, table in Table.of.items() if isinstance(entry, type) and issubclass(entry, base)), None)
    if table is None or entry is None:
        own = [x for x in vars(module).values() if isinstance(x, type) and x.__module__ == module.__name__]
        kinds = [x.__name__ for x in own if issubclass(x, Entry)]
        raise NervaError(f"{path}.py has no class {class_name!r}; {did_you_mean(class_name, kinds) if kinds else 'it has none'}")
    table.add(entry)
    return table, description
