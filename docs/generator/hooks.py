"""The hooks that MkDocs calls: they add the generated pages and the navigation, and mend links that lead out of docs/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.generator.font import math_font
from docs.generator.markdown import with_included
from docs.generator.navigation import boost, navigation
from docs.generator.pages import generated_pages
from docs.generator.playground import built_files

ROOT = Path(__file__).parent.parent.parent


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages, and the navigation over them and those that are written."""
    extra: Any = config.extra
    extra["pages"] = generated_pages(ROOT / extra["proofs"], ROOT / extra["accuracy"])
    config.nav = navigation(Path(config.docs_dir), extra["pages"])
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the generated pages, the font of their equations, and the playground."""
    for path, content in config.extra["pages"].items():
        files.append(File.generated(config, path, content=content))
    equations = "".join(config.extra["pages"].values())
    files.append(File.generated(config, "assets/math.woff", content=math_font(equations)))
    for path, data in built_files().items():
        files.append(File.generated(config, path, content=data))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Included files; no titles that tell the tests what not to run; links to the files beside docs/ lead to their pages here.

    An erratum has its number as anchor. In a search a guide comes before what is made from the code.
    """
    page.meta["search"] = {"boost": boost(page.file.src_uri)}
    markdown = re.sub(r'^(```\w+) title="not run by the tests[^"]*"$', r"\1", with_included(markdown, ROOT), flags=re.MULTILINE)
    up = "../" * page.file.src_uri.count("/")
    markdown = re.sub(r"\]\((?:\.\./)+(CONTRIBUTING|CHANGELOG)\.md", lambda m: f"]({up}{m[1].lower()}.md", markdown)
    markdown = re.sub(r"\]\((?:\.\./)+(examples/[\w./-]*)\)", lambda m: f"]({up}examples.md#{anchor(m[1])})", markdown)
    return re.sub(r"^## (\d{3}-\w+): (.*)$", r"## \1: \2 { #\1 }", markdown, flags=re.MULTILINE)


def anchor(path: str) -> str:
    """Where a file of examples/ is on its page."""
    return path.removeprefix("examples/").replace(".", "-").replace("_", "-").strip("/")
