"""The wheel and the sdist in fresh environments outside the repository: each extra alone, and the oldest versions that are stated.

    python -m tests.long.release [--python PYTHON] [NAME ...]        # names of the cases below; all without one

A case is a virtual environment with some requirements, in which a short program must run; with ``--python`` it is of another
Python. Prints the versions that were installed of what pyproject.toml states. Exit status 1 if one fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

TRAIN = """
import nerva_core as nc, subprocess, sys
from importlib.metadata import version
assert version("nerva") == nc.__version__
assert "site-packages" in nc.__file__, nc.__file__
train = ["nerva", "train", "--data", "Digits(train=300, test=50)", "--epochs", "1", "--quiet", "--output", "out"]
subprocess.run([*train, "--backend", "{backend}"], check=True)
subprocess.run(["nerva", "list"], check=True, stdout=subprocess.DEVNULL)
subprocess.run(["nerva", "export", "out/model.safetensors", "w.npz"], check=True)
"""
PROVE = 'import subprocess\nsubprocess.run(["nerva", "prove", "Linear", "BatchNormalization", "--quiet"], check=True)'
ENCLOSURES = """
from flint import arb
import subprocess
subprocess.run(["nerva", "compare", "Linear", "CrossEntropy", "--backends", "numpy"], check=True)
"""
TENSORBOARD = """
import pathlib, subprocess
train = ["nerva", "train", "--data", "Digits(train=300, test=50)", "--epochs", "1", "--quiet", "--output", "out", "--tensorboard"]
subprocess.run(train, check=True)
assert list(pathlib.Path("out").rglob("events.out.*"))
"""
EXPORT = TRAIN.format(backend="numpy") + 'subprocess.run(["nerva", "export", "out/model.safetensors", "net.onnx"], check=True)\n'
OPTAX = """
import jax.numpy as jnp
from nerva_core.interoperability.jax import gradient_transformation
rule = gradient_transformation("GAF(Adam)", 0.1)
params = {"w": jnp.ones((2, 3))}
updates, state = rule.update(params, rule.init(params), params)
"""
KERAS = """
import numpy as np
from nerva_core.interoperability import keras as interop
import keras
model = keras.Sequential([keras.layers.Dense(3), interop.layer("q-elu"), keras.layers.Dense(1)])
model.compile(interop.optimizer("GAF(Momentum)", 0.01), "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
"""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CORE = PROJECT["dependencies"]
OPTIONAL = [requirement for extra in PROJECT["optional-dependencies"].values() for requirement in extra]
OLDEST = dict(requirement.split(">=") for requirement in [*CORE, *OPTIONAL] if ">=" in requirement)
"""The oldest version that pyproject.toml states, by package."""

CASES: dict[str, tuple[str, list[str], str]] = {
    "wheel": ("", [], TRAIN.format(backend="numpy")),
    "sdist": ("", [], TRAIN.format(backend="numpy")),
    "jax": ("[jax]", [], TRAIN.format(backend="jax")),
    "torch": ("[torch]", [], TRAIN.format(backend="torch")),
    "tensorflow": ("[tensorflow]", [], TRAIN.format(backend="tensorflow")),
    "proofs": ("[proofs]", [], PROVE),
    "enclosures": ("[enclosures]", [], ENCLOSURES),
    "tensorboard": ("[tensorboard]", [], TENSORBOARD),
    "onnx": ("[onnx]", [], EXPORT),
    "optax": ("[optax]", [], OPTAX),
    "keras": ("[keras,tensorflow]", [], KERAS),
    "oldest-core": ("", [requirement.split(">=")[0] for requirement in CORE], TRAIN.format(backend="numpy")),
    "oldest-proofs": ("[proofs]", ["sympy", "mpmath", "numpy"], PROVE),
    "oldest-enclosures": ("[enclosures]", ["python-flint", "mpmath"], ENCLOSURES),
    "oldest-jax": ("[jax]", ["jax"], TRAIN.format(backend="jax")),
    "oldest-tensorflow": ("[tensorflow]", ["tensorflow-cpu"], TRAIN.format(backend="tensorflow")),
    "oldest-optax": ("[optax]", ["optax", "jax"], OPTAX),
    "oldest-keras": ("[keras,tensorflow]", ["keras", "tensorflow-cpu"], KERAS),
    "oldest-onnx": ("[onnx]", ["onnx", "onnxruntime"], EXPORT),
    "oldest-tensorboard": ("[tensorboard]", ["tensorboard"], TENSORBOARD),
}
"""The extras, the packages that are installed in the oldest version stated, and the program."""


def run_case(name: str, files: dict[str, Path], directory: Path, interpreter: str) -> bool:
    """Install in a new environment and run the program in an empty directory."""
    extra, oldest, program = CASES[name]
    environment = directory / name
    subprocess.run([interpreter, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    archive = files["sdist" if name == "sdist" else "wheel"]
    # Beside an old version what else is needed is the newest that goes with it.
    constraints = ["-c", str(ROOT / "constraints.txt")] if not oldest else []
    requirements = [f"{package}=={OLDEST[package]}" for package in oldest]
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", *constraints, f"{archive}{extra}", *requirements]
    path = {"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "HOME": str(directory), "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}
    work = environment / "work"
    work.mkdir()
    start = time.perf_counter()
    for command, variables in ((install, None), ([str(python), "-c", program], path)):
        done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: FAILED ({', '.join(installed(python))})\n{(done.stdout + done.stderr)[-3000:]}", flush=True)
            return False
    print(f"{name}: works ({time.perf_counter() - start:.0f} s; {', '.join(installed(python))})", flush=True)
    return True


def installed(python: Path) -> list[str]:
    """Python and the packages in its environment for which pyproject.toml states a range, with their versions."""
    version = subprocess.run([python, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    command = [sys.executable, "-m", "pip", "--python", str(python), "list", "--format", "freeze"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = {name.lower().replace("_", "-"): number for name, _, number in (line.partition("==") for line in lines)}
    return [version] + [f"{name} {found[name]}" for name in sorted(OLDEST.keys() & found.keys())]


def main() -> int:
    """Build once, then run the cases."""
    parser = argparse.ArgumentParser(description="Install the wheel and the sdist in fresh environments, and use them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the environments")
    given = parser.parse_args()
    if unknown := set(given.names) - CASES.keys():
        parser.error(f"no case is called {', '.join(sorted(unknown))}; known: {', '.join(CASES)}")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", temporary, str(ROOT)], check=True, capture_output=True)
        files = {"wheel": next(directory.glob("*.whl")), "sdist": next(directory.glob("*.tar.gz"))}
        results = [run_case(name, files, directory, given.python) for name in given.names or CASES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
