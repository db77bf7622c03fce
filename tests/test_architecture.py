"""The rules of the architecture: who may import what, what is implemented where, and that the tests mirror the sources."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import nerva_core
from docs.generator.architecture import BESIDE, LEVELS, imported, imports_of_folders
from nerva_core.algebra.matrix_ops import MatrixOps
from nerva_core.algebra.numeric_backend import Backend, backend_classes
from nerva_core.algebra.registry import Table

ROOT = Path(__file__).parent.parent
PACKAGES = ("nerva_core", "backends", "sympy_validation")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))

USED = imports_of_folders(ROOT)
FRAMEWORKS = {cls.requires for cls in backend_classes().values()} - {"numpy"}
SYMBOLIC = {"sympy", "mpmath", "flint"}
HEAVY = FRAMEWORKS | SYMBOLIC | {"keras", "optax", "onnx", "onnxruntime"}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORT_NAMES = {"scikit-learn": "sklearn"}
LIGHT = {re.split(r"[<>=\[ ]", name)[0] for name in PROJECT["dependencies"]}
LIGHT = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in LIGHT}

WITHOUT_A_SOURCE = {
    "test_positional": "every layer whose rows are positions of examples",
    "test_determinism": "whole runs, twice",
    "test_whole_runs": "whole runs against loops in plain NumPy, and against PyTorch",
    "test_sympy": "the normal form against SymPy",
    "test_soundness": "random programs against exact numbers",
    "test_refusals": "wrong rules of every kind",
    "test_theorems": "everything in nerva_core",
    "test_gradient_activations": "theorems about them for all sizes",
    "test_gaf": "the gradient activation functions of optimizers.py",
    "test_decisions": "comparisons in the code of users",
}

UNMIRRORED = {
    "__init__": "re-exports, tested below",
    "__main__": "one call of the command line",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


# Imports ----------------------------------------------------------------------


def run_python(program: str) -> str:
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_nerva_core_and_all_its_modules_loads_no_framework() -> None:
    modules = [module_name(path) for path in SOURCES if path.is_relative_to(ROOT / "nerva_core") and path.stem != "__main__"]
    loaded = run_python(f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint(*sys.modules)")
    assert set(loaded.split()) & HEAVY == set()


def test_loading_the_backends_modules_loads_no_framework() -> None:
    loaded = run_python(
        "from nerva_core.algebra.numeric_backend import backend_classes\nimport sys\nbackend_classes()\nprint(*sys.modules)"
    )
    assert set(loaded.split()) & HEAVY == set()


def test_the_command_line_loads_what_a_command_needs_when_it_runs() -> None:
    loaded = run_python("import nerva_core.cli\nimport sys\nprint(*sys.modules)")
    assert {"numpy", "pydantic", "scipy", "sklearn", "matplotlib", "nerva_core.training.config", *HEAVY} & set(loaded.split()) == set()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(node: ast.AST, inside_functions: bool) -> Iterator[str]:
    """The top-level packages that are imported when the module is loaded, or also when its functions are called."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name.split(".")[0] for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield (child.module or "").split(".")[0]
        elif not is_type_checking(child) and (inside_functions or not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))):
            yield from imports(child, inside_functions)


def outside(path: Path, allowed: set[str], inside_functions: bool = False) -> set[str]:
    found = set(imports(ast.parse(path.read_text()), inside_functions))
    return found - allowed - set(sys.stdlib_module_names)


def allowed_when_loaded(path: Path) -> set[str]:
    match path.relative_to(ROOT).parts[0]:
        case "nerva_core" if path.name == "cli.py":
            return LIGHT | {"nerva_core", "sympy_validation"}  # the one place that knows all commands; theirs import when they run
        case "nerva_core":
            return LIGHT | {"nerva_core"}
        case "backends":
            return {"numpy", "nerva_core", "backends"}
        case _:
            return LIGHT | SYMBOLIC | {"nerva_core", "backends", "sympy_validation"}


@each_source
def test_a_module_imports_only_what_its_folder_may(path: Path) -> None:
    assert outside(path, allowed_when_loaded(path)) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "nerva_core" / "layers").glob("*.py")), ids=lambda path: path.stem)
def test_a_layer_imports_no_framework_anywhere(path: Path) -> None:
    assert outside(path, {"numpy", "nerva_core"}, inside_functions=True) == set()


@pytest.mark.parametrize("name", sorted(backend_classes()))
def test_a_backend_imports_its_own_framework_alone(name: str) -> None:
    cls = backend_classes()[name]
    path = ROOT / f"{cls.__module__.replace('.', '/')}.py"
    if not path.exists():
        pytest.skip("a backend of another distribution")
    assert outside(path, {"numpy", "scipy", "nerva_core", "backends", cls.requires}, inside_functions=True) == set()


@pytest.mark.parametrize("folder", LEVELS)
def test_a_folder_uses_only_those_below_it(folder: str) -> None:
    below = set(LEVELS[: LEVELS.index(folder)])
    allowed = {"sympy_validation"} if folder == "commands" else set()
    assert {name for name in USED[folder] if name in (*LEVELS, *BESIDE)} - below - allowed == set()


@pytest.mark.parametrize("package", BESIDE)
def test_a_package_beside_uses_what_it_states(package: str) -> None:
    assert USED[package] & {*LEVELS, *BESIDE} == BESIDE[package]


RECURSIVE = {frozenset({"powers", "products", "sums"})}
"""Files that import each other: the calculus of sums multiplies what it sums, and sums what it multiplies."""


def circles() -> list[set[str]]:
    """The sets of modules that import each other, directly or not."""
    modules = {module_name(path): path for path in SOURCES}
    uses = {}
    for name, path in modules.items():
        found = set(imported(ast.parse(path.read_text())))
        uses[name] = {module if module in modules else module.rpartition(".")[0] for module in found} & set(modules) - {name}
    reach = {name: set(used) for name, used in uses.items()}
    for between in modules:
        for name in modules:
            if between in reach[name]:
                reach[name] |= reach[between]
    return [{other for other in reach[name] if name in reach[other]} for name in modules if name in reach[name]]


def test_no_files_import_each_other() -> None:
    assert [circle for circle in circles() if frozenset(name.rpartition(".")[2] for name in circle) not in RECURSIVE] == []


def test_the_levels_are_all_folders() -> None:
    assert {path.parent.name for path in (ROOT / "nerva_core").glob("*/__init__.py")} == set(LEVELS)


def test_imports_are_seen_in_functions_and_as_names_of_packages() -> None:
    program = (
        "from nerva_core import layers\nif TYPE_CHECKING:\n    import nerva_core.data\ndef f():\n    from nerva_core.training import runs\n"
    )
    assert list(imported(ast.parse(program))) == ["nerva_core.layers", "nerva_core.training.runs"]


@each_source
def test_nothing_is_evaluated_or_unpickled(path: Path) -> None:
    tree = ast.parse(path.read_text())
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert calls & {"eval", "exec", "compile", "__import__"} == set()
    assert set(imports(tree, inside_functions=True)) & {"pickle", "marshal", "shelve", "dill", "joblib"} == set()


UNSAFE = {
    "np.load": lambda given: given.get("allow_pickle") is not False,
    "numpy.load": lambda given: given.get("allow_pickle") is not False,
    "torch.load": lambda given: given.get("weights_only") is not True,
    "yaml.load": lambda given: True,
    "os.system": lambda given: True,
    "os.popen": lambda given: True,
}


def unsafe_calls(tree: ast.AST) -> list[str]:
    """Calls that run what they are given: with the values of their arguments, where these are constants."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            if UNSAFE.get(name, lambda given: False)(given) or given.get("shell") not in (None, False):
                found.append(f"{name} in line {node.lineno}")
    return found


@each_source
def test_nothing_is_run_that_is_given(path: Path) -> None:
    assert unsafe_calls(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    ["np.load(f)", "np.load(f, allow_pickle=True)", "torch.load(f)", "yaml.load(f)", "os.system(c)", "subprocess.run(c, shell=True)"],
)
def test_an_unsafe_call_is_seen(line: str) -> None:
    assert len(unsafe_calls(ast.parse(line))) == 1
    assert unsafe_calls(ast.parse("np.load(f, allow_pickle=False); torch.load(f, weights_only=True); subprocess.run([c])")) == []


def test_the_rules_see_a_forbidden_import(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("class A:\n    import torch\nif True:\n    from jax import numpy\ndef f():\n    import tensorflow\n")
    assert outside(path, LIGHT) == {"torch", "jax"}
    assert outside(path, LIGHT, inside_functions=True) == {"torch", "jax", "tensorflow"}


# Backends ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(backend_classes()))
def test_every_primitive_is_implemented_by_every_backend(name: str) -> None:
    cls: Any = backend_classes()[name]
    assert issubclass(cls, Backend)
    assert cls.__abstractmethods__ == frozenset()


@pytest.mark.parametrize("name", sorted(backend_classes()))
def test_a_backend_has_no_public_method_of_its_own(name: str) -> None:
    """A layer that called it would run on that backend alone."""
    known = set(dir(MatrixOps)) | set(dir(Backend)) | set(Backend.__annotations__)
    methods = {key for key in dir(backend_classes()[name]) if not key.startswith("_")}
    assert methods - known == set()


def test_primitives_are_abstract_and_all_else_has_a_body() -> None:
    operations = {name for name, _ in inspect.getmembers(MatrixOps, inspect.isfunction) if not name.startswith("_")}
    assert MatrixOps.__abstractmethods__ < operations
    assert {"add", "softplus", "columns_mean", "where"} <= operations - MatrixOps.__abstractmethods__


# Names and files ----------------------------------------------------------------------


@pytest.mark.parametrize("package", sorted({module_name(path) for path in SOURCES if path.stem == "__init__"}))
def test_every_public_name_of_a_package_is_there(package: str) -> None:
    module = importlib.import_module(package)
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(module, name) is not None
        assert name in dir(module)


def test_an_unknown_name_of_nerva_core_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        nerva_core.nothing  # noqa: B018


SHARED_NAMES = {
    "RuleOptimizer": "the same class for another framework",
    "Domain": "of the entries of a matrix, and of a polynomial's values",
    "Entry": "of a table, and of a matrix variable",
    "Grid": "of a step function, and of the elements of a matrix",
    "Indicator": "in the two forms of the prover",
    "Polynomial": "of sizes, and of the prover's terms",
    "Verdict": "on a theorem, and on a statement of a paper",
}
"""Names of classes that mean two things; none is to be added."""


def class_names(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """The files in which each class is defined. The names of entries of tables are those that users type: two tables may share one."""
    for name in nerva_core.__all__:
        getattr(nerva_core, name)  # fills the tables
    entries = {entry.__name__ for table in Table.of.values() for entry in table}
    found: dict[str, list[str]] = {}
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name not in entries:
                found.setdefault(node.name, []).append(path)
    return found


def test_a_class_name_is_defined_once() -> None:
    found = class_names({str(path.relative_to(ROOT)): path.read_text() for path in SOURCES})
    assert {name: paths for name, paths in found.items() if len(paths) > 1 and name not in SHARED_NAMES} == {}


def test_a_class_name_that_is_defined_twice_is_seen() -> None:
    found = class_names({"a.py": "class Point: ...", "b.py": "def f():\n    class Point: ...\nclass Tanh: ..."})
    assert found == {"Point": ["a.py", "b.py"]}


def mirror(path: Path) -> Path:
    """Where the tests of a source are: the same path below tests/, without nerva_core."""
    folders = path.relative_to(ROOT).parent.parts
    return ROOT.joinpath("tests", *folders[folders[0] == "nerva_core" :], f"test_{path.name}")


def test_the_tests_mirror_the_sources() -> None:
    missing = [str(path.relative_to(ROOT)) for path in SOURCES if path.stem not in UNMIRRORED and not mirror(path).exists()]
    assert missing == []


def test_every_test_of_a_folder_has_its_source() -> None:
    folders = {mirror(path).parent for path in SOURCES} - {ROOT / "tests"}
    mirrored = {mirror(path) for path in SOURCES}
    assert [
        path for folder in folders for path in folder.glob("test_*.py") if path not in mirrored and path.stem not in WITHOUT_A_SOURCE
    ] == []
