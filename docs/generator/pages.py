"""All generated pages: path in the site → Markdown."""

from __future__ import annotations

from pathlib import Path

from docs.generator.api import api_pages
from docs.generator.architecture import architecture_page
from docs.generator.equations import equation_pages
from docs.generator.evidence import Evidence
from docs.generator.examples import examples_page
from docs.generator.home import home_page
from docs.generator.reference import command_page, configuration_page
from docs.generator.theorems import theorems_page

ROOT = Path(__file__).parent.parent.parent


def generated_pages(proofs: Path, accuracy: Path) -> dict[str, str]:
    """The pages, from the running code and from what was proved and measured."""
    evidence = Evidence.read(proofs, accuracy)
    return {
        "index.md": home_page(evidence),
        **equation_pages(evidence),
        "theorems.md": theorems_page(evidence),
        "architecture.md": architecture_page(ROOT),
        "examples.md": examples_page(ROOT),
        "reference/commands.md": command_page(),
        "reference/configuration.md": configuration_page(),
        **api_pages(ROOT),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
