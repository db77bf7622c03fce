"""Theorems about a layer, an activation or another entry of the user's own: ``my_layer.py:MyLayer``, ``my_layer.py:MyLayer(outputs=3)``."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.registry import Entry, EntryCall, Table, parse_call
from nerva_core.algebra.user_files import load_file
from nerva_core.equations.activations import Activation
from nerva_core.equations.losses import Loss
from nerva_core.layers import ActivationLayer, Layer
from sympy_validation.claims import ActivationGradient, Claim, Make, Slope
from sympy_validation.faults import fault, place
from sympy_validation.hyperparameters import COMBINATIONS, choices, concrete, finite_values
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.limits import Limits, NoVerdict
from sympy_validation.numeric_check import NumericCheck
from sympy_validation.operands import ComparedError, watched
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import LIMITS, Theorem
from sympy_validation.theorems.layers import gradient_theorems
from sympy_validation.theorems.tools import about
from sympy_validation.user_updates import STATED, LossAsLayer, stated

KINDS: tuple[type[Entry], ...] = (Layer, Activation, *STATED)


def is_user_layer(name: str) -> bool:
    """Whether the name is that of a class in a file, or of a file."""
    return ".py:" in name or name.endswith(".py")


def user_theorems(name: str, limits: Limits = LIMITS) -> list[Theorem]:
    """The theorems about the layer or activation; NervaError if there is none of this name, or if it cannot be made."""
    if name.endswith(".py"):
        raise NervaError(f"which class of {name}? {_listing(name)}")
    path, _, description = name.rpartition(".py:")
    call = parse_call(description)
    entry = _own_class(load_file(Path(path + ".py")), call.name)
    given = _given(entry, call)
    subject = f"{Path(path).name}.py:{entry.__name__}"
    finite = finite_values(entry, given)
    theorems: list[Theorem] = []
    for number, values in enumerate(itertools.islice(itertools.product(*finite.values()), COMBINATIONS)):
        chosen = dict(zip(finite, values, strict=True))
        label = ", ".join(f"{key}={value}" for key, value in chosen.items()) if number else ""
        theorems += [replace(theorem, name=label) for theorem in _theorems(subject, entry, given | chosen, limits)]
    return theorems


def _listing(path: str) -> str:
    names = [entry.__name__ for entry in _own_classes(load_file(Path(path)))]
    return f"it has {', '.join(f'{path}:{name}' for name in names)}" if names else "it has nothing that can be proved"


def _theorems(subject: str, entry: type[Entry], given: dict[str, Any], limits: Limits) -> list[Theorem]:
    if issubclass(entry, Activation):
        return _activation_theorems(subject, entry, given, limits)
    if not issubclass(entry, Layer):
        return _stated_theorems(subject, entry, given, limits)
    make, conditions = _runnable(entry, given, LayerGradient, limits)
    numbers = NumericCheck(choices(entry, given, lambda layer: layer))
    return list(gradient_theorems(subject, make, methods=("all sizes",), conditions=conditions, numbers=numbers))


def _activation_theorems(subject: str, entry: type[Activation], given: dict[str, Any], limits: Limits) -> list[Theorem]:
    """That the gradient is the derivative of the value and, if it is stated, the second derivative that of the gradient."""
    make, conditions = _runnable(entry, given, ActivationGradient, limits)
    claims: list[tuple[str, str, Make, Callable[[Any], Layer]]] = [("gradient", "value", make, ActivationLayer)]
    if entry.second_derivative is not Activation.second_derivative:
        claims.append(("second_derivative", "gradient", lambda space: Slope(make(space)), lambda f: ActivationLayer(Slope(f))))
    theorems = []
    for quantity, of, make_one, as_layer in claims:
        numbers = NumericCheck(choices(entry, given, as_layer), quantity)
        claim = ActivationGradient(make_one, quantity)
        statement = f"DY ⊙ {quantity} = ∂⟨DY, {of}⟩ / ∂X for every DY"
        theorems += [
            replace(theorem, numbers=numbers) for theorem in about(subject, claim, statement, methods=("all sizes",), conditions=conditions)
        ]
    return theorems


def _stated_theorems(subject: str, entry: type[Entry], given: dict[str, Any], limits: Limits) -> list[Theorem]:
    """What is claimed of a loss, or what an optimizer, a schedule or an initializer says of itself."""
    what = stated(entry)
    make, conditions = _runnable(entry, given, what.claim, limits)
    claim = what.claim(make)
    if what.range:
        return list(about(subject, claim, what.statement(""), methods=("entries",), conditions=conditions, range=what.range))
    numbers = NumericCheck(choices(entry, given, LossAsLayer) if issubclass(entry, Loss) else [], "DY")
    found = about(subject, claim, "{}", methods=("all sizes",), conditions=conditions)
    return [replace(theorem, statement=what.statement(theorem.quantity), numbers=numbers) for theorem in found]


def _own_classes(module: ModuleType) -> list[type[Entry]]:
    return [x for x in vars(module).values() if isinstance(x, type) and issubclass(x, KINDS) and x.__module__ == module.__name__]


def _own_class(module: ModuleType, name: str) -> type[Entry]:
    own = _own_classes(module)
    found = getattr(module, name, None)
    if found is None:
        hint = did_you_mean(name, [entry.__name__ for entry in own]) if own else "it has nothing that can be proved"
        raise NervaError(f"{module.__file__} has no class {name!r}; {hint}")
    if not (isinstance(found, type) and issubclass(found, KINDS)):
        bases = ", ".join(f"{kind.__module__}.{kind.__name__}" for kind in KINDS)
        raise NervaError(f"{name} must be a class derived from one of {bases}")
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    fields_of_its_own = vars(found).get("__annotations__") and "__dataclass_fields__" not in vars(found)
    if fields_of_its_own or missing:
        kind = next(kind for kind in KINDS if issubclass(found, kind))
        defines = " and ".join(sorted(getattr(kind, "__abstractmethods__", ()), reverse=kind is not Layer))
        raise NervaError(f"{name} must be a frozen dataclass that defines {defines}, missing: {missing or '@dataclass'}")
    return found


def _given(entry: type[Entry], call: EntryCall) -> dict[str, Any]:
    fields = [field.name for field in dataclasses.fields(entry)]
    if len(call.arguments) > len(fields):
        raise NervaError(f"{entry.__name__} takes at most {len(fields)} parameters, got {len(call.arguments)}")
    given = dict(zip(fields, call.arguments, strict=False)) | dict(call.parameters)
    hints = typing.get_type_hints(entry, include_extras=True)
    for name in given:
        if name not in fields:
            raise NervaError(f"{entry.__name__} has no parameter {name!r}; {did_you_mean(name, fields) if fields else 'it has none'}")
    return {name: Table.of[hints[name]].parse(str(value)) if hints[name] in Table.of else value for name, value in given.items()}


def _runnable(entry: type[Entry], given: dict[str, Any], claim: Callable[[Make], Claim], limits: Limits) -> tuple[Make, tuple[str, ...]]:
    """The entry with symbols for its parameters or, if its code needs numbers, with their default values; and what that assumes."""
    from sympy_validation.spaces.entries import EntriesSpace

    def with_symbols(space: Any) -> Entry:
        return symbolic(entry, space, **given)

    try:
        with limits.held():
            claim(with_symbols).problem(EntriesSpace(SIZES[0]))
            compares = _compares_scalars(claim(with_symbols))
        if not compares:
            return with_symbols, concrete(entry, given, {})
        raise ComparedError
    except NoVerdict:
        return with_symbols, concrete(entry, given, {})
    except NervaError as error:
        raise NervaError(f"{error}{place(error)}") from error
    except Exception:
        defaults = {f.name: f.default for f in dataclasses.fields(entry) if f.default is not dataclasses.MISSING}

    def with_defaults(space: Any) -> Entry:
        return symbolic(entry, space, **{**defaults, **given})

    try:
        claim(with_defaults).quantities()
        claim(with_defaults).problem(PointSpace(0))
    except NervaError as error:
        raise NervaError(f"{error}{place(error)}") from error
    except Exception as error:
        raise NervaError(f"{entry.__name__} does not run: {fault(error)}") from error
    return with_defaults, concrete(entry, given, defaults)


def _compares_scalars(claim: Claim) -> bool:
    """Whether the code looks at the value of a hyper-parameter that is a symbol."""
    space = SymbolicSizesSpace()
    try:
        with watched():
            problem = claim.problem(space)
            problem.tested(space.ops)
            if not isinstance(claim, LayerGradient):  # whose forward is not run before it is differentiated
                for expected in problem.expected.values():
                    expected()
    except ComparedError:
        return True
    except Exception:
        return False  # told by the proof, or not a fault at concrete sizes
    return False
