"""What the playground needs in a browser: Python itself, from npm, and archives of this library and of the packages it proves with.

python -m docs.generator.playground      # into build/playground; ``make docs`` then takes it into the site
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "docs" / "playground"
BUILD = ROOT / "build" / "playground"
COMPILE = Path(__file__).parent / "compile.mjs"

PYODIDE = "pyodide@314.0.7"
INTEGRITY = "sha512-0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
"""The version of Python for browsers, and what npm calls the integrity of its package."""
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
PROVER = ("nerva_core", "sympy_validation", "backends")
LEFT_OUT = ("sympy_validation/foreign/", "sympy_validation/coq/", "nerva_core/benchmark/", "nerva_core/reproductions/")
PACKAGES = ("annotated_types", "mpmath")
"""What proofs import besides; they are taken from this environment, as is SymPy."""


def build(directory: Path = BUILD) -> None:
    """Make the archives, and fetch Python unless it is there."""
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / "pyodide" / RUNTIME[-1]).is_file():
        unpack_runtime(fetch(), directory / "pyodide")
    (directory / "nerva.zip").write_bytes(archive([*library_files(), *package_files(PACKAGES)]))
    (directory / "sympy.zip").write_bytes(archive(package_files(["sympy"])))
    for name in ("nerva.zip", "sympy.zip"):
        add_byte_code(directory / name, directory / "pyodide")


def fetch() -> bytes:
    """The package of npm. SystemExit, in words, if it cannot be had or is another one."""
    if not shutil.which("npm"):
        sys.exit(f"the playground needs {PYODIDE} from npm, and there is no command npm: install Node.js, or leave the playground out")
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(["npm", "pack", PYODIDE, "--silent"], cwd=folder, capture_output=True, text=True, check=False)
        found = list(Path(folder).glob("*.tgz"))
        if result.returncode or not found:
            sys.exit(f"npm could not fetch {PYODIDE}: {result.stderr.strip() or result.stdout.strip()}")
        data = found[0].read_bytes()
    check_integrity(data, INTEGRITY)
    return data


def check_integrity(data: bytes, integrity: str) -> None:
    """SystemExit if the bytes are not those that were pinned."""
    algorithm, _, expected = integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    if found != expected:
        sys.exit(f"npm gave another {PYODIDE} than was pinned: its {algorithm} is {found}, should be {expected}; nothing is unpacked")


def unpack_runtime(package: bytes, directory: Path) -> None:
    """The files of the package that a browser loads."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(package)) as files:
        for name in RUNTIME:
            member = files.extractfile(f"package/{name}")
            if member is None:
                sys.exit(f"{PYODIDE} has no file {name}")
            (directory / name).write_bytes(member.read())


def add_byte_code(path: Path, runtime: Path) -> None:
    """Have the files of an archive compiled by the Python that will run them; without byte code it works too, only slower."""
    command = ["node", str(COMPILE), str(runtime), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        why = next((line for line in result.stderr.splitlines() if "Error:" in line), "")[:200]
        print(f"{path.name} has no byte code, the playground will start slowly: {why}", file=sys.stderr)


def library_files() -> Iterator[tuple[str, Path]]:
    """The library's files, and the playground's own, by their names in the archive."""
    for path in sorted((SOURCE / "python").rglob("*.py")):
        yield str(path.relative_to(SOURCE / "python")), path
    for package in PROVER:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(LEFT_OUT):
                yield name, path


def package_files(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """The files of installed packages, without their tests."""
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            sys.exit(f"the playground needs the package {name}: pip install 'nerva[proofs]'")
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py")):
            relative = path.relative_to(folder.parent)
            if not {"tests", "benchmarks"} & set(relative.parts):
                yield relative.as_posix(), path


def archive(files: Iterable[tuple[str, Path]]) -> bytes:
    """A ZIP file; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, path in files:
            target.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def built_files(directory: Path = BUILD) -> dict[str, bytes]:
    """Path in the site → content, of what was built; nothing if it was not. The examples are there in any case."""
    files = {"playground/examples.json": json.dumps(examples(), ensure_ascii=False, indent=1).encode()}
    if (directory / "nerva.zip").is_file():
        files |= {f"playground/{path.relative_to(directory)}": path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    return files


def examples() -> list[dict[str, str]]:
    """The texts that a visitor can choose: a title, the first line, and the code; an exercise hides its answer."""
    found = []
    for path in sorted((SOURCE / "examples").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        title = text.removeprefix('"""').partition("\n")[0].removesuffix('"""').removesuffix(".")
        found.append({"title": title, "kind": "exercise" if "_exercise_" in path.name else "example", "text": text})
    return found


if __name__ == "__main__":
    build()
    print(f"the playground is in {BUILD.relative_to(ROOT)}; make docs takes it into the site")
