"""The pages of the API: one a module, filled by mkdocstrings."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGES = ("nerva_core", "backends", "sympy_validation")

HEAD = """\
# API

Every public name of every module, with its docstring. Most programs need `import nerva_core as nc` alone: `nc.backend`,
`nc.multilayer_perceptron`, `nc.layers`, `nc.losses`, `nc.optimizers`.
"""


def modules(root: Path) -> list[str]:
    """The public modules of the packages."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = list(path.relative_to(root).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            if not any(part.startswith("_") for part in parts):
                found.append(".".join(parts))
    return sorted(found)


def page_of(name: str, root: Path) -> str:
    """The page of a module, in the folder of its package."""
    package = name if (root / name.replace(".", "/")).is_dir() else name.rpartition(".")[0]
    return f"api/{package}/{name}.md"


def api_pages(root: Path) -> dict[str, str]:
    """The pages under api/."""
    pages = {page_of(name, root): name for name in modules(root)}
    items = "".join(f"* [`{name}`]({page.removeprefix('api/')})\n" for page, name in pages.items())
    return {
        "api/index.md": f"{HEAD}\n{items}",
        **{page: f"# {name}\n\n::: {name}\n{_constants(name, root)}" for page, name in pages.items()},
    }


def _constants(name: str, root: Path) -> str:
    """The assignments of several names at once, such as N, D, K = ..., which mkdocstrings leaves out."""
    path = root / name.replace(".", "/")
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    anchors, lines = [], []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [target.id for target in node.targets[0].elts if isinstance(target, ast.Name)]
            anchors += [f'<a id="{name}.{constant}"></a>' for constant in names]
            lines.append(ast.get_source_segment(source, node) or "")
    code = "\n".join(lines)
    return f"\n## More constants\n\n{''.join(anchors)}\n\n```py\n{code}\n```\n" if lines else ""
