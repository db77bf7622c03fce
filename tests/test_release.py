"""What is released: the content of the wheel, the version in one place, the citation file. Installations: tests/long/release.py."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import nerva_core

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("build")
    pytest.importorskip("setuptools", minversion="77")
    directory = tmp_path_factory.mktemp("wheel")
    source = directory / "source"
    for package in ("nerva_core", "backends", "sympy_validation", "tests"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                target = source / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = directory.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_packages_and_no_tests(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("nerva_core", "backends", "sympy_validation")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == wanted
    assert {"nerva_core/py.typed", "backends/py.typed", "sympy_validation/py.typed"} <= names


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
    assert metadata["Version"] == nerva_core.__version__
    assert metadata["License-Expression"] == "MIT"
    entry_points = wheel.read(f"{info}/entry_points.txt").decode()
    assert "nerva = nerva_core.cli:main" in entry_points
    assert all(f"{name} = backends.{name}:" in entry_points for name in ("numpy", "jax", "torch", "tensorflow"))


def test_the_version_stands_in_one_place() -> None:
    assert f"## {nerva_core.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert nerva_core.__version__ not in (ROOT / "pyproject.toml").read_text().partition("dependencies")[0]


def test_the_citation_file_names_the_holder_of_the_licence() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    holder = re.search(r"Copyright \(c\) \d+ (.*)", (ROOT / "LICENSE").read_text())
    assert holder
    assert f'name: "{holder[1]}"' in citation
    assert {"cff-version", "message", "title", "authors"} <= {line.partition(":")[0] for line in citation.splitlines()}


def test_the_versions_page_states_the_ranges() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines()]
    newest = {name.lower().replace("_", "-"): version for name, _, version in pins}
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    ranges = [
        (package, extra, oldest, newest[package])
        for extra, requirements in groups.items()
        if extra not in ("all", "docs", "dev")
        for package, bound, oldest in (requirement.partition(">=") for requirement in requirements)
        if bound
    ]
    page = (ROOT / "docs" / "versions.md").read_text()
    assert re.findall(r"^\| ([\w-]+) \| (\w*) ?\| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE) == ranges
    assert f"Python {project['requires-python'].removeprefix('>=')} and newer" in page
