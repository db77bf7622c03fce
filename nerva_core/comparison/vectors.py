"""Golden vectors: inputs and correctly rounded results, for libraries in any language to test themselves.

A directory holds ``manifest.json``, which describes every test case, and one safetensors file a dtype with the matrices. All of
it is determined by the seed, byte for byte. Beside each result stands how far a careful implementation may be from it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.geometry import Geometry
from nerva_core.algebra.memory import Array
from nerva_core.algebra.registry import Entry
from nerva_core.comparison.measure import exact_values, running_errors
from nerva_core.comparison.rule_subjects import LEARNING_RATE
from nerva_core.comparison.subject import Inputs, Subject
from nerva_core.comparison.subjects import subjects
from nerva_core.interpreters.examples import describe
from nerva_core.training.models import write_atomically

DTYPES = ("float64", "float32")
FORMAT = 1
TOLERANCE = 4.0
"""How many running errors a result may be wrong by: twice what the backends are held to, for another order of the operations."""


def write_vectors(directory: Path, seed: int = 0, force: bool = False, chosen: Iterable[Subject] | None = None) -> int:
    """Write the vectors of the chosen subjects and return the number of test cases.

    NervaError if the directory is not empty, unless ``force``.
    """
    from safetensors.numpy import save

    _prepare(directory, force)
    cases: list[dict[str, Any]] = []
    for dtype in DTYPES:
        tensors: dict[str, Array] = {}
        for subject in subjects() if chosen is None else chosen:
            if subject.kind != "operation":
                for case, given, outputs in golden(subject, seed, dtype):
                    allowed = tolerances(subject, given, outputs, dtype)
                    cases.append(_describe(subject, case, dtype, given, outputs) | {"condition": conditions(outputs, allowed)})
                    matrices = {**given, **outputs, **{f"tolerance.{name}": X for name, X in allowed.items()}}
                    tensors |= {f"{cases[-1]['prefix']}/{name}": np.ascontiguousarray(X) for name, X in matrices.items()}
        write_atomically(directory / f"{dtype}.safetensors", save(dict(sorted(tensors.items()))))
    manifest = {"format": FORMAT, "seed": seed, "learning_rate": LEARNING_RATE, "cases": cases}
    write_atomically(directory / "manifest.json", (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return len(cases)


def golden(subject: Subject, seed: int, dtype: str) -> Iterator[tuple[str, Inputs, dict[str, Array]]]:
    """Case, inputs and correctly rounded outputs, where all outputs are representable."""
    for case, given in subject.inputs(seed, dtype).items():
        values = exact_values(subject, given, dtype)
        keep = np.logical_and.reduce([value.representable for value in values.values()]) if subject.elementwise else np.bool_(True)
        if subject.elementwise:
            columns = np.flatnonzero(keep)
            given = {name: X[:, columns] for name, X in given.items()}
            rounded = {name: value.rounded[:, columns] for name, value in values.items()}
        else:
            rounded = {name: value.rounded for name, value in values.items()}
        if all(np.isfinite(Y).all() for Y in rounded.values()):
            yield case, given, {name: Y.astype(dtype) for name, Y in rounded.items()}


def tolerances(subject: Subject, given: Inputs, outputs: dict[str, Array], dtype: str) -> dict[str, Array]:
    """How much each element of each output may differ: four times its running error, and four units in the last place at least."""
    running = running_errors(subject, given, dtype)
    units = {name: np.spacing(np.abs(Y)).astype(np.float64) for name, Y in outputs.items()}
    with np.errstate(over="ignore"):
        allowed = {name: TOLERANCE * np.maximum(running[name], unit) for name, unit in units.items()}
    return {name: np.minimum(X, np.finfo(dtype).max).astype(dtype) for name, X in allowed.items()}


def conditions(outputs: dict[str, Array], allowed: dict[str, Array]) -> dict[str, float]:
    """By which factor rounding errors are magnified in each output, relative to its largest element: between 1 and 1 / eps."""
    found = {}
    for name, Y in outputs.items():
        unit = float(np.spacing(np.abs(Y).max(initial=0)))
        magnified = float(allowed[name].max(initial=0)) / (TOLERANCE * unit)
        found[name] = float(f"{min(max(1.0, magnified), 1 / float(np.finfo(Y.dtype).eps)):.3g}")
    return found


def _prepare(directory: Path, force: bool) -> None:
    if directory.is_dir() and any(directory.iterdir()) and not force:
        raise NervaError(f"{directory} is not empty; give another directory, or --force to write into it")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NervaError(f"cannot make the directory {directory}: {error.strerror}") from None


def _describe(subject: Subject, case: str, dtype: str, given: Inputs, outputs: dict[str, Array]) -> dict[str, Any]:
    entry = subject.entry
    return {
        "kind": subject.kind,
        "name": type(entry).__name__,
        "equation": (type(entry).__doc__ or "").partition("\n\n")[0],
        "parameters": {field.name: _plain(getattr(entry, field.name)) for field in dataclasses.fields(entry)},
        "case": case,
        "dtype": dtype,
        "prefix": f"{subject.kind}/{subject.name}/{case}",
        "inputs": list(given),
        "outputs": list(outputs),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Geometry):
        return {name: _plain(numbers) for name, numbers in dataclasses.asdict(value).items()}
    return describe(value) if isinstance(value, Entry) else value
