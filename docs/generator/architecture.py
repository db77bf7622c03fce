"""The page of the architecture: which folder may use which, with one sentence each, read from the code."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from docs.generator.markdown import cell, table

LEVELS = (
    "algebra",
    "equations",
    "layers",
    "data",
    "theory",
    "interpreters",
    "figures",
    "training",
    "estimators",
    "inspection",
    "comparison",
    "interoperability",
    "benchmark",
    "reproductions",
    "commands",
)
"""The folders of nerva_core from below to above: each imports only those that stand before it. ``cli.py`` is above all of them."""

BESIDE: dict[str, frozenset[str]] = {
    "backends": frozenset({"algebra", "interpreters"}),
    "sympy_validation": frozenset({"algebra", "equations", "layers", "theory", "interpreters", "figures", "training", "backends"}),
}
"""The packages beside nerva_core, and what they import; the proofs end with numbers, on NumPy. Only the command knows them."""

HEAD = """\
# Architecture

One algebra, many interpreters: every equation is written once, in the words of `MatrixOps`, and each folder below either writes equations
or reads them. A folder uses only those above it in the table; a test holds the code to that, imports inside functions included, and the
table is made from the code.

"""


def architecture_page(root: Path) -> str:
    """The table of folders."""
    used = imports_of_folders(root)
    rows = [[f"`nerva_core/{name}/`", cell(sentence(root / "nerva_core" / name)), _listed(used[name], LEVELS)] for name in LEVELS]
    for name in BESIDE:
        rows.append([f"`{name}/`", cell(sentence(root / name)), _listed(used[name], (*LEVELS, *BESIDE))])
    return HEAD + table(["folder", "what lives there", "uses"], rows)


def _listed(names: set[str], order: tuple[str, ...]) -> str:
    return ", ".join(name for name in order if name in names) or "-"


def sentence(folder: Path) -> str:
    """The first paragraph of what a package says of itself."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def imports_of_folders(root: Path) -> dict[str, set[str]]:
    """Folder → the other folders and packages whose modules its code imports, in functions too, but not for type hints alone."""
    result: dict[str, set[str]] = defaultdict(set)
    for package in ("nerva_core", *BESIDE):
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).parts
            if len(parts) > 2 or package != "nerva_core":
                folder = parts[1] if package == "nerva_core" else package
                result[folder] |= {name for name in map(_folder, imported(ast.parse(path.read_text(encoding="utf-8")))) if name} - {folder}
    return result


def _folder(module: str) -> str | None:
    package, _, rest = module.partition(".")
    if package == "nerva_core":
        return rest.partition(".")[0] or None
    return package if package in BESIDE else None


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that are imported below a node; a name from a package may be a module of it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from imported(child)
