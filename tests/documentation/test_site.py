"""The site is built, offline and without a broken link, and shows every entry, command, setting and public name."""

import ast
import html
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer

from docs.generator.api import modules, page_of
from docs.generator.equations import WITHOUT_EQUATIONS
from nerva_core.cli import app
from nerva_core.layers import Linear
from nerva_core.training import catalogue
from nerva_core.training.config import Config

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of MkDocs, such as a broken link, fails."""
    pytest.importorskip("mkdocs")
    directory = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(directory)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return directory


class Page(HTMLParser):
    """The ids of a page, and what it refers to: (element, attribute, address)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.references: list[tuple[str, str, str]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif name in ("href", "src") and value is not None:
                self.references.append((tag, name, value))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path, pages: dict[Path, Page]) -> None:
    missing = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links are absolute
            continue
        for _, _, address in page.references:
            if re.match(r"[a-z]+:", address):
                continue
            target, _, anchor = address.partition("#")
            file = (path.parent / unquote(target)).resolve() if target else path
            file = file / "index.html" if file.is_dir() else file
            if not file.exists() or (anchor and file in pages and unquote(anchor) not in pages[file].ids):
                missing.append(f"{path.relative_to(site)}: {address}")
    assert missing == []


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [address for page in pages.values() for tag, _, address in page.references if tag not in ("a", "svg")]
    assert loaded
    assert [address for address in loaded if re.match(r"(https?:)?//", address)] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_every_entry_has_a_page_with_its_signature(site: Path) -> None:
    for title, entries in catalogue.TABLES.items():
        if title in WITHOUT_EQUATIONS:
            continue
        for name in entries.entries:
            page = (site / "equations" / title.replace(" ", "-") / f"{name}.html").read_text(encoding="utf-8")
            assert f"<h1 id={name.lower()}" in page.replace('"', ""), name


def test_the_equations_are_typeset_without_a_script(site: Path) -> None:
    page = (site / "equations/layers/Linear.html").read_text(encoding="utf-8")
    assert page.count('<math display="block">') == 2
    assert "<msup><mrow><mi>D</mi><mi>Y</mi></mrow><mi>⊤</mi></msup><mo>·</mo><mi>X</mi>" in page
    assert "<svg" in (site / "equations/activations/GELU.html").read_text(encoding="utf-8").partition('<figure class="plot"')[2]


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    page = (site / "reference/commands.html").read_text(encoding="utf-8")
    group = typer.main.get_command(app)
    assert {"train", "prove", "show", "compare"} <= set(group.commands)
    for name, command in group.commands.items():
        section = page.partition(f'<h2 id="{name}"')[2].partition("<h2 ")[0]
        for parameter in command.params:
            shown = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name.upper()
            assert f"<code>{shown}</code>" in section or shown == "--help", (name, shown)


def test_every_setting_and_name_is_in_the_reference(site: Path) -> None:
    page = (site / "reference/configuration.html").read_text(encoding="utf-8")
    for name, field in Config.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        for setting in inner if inner is not None else [name]:
            assert f"<td><code>{setting}</code></td>" in page, setting
    for entries in catalogue.TABLES.values():
        for entry in entries:
            assert f">{entry.__name__}<" in page, entry


def public_names(path: Path) -> Iterator[str]:
    """The names that a module defines, read from its source."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (leaf.id for target in node.targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name))


def test_every_public_name_is_in_the_api(site: Path, pages: dict[Path, Page]) -> None:
    missing, found = [], 0
    for module in modules(ROOT):
        path = ROOT / module.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        ids = pages[site / page_of(module, ROOT).replace(".md", ".html")].ids
        names = [name for name in public_names(path) if not name.startswith("_")]
        missing += [f"{module}.{name}" for name in names if f"{module}.{name}" not in ids]
        found += len(names)
    assert missing == []
    assert found > 500


def test_no_markup_is_left_raw(site: Path) -> None:
    """Backticks of docstrings are code, and what a page tells the tests is not shown."""
    for path in site.rglob("*.html"):
        text = re.sub(r"<(code|pre|script|style)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert "``" not in text, path.relative_to(site)
        assert "not run by the tests" not in text, path.relative_to(site)


def test_the_first_page_has_an_equation_its_code_a_verdict_a_figure_and_how_to_install(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert page.count('<math display="block">') == 1
    text = re.sub(r"<[^>]*>", "", page)
    for line in inspect.getsource(Linear.backpropagate).strip().splitlines():
        assert html.escape(line.strip(), quote=False) in text
    assert ("nerva prove Linear" in text) or ("proved" in text)
    assert 'src="images/tmaf_learned_activations.png"' in page.replace('"./', '"')
    assert "make demo" in text


def test_guides_come_before_internals_in_a_search(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    boosts = {entry["location"]: entry.get("boost", 1) for entry in index}
    guides = [boosts[page] for page in ("first-steps.html", "reproductions.html", "dab.html", "write-your-own/layer.html", "errata.html")]
    internal = [boost for page, boost in boosts.items() if page.startswith(("api/", "theorems", "changelog"))]
    equations = [boost for page, boost in boosts.items() if page.startswith("equations/")]
    assert min(guides) > max(equations) >= min(equations) > max(internal)
