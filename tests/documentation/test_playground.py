"""The playground: what it says of a text, its archives, and the page in a real browser."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docs.generator.playground import BUILD, LEFT_OUT, SOURCE, archive, built_files, check_integrity, examples, library_files
from nerva_core.algebra.trees import leaves, with_leaves
from nerva_core.equations.losses import LOSSES
from nerva_core.inspection.trace import trace_step
from nerva_core.layers.notation import multilayer_perceptron
from tests.documentation.chromium import CHROMIUM, Browser, browser, served

ROOT = Path(__file__).parent.parent.parent
IN_THE_BROWSER = """
import json, os, sys

class OnlyInTheBrowser:
    def find_spec(self, name, path=None, target=None):
        missing = ("pydantic", "scipy", "sklearn", "matplotlib", "rich", "typer", "safetensors", "flint", "tomli_w")
        if name in missing or name.replace(".", "/").startswith(tuple(map(str.strip, LEFT_OUT))):
            raise ImportError(f"{name} is not in the browser")

sys.meta_path.insert(0, OnlyInTheBrowser())
import play, step

for number, (module, does, text) in enumerate(json.load(sys.stdin)):
    os.mkdir(str(number))
    os.chdir(str(number))  # a file is loaded once
    events = []
    getattr(globals()[module], does)(text, lambda event: events.append(json.loads(event)))
    print(json.dumps(events))
"""


def told(directory: Path, *texts: tuple[str, str, str]) -> list[list[dict[str, Any]]]:
    """What the functions of the playground say of texts, with the modules that a browser has: (module, function, text)."""
    left_out = [name.rstrip("/") + "/" for name in LEFT_OUT]
    program = f"LEFT_OUT = {left_out!r}\n{IN_THE_BROWSER}"
    path = os.pathsep.join(map(str, (SOURCE / "python", ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-W", "ignore", "-c", program]
    result = subprocess.run(command, cwd=directory, env=environment, input=json.dumps(texts), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def example(name: str) -> str:
    return (SOURCE / "examples" / name).read_text(encoding="utf-8")


TOLD = {
    "SiLU": "",
    "LayerNormalisation": "LayerNorm",
    "class A:": "IndentationError",
    "": "nothing to prove",
    "x = 1 / 0": "ZeroDivisionError",
    "import numpy as np\nnp.ones(3)": "NumPy is not in the browser",
}
"""What is no layer, and what is told of it; SiLU is known by its name."""


STEP = {"layers": "Linear(3);Tanh;Linear(2)", "loss": "SoftmaxCrossEntropy", "lr": "0.5", "seed": 1, "params": None}
XOR = {"X": "0 0\n0 1\n1,0\n1 1\n", "T": "1 0\n0 1\n0 1\n1 0"}
NO_STEPS = {
    "Liner(3)": "did you mean 'Linear'?",
    "Linear(2);Dropout(0.5)": "such as Dropout, is not run in the browser",
    "Linear(65)": "up to 64 layers, rows and columns",
    "Linear(3)": "4 rows and 3 columns, got 4 rows and 2 columns",
}
"""Networks of which no step is shown, and what is told of them."""
NO_MATRICES = {"1 a": "row 1: numbers with spaces", "1 2\n3": "rows with as many numbers each, got [2, 1]", "": "got []"}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What is said of each text, from one process."""
    texts = [("play", "examine", text) for text in (example("5_exercise_bias.py"), example("2_activation.py"), *TOLD)]
    texts += [("step", "step", json.dumps(STEP | XOR | {"layers": layers})) for layers in (STEP["layers"], *NO_STEPS)]
    texts += [("step", "step", json.dumps(STEP | XOR | {"X": X})) for X in NO_MATRICES]
    found = told(tmp_path_factory.mktemp("texts"), *texts)
    return {text: said for (_, _, text), said in zip(texts, found, strict=True)}


def statuses(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["quantity"]: event["status"] for event in events if event["kind"] == "verdict"}


def test_what_is_said_of_an_exercise(events: dict[str, list[dict[str, Any]]]) -> None:
    said = events[example("5_exercise_bias.py")]
    assert statuses(said) == {"DX": "proved", "DW": "proved", "Db": "refuted"}
    (refuted,) = (event for event in said if event.get("status") == "refuted")
    assert refuted["counterexample"] == "at N=3, D=2, K=4: Db[0,0] should be -5, is -5/3"
    assert "columns_sum belongs in the place of columns_mean" in refuted["advice"]
    (shown,) = (event for event in said if event["kind"] == "equations")
    assert [part["title"] for part in shown["parts"]] == ["Forward", "Backward"]
    assert ["N × D", ["X", "DX"]] in shown["shapes"]
    assert said[-1]["kind"] == "done"


def test_what_is_said_of_a_right_activation(events: dict[str, list[dict[str, Any]]]) -> None:
    said = events[example("2_activation.py")]
    assert statuses(said) == {"gradient": "proved"}
    (plot,) = (event for event in said if event["kind"] == "plot")
    value, gradient = (curve["y"] for curve in plot["curves"])
    at = plot["x"].index(2.0)
    assert value[at] == pytest.approx(2 / 3)
    assert gradient[at] == pytest.approx(1 / 9)


@pytest.mark.parametrize("text", TOLD)
def test_names_and_what_is_no_layer(events: dict[str, list[dict[str, Any]]], text: str) -> None:
    said = events[text]
    assert ("proved" in statuses(said).values()) == (not TOLD[text])
    assert TOLD[text] in " ".join(event["text"] for event in said if event["kind"] == "note")
    assert said[-1]["kind"] == "done"


def test_a_step_is_the_one_that_numpy_computes(events: dict[str, list[dict[str, Any]]]) -> None:
    said, done = events[json.dumps(STEP | XOR)]
    assert done["kind"] == "done"
    network = multilayer_perceptron("Tanh;Linear", [2, 3, 2])
    X, T = ([list(map(float, line.replace(",", " ").split())) for line in XOR[name].splitlines()] for name in "XT")
    before, after = ([np.array(theta) for theta in thetas] for thetas in said["params"])
    params = with_leaves(network.init(np.random.default_rng(0), 2), before)
    trace = trace_step(network, X, T, params, LOSSES.parse("SoftmaxCrossEntropy"), lr=0.5)
    assert said["loss"] == pytest.approx(trace.loss, rel=1e-12)
    for found, expected in zip(after, leaves(trace.params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    shown = [(matrix["name"], np.array(matrix["values"])) for part in said["parts"] for matrix in part["matrices"]]
    for (name, values), matrix in zip(shown, [matrix for part in trace.parts for matrix in part.matrices], strict=True):
        assert name == matrix.name
        np.testing.assert_allclose(values, matrix.values, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("changed", [{"layers": text} for text in NO_STEPS] + [{"X": text} for text in NO_MATRICES])
def test_what_is_told_where_no_step_is_taken(events: dict[str, list[dict[str, Any]]], changed: dict[str, str]) -> None:
    (text,) = changed.values()
    note, done = events[json.dumps(STEP | XOR | changed)]
    assert (NO_STEPS | NO_MATRICES)[text] in note["text"]
    assert (note["kind"], done["kind"]) == ("note", "done")


def test_the_examples_and_five_exercises() -> None:
    found = examples()
    assert [each["kind"] for each in found].count("exercise") == 5
    assert all(each["title"] and "\n" not in each["title"] and each["text"].startswith('"""') for each in found)
    assert len({each["title"] for each in found}) == len(found)


def test_the_archive_has_the_library_and_is_the_same_each_time() -> None:
    files = list(library_files())
    names = [name for name, _ in files]
    assert {"play.py", "numpy/__init__.py", "nerva_core/layers/linear.py", "sympy_validation/theorem.py"} <= set(names)
    assert not [name for name in names if name.startswith(LEFT_OUT)]
    assert archive(files[:9]) == archive(files[:9])


def test_another_package_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(SystemExit, match="another pyodide"):
        check_integrity(b"something else", "sha512-AAAA")


def test_without_the_archives_the_page_has_its_examples(tmp_path: Path) -> None:
    assert list(built_files(tmp_path)) == ["playground/examples.json"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The playground in a browser."""
    if CHROMIUM is None or not (BUILD / "nerva.zip").is_file():
        pytest.skip("needs Chromium, and make playground")
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(SOURCE, site / "playground", ignore=shutil.ignore_patterns("python", "examples"))
    for path, data in built_files().items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)
    with served(site) as address, browser(tmp_path_factory.mktemp("profile")) as found:
        found.open(f"{address}playground/index.html")
        found.wait("document.querySelectorAll('option').length > 5")
        yield found


STATUS = "document.getElementById('status').textContent"
ENDED = "/^(Done|Stopped|No verdict|Python could not)/.test(document.getElementById('status').textContent)"


def proves(page: Browser, text: str | int, seconds: int = 60, wait: str = ENDED) -> str:
    """The text of the results, after a text was typed, or an example chosen."""
    if isinstance(text, int):
        page.run(
            f"document.getElementById('example').value = {text}; document.getElementById('example').dispatchEvent(new Event('change'))"
        )
    else:
        page.run(f"document.getElementById('code').value = {json.dumps(text)}")
    page.run(f"document.getElementById('limit').value = {seconds}; document.getElementById('prove').click()")
    page.wait(wait, 200)
    return str(page.run("document.getElementById('results').innerText"))


def test_an_exercise_in_a_browser(page: Browser) -> None:
    number = next(k for k, each in enumerate(examples()) if "BatchLinear" in each["text"])
    shown = proves(page, number)
    assert "for every DY: refuted" in shown
    assert "should be" not in shown
    assert page.run("document.querySelectorAll('math').length") == 4
    page.run("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Show the answer').click()")
    assert "Db[0,0] should be -5, is -5/3" in page.run("document.getElementById('results').innerText")


def test_stop_and_the_time_limit(page: Browser) -> None:
    endless = "while True: pass\n# a file"
    proves(page, endless, wait="document.getElementById('status').textContent === 'Proving ...'")
    page.run("document.getElementById('stop').click()")
    assert page.run("document.getElementById('status').textContent") == "Stopped."
    proves(page, endless, seconds=1)
    assert page.run("document.getElementById('status').textContent") == "No verdict on the rest within 1 s."


def test_nothing_is_asked_of_another_host(page: Browser, tmp_path: Path) -> None:
    """The code of a visitor is in a worker, which has the policy of the page; a text cannot become HTML."""
    with served(tmp_path) as elsewhere:
        asks = f"""import js
request = js.XMLHttpRequest.new()
request.open("GET", "{elsewhere}", False)
request.send()
print("asked")"""
        assert "cannot be imported: JsException: NetworkError" in proves(page, asks)
        assert page.run(f"fetch('{elsewhere}').then(() => 'asked', () => 'refused')") == "refused"
    assert "<img" in proves(page, "raise ValueError('<img src=x onerror=alert(1)>')")
    assert page.run("document.querySelectorAll('img').length") == 0


def test_a_phone(page: Browser) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    proves(page, 1)
    assert page.run("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.run("document.querySelectorAll('svg path').length") >= 2


def test_a_training_step_in_a_browser(page: Browser) -> None:
    """Steps forth and back, what a matrix is computed from, and how far the step is shown."""
    page.call("Emulation.clearDeviceMetricsOverride")
    page.open(page.run("new URL('step.html', location.href).href"))
    page.run("document.getElementById('forth').click()")
    page.wait(f"/^Step 1: /.test({STATUS})", 200)
    page.run("document.getElementById('more').click()")
    page.wait(f"/^Step 21: /.test({STATUS})", 200)
    losses = [float(found) for found in re.findall(r"is (\d\.\d+), it was (\d\.\d+)", page.run(STATUS))[0]]
    assert losses[0] < losses[1]
    page.run("document.getElementById('back').click()")
    assert page.run(STATUS).startswith("Step 20: ")
    in_formula = (
        "[...document.querySelectorAll('.matrix')].find((box) => /^D𝑊|^DW/.test(box.textContent)).querySelector('math [data-place]')"
    )
    page.run(f"{in_formula}.dispatchEvent(new PointerEvent('pointerover', {{ bubbles: true }}))")
    about = page.run("document.getElementById('about').textContent")
    assert about.startswith(
        "DW (layer 3, Linear: backward); computed from DY (layer 3, Linear: backward), X (layer 3, Linear: forward); used for W"
    )
    assert page.run("document.querySelectorAll('.source').length") == 2
    transposed = "[...document.querySelectorAll('.matrix')][3].querySelector('msup [data-place]')"
    page.run(f"{transposed}.dispatchEvent(new PointerEvent('pointerover', {{ bubbles: true }}))")
    assert page.run("document.querySelector('.here').querySelector('math').textContent") == "W"
    page.run("document.getElementById('place').value = 4; document.getElementById('place').dispatchEvent(new Event('input'))")
    assert page.run("document.querySelectorAll('.matrix:not(.later)').length") == 5
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    assert page.run("document.documentElement.scrollWidth <= window.innerWidth")
    page.run("document.getElementById('layers').value = 'Liner(3)'; document.getElementById('layers').dispatchEvent(new Event('change'))")
    page.run("document.getElementById('forth').click()")
    page.wait("document.querySelector('.note') !== null", 200)
    assert page.run("getComputedStyle(document.getElementById('walk')).display") == "none"
    assert "did you mean 'Linear'?" in page.run("document.querySelector('.note').textContent")
