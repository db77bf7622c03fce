"""Requests for proofs: from the command line, or from the table ``[tool.nerva.prove]`` of a pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from sympy_validation.foreign.gradient_verdict import GradientVerdict
from sympy_validation.foreign.verdicts import decide
from sympy_validation.limits import Limits


@dataclass(frozen=True)
class Request:
    """One function with the shapes of its inputs."""

    path: Path
    name: str
    shapes: str
    different: str = ""
    """Why the backward pass is not to be the gradient, if that is meant."""

    @property
    def label(self) -> str:
        """The function as it is asked for."""
        return f"{self.path.name}:{self.name}"

    def verdict(self, limits: Limits | None = None) -> GradientVerdict:
        """What is said of it."""
        return decide(load_file(self.path), self.name, self.shapes, expected=self.different, limits=limits)


def request(target: str, shapes: str, different: str = "", folder: Path = Path()) -> Request:
    """A request from FILE.py:NAME and the shapes; NervaError for another form."""
    path, found, name = target.rpartition(".py:")
    if not (found and name):
        raise NervaError(f"with shapes, say which function of which file: FILE.py:NAME, got {target!r}")
    return Request(folder / f"{path}.py", name, shapes, different)


def from_table(path: Path) -> list[Request]:
    """The requests of a pyproject.toml; NervaError if they are not of the form that they should have."""
    try:
        document: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise NervaError(f"{path} cannot be read: {error}") from error
    table = document.get("tool", {}).get("nerva", {}).get("prove", {})
    if not table:
        raise NervaError(f'{path} has no table [tool.nerva.prove]; write, for instance: "my_file.py:my_function" = "x: N D, w: D K"')
    return [_entry(target, value, path) for target, value in table.items()]


def _entry(target: str, value: Any, path: Path) -> Request:
    if isinstance(value, str):
        return request(target, value, "", path.parent)
    known = {"shapes", "expect", "reason"}
    if not (isinstance(value, dict) and isinstance(value.get("shapes"), str) and value.keys() <= known):
        raise NervaError(f"{path.name}: {target} has either the shapes as a text, or the keys {', '.join(sorted(known))}")
    if value.get("expect", "proved") not in ("proved", "different"):
        raise NervaError(f"{path.name}: expect of {target} is proved or different, got {value['expect']!r}")
    different = value.get("expect") == "different"
    if different != bool(value.get("reason")):
        raise NervaError(f'{path.name}: {target} needs a reason with expect = "different", and only then')
    return request(target, value["shapes"], value.get("reason", ""), path.parent)


def requests(names: Iterable[str], shapes: str, different: str) -> list[Request]:
    """What the command line asks for."""
    found = []
    for name in names:
        found += from_table(Path(name)) if name.endswith(".toml") else [request(name, shapes, different)]
    return found
