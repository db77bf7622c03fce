"""The navigation: sections in a fixed order, with the pages that are there. A written page that no section names goes into "More"."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

SECTIONS: dict[str, tuple[str, ...]] = {
    "First steps": ("first-steps.md", "playground.md", "training.md", "configuration.md", "networks.md", "examples.md"),
    "Equations": ("equations/", "recurrence.md"),
    "Write your own": ("write-your-own/", "architecture.md"),
    "Trust": (
        "trust.md",
        "proofs.md",
        "soundness.md",
        "kernel.md",
        "theorems.md",
        "errata.md",
        "zoo.md",
        "accuracy.md",
        "robustness.md",
    ),
    "Results": (
        "reproductions.md",
        "speed.md",
        "how_a_step_runs.md",
        "workers.md",
        "q_neurons.md",
        "gaf.md",
        "tmaf.md",
        "dab.md",
        "sparse.md",
    ),
    "Reference": ("reference/commands.md", "reference/configuration.md", "interoperability.md", "vectors.md", "versions.md"),
    "API": ("api/",),
    "More": (),
}
"""Pages and folders of each section; what is not there (yet) is left out. A folder has its index first."""


BOOSTS = {"api/": 0.1, "theorems.md": 0.3, "changelog.md": 0.3, "contributing.md": 0.5, "equations/": 0.8}
"""How much pages count in a search, by their path; those about internals less than guides, which count ``GUIDE``."""
GUIDE = 2.0


def boost(page: str) -> float:
    """How much a page counts in a search."""
    return next((weight for path, weight in BOOSTS.items() if page.startswith(path)), GUIDE)


def navigation(docs: Path, generated: dict[str, str]) -> list[Any]:
    """What MkDocs takes as nav."""
    written = {str(path.relative_to(docs)): path.read_text(encoding="utf-8") for path in sorted(docs.rglob("*.md"))}
    pages = {**generated, **written}
    named = {page for names in SECTIONS.values() for name in names for page in _pages(name, pages)}
    result: list[Any] = [{"Home": "index.md"}]
    for section, names in SECTIONS.items():
        items = [item for name in names for item in _items(name, pages)]
        if section == "More":
            items += [{_title(pages[page]): page} for page in pages if page not in named and page != "index.md"]
        if items:
            result.append({section: items})
    return result


def _pages(name: str, pages: dict[str, str]) -> list[str]:
    return [page for page in pages if page == name or (name.endswith("/") and page.startswith(name))]


def _items(name: str, pages: dict[str, str]) -> list[Any]:
    """The page, or the pages of the folder, each with its title; folders in it are subsections."""
    if not name.endswith("/"):
        return [{_title(pages[name]): name}] if name in pages else []
    items: list[Any] = []
    inside = _pages(name, pages)
    for page in sorted(inside, key=lambda page: not page.endswith("index.md")):
        folder, slash, _ = page.removeprefix(name).partition("/")
        if not slash:
            items.append(page if page.endswith("index.md") else {_title(pages[page]): page})
        elif not any(isinstance(item, dict) and _label(folder) in item for item in items):
            items.append({_label(folder): _items(f"{name}{folder}/", pages)})
    return items


def _title(markdown: str) -> str:
    """The first heading."""
    found = re.search(r"^# (.+?)(?: \{.*\})?$", markdown, re.MULTILINE)
    return found[1].replace("`", "") if found else "?"


def _label(folder: str) -> str:
    return folder.replace("-", " ").capitalize() if folder.islower() and "." not in folder and "_" not in folder else folder
