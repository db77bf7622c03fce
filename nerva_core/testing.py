"""For the test suites of others: proofs of gradients, and golden vectors.

``assert_gradient`` fails, with a counterexample, unless a backward pass is proved to be the gradient. ``golden_cases`` reads what
``nerva vectors`` has written, and each case checks what another library computes:

    @pytest.mark.parametrize("case", golden_cases("golden", "layer", "Softmax"), ids=str)
    def test_softmax(case):
        Y, DX = my_softmax(case["X"], case["DY"])
        case.check(Y=Y, DX=DX)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.memory import Array


def assert_gradient(
    function: Any,
    shapes: str,
    backward: Callable[..., Any] | None = None,
    *,
    different: str = "",
    some_sizes: bool = True,
    seconds: float = 30.0,
) -> None:
    """Fail unless the gradient is proved: for all sizes or, with ``some_sizes``, at least for those at which its loops were unrolled.

    ``function`` is an ``autograd.Function``, a ``custom_vjp`` function, a class with forward and backward, or a function; of a function
    whose backward has another name, that is ``backward``. ``different`` says why a backward is not to be the gradient.

    Raises:
        AssertionError: the gradient is not proved; the message has the counterexample and, if one is found, the repair.
        NervaError: the shapes are not those of the function.
    """
    from nerva_core.algebra.numeric_backend import require

    require("sympy", "proofs")
    from sympy_validation.foreign import gradients
    from sympy_validation.foreign.code import pair
    from sympy_validation.foreign.find import code_of
    from sympy_validation.foreign.gradient_verdict import Rung
    from sympy_validation.foreign.grammar import parse
    from sympy_validation.foreign.verdicts import decide_code
    from sympy_validation.limits import Limits

    __tracebackhide__ = True
    name, module = _name(function), _module(function)
    code = code_of(name, module, function) if backward is None else pair(f"{name}/{_name(backward)}", module, function, backward)
    signature = parse(shapes)
    gradients.check_names(code, signature)
    verdict = decide_code(code, signature, expected=different, limits=Limits(seconds))
    if not verdict.as_expected or (verdict.rung is Rung.SOME_SIZES and not some_sizes):
        raise AssertionError(f"the gradient of {code.name} is not proved: {verdict.words}")


def _name(function: Any) -> str:
    return str(getattr(getattr(function, "fun", function), "__name__", function))


def _module(function: Any) -> ModuleType:
    """The module in which a function is defined."""
    __tracebackhide__ = True
    module = sys.modules.get(getattr(getattr(function, "fun", function), "__module__", ""))
    if module is None:
        raise NervaError(f"{function!r} is not a function or a class of a module that is loaded")
    return module


@dataclass(frozen=True)
class GoldenCase:
    """One test case of golden vectors: ``case["X"]`` is an input or a result by its name, rounded once from the exact value."""

    kind: str
    name: str
    case: str
    dtype: str
    parameters: Mapping[str, Any]
    condition: Mapping[str, float]
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    tolerances: Mapping[str, Array]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}/{self.case}/{self.dtype}"

    def __getitem__(self, name: str) -> Array:
        known = {**self.inputs, **self.outputs}
        if name not in known:
            raise NervaError(f"{self} has no matrix {name!r}; {did_you_mean(name, known)}")
        return known[name]

    def check(self, **computed: Any) -> None:
        """AssertionError if an element of what was computed, by the names of the outputs, is further off than its tolerance.

        Names that are no Python names, such as ``new state.mean``, are given as ``**{"new state.mean": M}``.
        """
        __tracebackhide__ = True
        if not computed:
            raise NervaError(f"nothing is checked: give outputs by name, {', '.join(self.outputs)}")
        for name, X in computed.items():
            if name not in self.outputs:
                raise NervaError(f"{self} has no output {name!r}; {did_you_mean(name, self.outputs)}")
            self._check(name, np.asarray(X))

    def _check(self, name: str, found: Array) -> None:
        expected = self.outputs[name].astype(np.float64)
        if found.shape != expected.shape:
            raise AssertionError(f"{self}: {name} is {found.shape}, should be {expected.shape}")
        error = np.abs(found.astype(np.float64) - expected)
        allowed = self.tolerances[name].astype(np.float64)
        wrong = ~(error <= allowed)  # a NaN is wrong too
        if wrong.any():
            i, j = np.argwhere(wrong)[0]
            raise AssertionError(
                f"{self}: {name}[{i},{j}] should be {expected[i, j]!r} up to {allowed[i, j]:.2g}, is {found[i, j]!r}; "
                f"{wrong.sum()} of {wrong.size} elements are further off than they may be"
            )


def golden_cases(directory: str | Path, kind: str = "", name: str = "", dtype: str = "") -> list[GoldenCase]:
    """The cases of this kind, name and dtype, of all if it is empty; NervaError if there are none, so that no test is empty."""
    from safetensors.numpy import load_file

    directory = Path(directory)
    try:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["cases"]
        tensors = {dtype: load_file(directory / f"{dtype}.safetensors") for dtype in ("float64", "float32")}
    except (OSError, KeyError, ValueError) as error:
        raise NervaError(f"{directory} has no golden vectors ({error}); nerva vectors {directory} writes them") from None
    chosen = [each for each in manifest if kind in ("", each["kind"]) and name in ("", each["name"]) and dtype in ("", each["dtype"])]
    if not chosen:
        names = {each["name"] for each in manifest if kind in ("", each["kind"])}
        about = did_you_mean(name, names) if names else f"kinds are {', '.join(sorted({each['kind'] for each in manifest}))}"
        raise NervaError(f"no golden vectors in {directory} for {' '.join(filter(None, (kind, name, dtype)))}; {about}")
    return [_golden_case(each, tensors[each["dtype"]]) for each in chosen]


def _golden_case(case: dict[str, Any], tensors: Mapping[str, Array]) -> GoldenCase:
    def matrices(names: list[str], before: str = "") -> dict[str, Array]:
        return {name: tensors[f"{case['prefix']}/{before}{name}"] for name in names}

    plain = {key: case[key] for key in ("kind", "name", "case", "dtype", "parameters", "condition")}
    return GoldenCase(
        **plain, inputs=matrices(case["inputs"]), outputs=matrices(case["outputs"]), tolerances=matrices(case["outputs"], "tolerance.")
    )
