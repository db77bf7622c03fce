import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.user_files import load_file
from nerva_core.comparison.subjects import subjects
from nerva_core.comparison.vectors import write_vectors
from nerva_core.testing import assert_gradient, golden_cases

ZOO = load_file(Path(__file__).parents[1] / "examples" / "zoo" / "numpy_zoo.py")


def test_a_right_gradient_passes_and_a_wrong_one_is_told() -> None:
    assert_gradient(ZOO.gram, "x: N D", ZOO.gram_backward)
    with pytest.raises(AssertionError, match="should be"):
        assert_gradient(ZOO.gram, "x: N D", ZOO.gram_once)
    assert_gradient(ZOO.gram, "x: N D", ZOO.gram_once, different="one half is wanted")


def test_functions_of_a_test_are_proved_too() -> None:
    def cube(x: Any) -> Any:
        return x**3, x

    def slope(dy: Any, x: Any) -> Any:
        return dy * 3 * x**2

    assert_gradient(cube, "x: N D", slope)
    with pytest.raises(AssertionError, match="cube/<lambda> is not proved: REFUTED"):
        assert_gradient(cube, "x: N D", lambda dy, x: dy * 2 * x**2)


def test_what_is_no_function_with_a_gradient_is_told() -> None:
    with pytest.raises(NervaError, match="returns one value"):
        assert_gradient(lambda x: x, "x: N")
    with pytest.raises(NervaError, match="is not a function"):
        assert_gradient(3, "x: N")


# Golden vectors


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("golden")
    write_vectors(directory, chosen=[each for each in subjects() if each.name in ("Softmax", "Linear(outputs=3)", "BatchNormalization")])
    return directory


def softmax(X: Any, DY: Any) -> dict[str, Any]:
    E = np.exp(X - X.max(axis=1, keepdims=True))
    Y = E / E.sum(axis=1, keepdims=True)
    return {"Y": Y, "DX": Y * (DY - (DY * Y).sum(axis=1, keepdims=True))}


def test_a_right_implementation_is_within_every_tolerance(golden: Path) -> None:
    """Written from the formula, in another order of operations than the library's, in both dtypes."""
    for case in golden_cases(golden, "layer", "Softmax"):
        case.check(**softmax(case["X"], case["DY"]))
    for case in golden_cases(golden, name="Linear"):
        X, W, DY = case["X"], case["W"], case["DY"]
        case.check(Y=case["b"] + X @ W.T, DX=(W.T @ DY.T).T, DW=(X.T @ DY).T, Db=DY[::-1].sum(axis=0, keepdims=True))
    for case in golden_cases(golden, name="BatchNormalization"):
        if "one row" not in case.case:
            n = len(case["X"])
            case.check(**{"new state.mean": 0.9 * case["state.mean"] + 0.1 * (case["X"].sum(axis=0, keepdims=True) / n)})


def test_a_wrong_implementation_is_not(golden: Path) -> None:
    (case,) = (case for case in golden_cases(golden, "layer", "Softmax", "float64") if case.case == "ordinary")
    right = softmax(case["X"], case["DY"])
    for wrong in (right["DX"] * (1 + 1e-13), right["DX"] * np.nan, right["Y"] * case["DY"]):
        with pytest.raises(AssertionError, match=r"layer/Softmax/ordinary/float64: DX\[0,0\] should be .* up to .*, is "):
            case.check(DX=wrong)
    with pytest.raises(AssertionError, match=r"Y is \(1, 1\), should be"):
        case.check(Y=np.ones((1, 1)))


def test_the_condition_tells_how_rounding_errors_grow(golden: Path) -> None:
    conditions = {case.case: case.condition["Y"] for case in golden_cases(golden, name="BatchNormalization", dtype="float64")}
    assert conditions["ordinary"] < 100 < 1e5 < conditions["offset"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "Sofmax"}, "Softmax"),
        ({"kind": "layers"}, "kinds are layer"),
        ({"dtype": "float16"}, "for float16"),
    ],
)
def test_no_case_is_an_error(golden: Path, asked: dict[str, str], told: str) -> None:
    with pytest.raises(NervaError, match=told):
        golden_cases(golden, **asked)


def test_mistakes_in_a_check(golden: Path, tmp_path: Path) -> None:
    case = golden_cases(golden, name="Softmax")[0]
    for names, told in (({}, "give outputs by name, Y, DX"), ({"DZ": case["X"]}, "no output 'DZ'")):
        with pytest.raises(NervaError, match=told):
            case.check(**names)
    with pytest.raises(NervaError, match="no matrix 'W'"):
        case["W"]
    with pytest.raises(NervaError, match="nerva vectors"):
        golden_cases(tmp_path)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed")
def test_the_reader_in_c(golden: Path, tmp_path: Path) -> None:
    folder = Path(__file__).parent.parent / "examples" / "golden_vectors"
    for name, change in {"right": lambda text: text, "wrong": lambda text: text.replace("- dot)", "- 1.0000001 * dot)")}.items():
        (tmp_path / f"{name}.c").write_text(change((folder / "softmax.c").read_text()))
        command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{folder}", "-o", name, f"{name}.c", "-lm"]
        subprocess.run(command, cwd=tmp_path, check=True)
    for dtype in ("float64", "float32"):
        run = [tmp_path / "right", golden / f"{dtype}.safetensors"]
        result = subprocess.run(run, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (0, "12 cases, 0 wrong\n")
    result = subprocess.run([tmp_path / "wrong", golden / "float64.safetensors"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "0 elements of Y and" in result.stdout
    result = subprocess.run([tmp_path / "right", golden / "manifest.json"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
