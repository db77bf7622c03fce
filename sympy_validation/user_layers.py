"""Theorems about a layer, an activation or another entry of the user's own: ``my_layer.py:MyLayer``, ``my_layer.py:MyLayer(outputs=3)``."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.registry import Entry, EntryCall, Table, parse_call
from nerva_core.algebra.user_files import load_file
from nerva_core.equations.activations import Activation
from nerva_core.layers import ActivationLayer, Layer
from sympy_validation.cases import Case, ImpossibleError, InCase, divide
from sympy_validation.claims import ActivationGradient, Claim, Make, Slope
from sympy_validation.faults import fault, place
from sympy_validation.hyperparameters import COMBINATIONS, Choice, choices, counts, finite_values, options
from sympy_validation.layer_gradient import LayerGradient
from sympy_validation.limits import Limits, NoVerdict
from sympy_validation.numeric_check import LAYERS, NumericCheck, NumericRuns
from sympy_validation.operands import ComparedError, watched
from sympy_validation.own_math import use_symbols
from sympy_validation.parts import ByParts
from sympy_validation.spaces.points import SIZES, PointSpace
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.symbols import symbolic
from sympy_validation.theorem import LIMITS, Theorem
from sympy_validation.theorems.layers import gradient_theorems
from sympy_validation.theorems.tools import about
from sympy_validation.user_updates import STATED, stated
from sympy_validation.ways import Ways

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
    module = load_file(Path(path + ".py"))
    use_symbols(module)
    entry = _own_class(module, call.name)
    given = _given(entry, call)
    subject = f"{Path(path).name}.py:{entry.__name__}"
    finite = finite_values(entry, given)
    total = prod(map(len, finite.values()))
    untried = (f"{COMBINATIONS} of the {total} combinations of {', '.join(finite)}",) if total > COMBINATIONS else ()
    theorems: list[Theorem] = []
    for number, values in enumerate(itertools.islice(itertools.product(*finite.values()), COMBINATIONS)):
        chosen = dict(zip(finite, values, strict=True))
        label = ", ".join(f"{key}={value}" for key, value in chosen.items()) if number else ""
        for theorem in _theorems(subject, entry, given | chosen, limits):
            unasked = (*theorem.unasked, *untried)
            theorems.append(replace(theorem, name=" ".join(filter(None, (label, theorem.name))), unasked=unasked))
    return theorems


def _listing(path: str) -> str:
    names = [entry.__name__ for entry in own_classes(load_file(Path(path)))]
    return f"it has {', '.join(f'{path}:{name}' for name in names)}" if names else "it has nothing that can be proved"


def _theorems(subject: str, entry: type[Entry], given: dict[str, Any], limits: Limits) -> list[Theorem]:
    if issubclass(entry, Activation):
        return _activation_theorems(subject, entry, given, limits)
    if not issubclass(entry, Layer):
        return _stated_theorems(subject, entry, given, limits)
    found = _runnable(entry, given, LayerGradient, limits)
    numbers = found.numbers(choices(entry, given, lambda layer: layer))
    theorems: list[Theorem] = []
    for make, name in found.in_cases():
        theorems += gradient_theorems(subject, make, methods=("all sizes",), name=name, numbers=numbers, **found.options)
    return theorems


def _activation_theorems(subject: str, entry: type[Activation], given: dict[str, Any], limits: Limits) -> list[Theorem]:
    """That the gradient is the derivative of the value and, if it is stated, the second derivative that of the gradient."""
    found = _runnable(entry, given, ActivationGradient, limits)
    quantities: list[tuple[str, str, Callable[[Make], Make], Callable[[Any], Layer]]]
    quantities = [("gradient", "value", lambda make: make, ActivationLayer)]
    if entry.second_derivative is not Activation.second_derivative:
        quantities.append(("second_derivative", "gradient", _slope, lambda f: ActivationLayer(Slope(f))))
    theorems: list[Theorem] = []
    for quantity, of, function, as_layer in quantities:
        numbers = found.numbers(choices(entry, given, as_layer), quantity)
        statement = f"DY ⊙ {quantity} = ∂⟨DY, {of}⟩ / ∂X for every DY"
        for make, name in found.in_cases():
            claim = ActivationGradient(function(make), quantity)
            made = about(subject, claim, statement, methods=("all sizes",), **found.options)
            theorems += [replace(theorem, name=name, numbers=numbers) for theorem in made]
    return theorems


def _slope(make: Make) -> Make:
    return lambda space: Slope(make(space))


def _stated_theorems(subject: str, entry: type[Entry], given: dict[str, Any], limits: Limits) -> list[Theorem]:
    """What is claimed of a loss, or what an optimizer, a schedule or an initializer says of itself."""
    what = stated(entry)
    found = _runnable(entry, given, what.claim, limits)
    numbers = found.numbers(choices(entry, given, what.as_layer) if what.runs else [], what.quantity, what.runs or LAYERS)
    theorems: list[Theorem] = []
    for make, name in found.in_cases():
        claim, options = what.claim(make), found.options
        if what.range:
            made = about(subject, claim, what.statement(""), methods=("entries",), range=what.range, **options)
            restricted = (*found.options["unasked"], *[what.range] * ("=" in what.range))
            theorems += [replace(theorem, name=name, unasked=restricted, numbers=numbers if what.runs else None) for theorem in made]
        else:
            made = about(subject, claim, "{}", methods=("all sizes",), **options)
            theorems += [replace(t, name=name, statement=what.statement(t.quantity), numbers=numbers) for t in made]
    return theorems


def own_classes(module: ModuleType) -> list[type[Entry]]:
    """The classes of the file that can be proved."""
    return [x for x in vars(module).values() if isinstance(x, type) and issubclass(x, KINDS) and x.__module__ == module.__name__]


def _own_class(module: ModuleType, name: str) -> type[Entry]:
    own = own_classes(module)
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


@dataclass(frozen=True)
class Runnable:
    """An entry that runs: with which values, in which cases, and what is assumed."""

    make: Make
    options: dict[str, Any]
    """Of a theorem: its conditions, and those among them that nobody has asked for."""
    cases: tuple[Case, ...] = (Case(),)
    ways: Ways = field(default_factory=Ways)
    """That its code takes on symbols, in all cases together."""

    def numbers(self, chosen: list[Choice], gradient: str = "", runs: NumericRuns = LAYERS) -> NumericCheck:
        """What it does on NumPy; there it goes the same ways, with other values of the hyper-parameters too if it is proved for all."""
        return NumericCheck(chosen, gradient, self.ways, len(chosen) if not self.options["unasked"] else 1, runs)

    def in_cases(self) -> Iterator[tuple[Make, str]]:
        """The entry in each case, and the words for it."""
        for case in self.cases:
            yield InCase(self.make, case), f"if {case.words}" if case.words else ""


def _runnable(entry: type[Entry], given: dict[str, Any], claim: Callable[[Make], Claim], limits: Limits) -> Runnable:
    """The entry with symbols for its parameters or, if its code needs numbers, with their default values."""
    own_sizes = counts(entry, given)
    try:
        with limits.held():
            for names in (own_sizes, ()) if own_sizes else ((),):
                found = _with_symbols(entry, given, claim, names)
                if found:
                    return found
    except NoVerdict:
        return Runnable(_maker(entry, given), options(entry, given, {}))
    defaults = {f.name: f.default for f in dataclasses.fields(entry) if f.default is not dataclasses.MISSING}
    make = _maker(entry, {**defaults, **given})
    try:
        claim(make).quantities()
        claim(make).problem(PointSpace(0))
    except NervaError as error:
        raise NervaError(f"{error}{place(error)}") from error
    except Exception as error:
        raise NervaError(f"{entry.__name__} does not run: {fault(error)}") from error
    ways = Ways()
    return Runnable(make, options(entry, given, defaults), _cases(claim, make, False, ways) or (Case(),), ways)


def _maker(entry: type[Entry], given: dict[str, Any], sizes: tuple[str, ...] = ()) -> Make:
    return lambda space: symbolic(entry, space, **given, **{name: space.size(name) for name in sizes})


def _with_symbols(entry: type[Entry], given: dict[str, Any], claim: Callable[[Make], Claim], sizes: tuple[str, ...]) -> Runnable | None:
    """The entry with symbols, and with any sizes for these counts; None if its code needs numbers."""
    make = _maker(entry, given, sizes)
    ways = Ways()
    cases = _cases(claim, make, bool(sizes), ways)
    if not cases:
        return None
    if not sizes and not all(_runs(claim, make, case) for case in cases):
        return None
    known = dict.fromkeys(sizes, "any size")
    return Runnable(make, options(entry, given, {}, known), cases, ways)


def _runs(claim: Callable[[Make], Claim], make: Make, case: Case) -> bool:
    """Whether the code runs on symbols; NervaError if it says itself why not."""
    made = claim(InCase(make, case))
    try:
        ByParts(made).problem(SymbolicSizesSpace(own=True))
    except Exception:
        from sympy_validation.spaces.entries import EntriesSpace  # SymPy is slow to load, and seldom needed

        try:
            made.problem(EntriesSpace(SIZES[0]))
        except NervaError as error:
            raise NervaError(f"{error}{place(error)}") from error
        except Exception:
            return False
    return True


def _cases(claim: Callable[[Make], Claim], make: Make, must_run: bool, ways: Ways) -> tuple[Case, ...]:
    """The cases in which the code decides by nothing that is arbitrary; none if it looks at what has no cases, or does not run."""

    def divisions(case: Case) -> list[Case]:
        made = InCase(make, case)
        try:
            made(PointSpace(0))
        except NervaError:
            if case != Case():
                raise ImpossibleError from None  # its values are none that the entry takes
        except Exception:
            pass  # of what does not run, the run on symbols below tells
        space = SymbolicSizesSpace(own=True)
        try:
            with watched(ways):
                problem = ByParts(claim(made)).problem(space)
                problem.tested(space.ops)
                if not isinstance(claim(made), LayerGradient):  # whose forward has run before it is differentiated
                    for expected in problem.expected.values():
                        expected()
        except ComparedError as error:
            if error.cases:
                return [*error.cases]
            if must_run or "hyper-parameter" in str(error):
                raise
            return []  # the proof says it
        except Exception:
            if must_run:
                raise
        return []

    try:
        return tuple(divide(divisions) or ())
    except Exception:
        return ()
