"""A theorem twice over: in words, and as an instance of one of the two theorems of the checker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sympy_validation.all_sizes.symbols import Index, column_index, flat, row_index
from sympy_validation.coq.conditions import Fact, facts
from sympy_validation.coq.derivatives import Gradient
from sympy_validation.coq.numbering import Numbering, Occurrence
from sympy_validation.coq.ops import CoqOps
from sympy_validation.coq.terms import Element, LayerOutput, Term
from sympy_validation.coq.wording import Names, Wording


@dataclass(frozen=True)
class Claimed:
    """What is claimed: of a gradient that it is ``found``, or of two terms that they are equal."""

    expected: Gradient | Term
    found: Term
    indices: tuple[Index, ...]
    """The indices of the element: all that are free."""
    strict: bool = False


class Statement:
    """The text of one theorem."""

    def __init__(self, name: str, ops: CoqOps, claimed: Claimed) -> None:
        self.name, self.ops, self.claimed = name, ops, claimed
        gradient = claimed.expected if isinstance(claimed.expected, Gradient) else None
        self.gradient = gradient
        self.moving = gradient.variable if gradient else None
        self.names = Names()
        for size in _sizes(ops):
            self.names(size, size.name)
        self.words = Wording(self.names, self.moving)
        self.numbers = Numbering(self.moving)
        if gradient:
            self.numbers.register(gradient.term)
            self.left = self.numbers.term(gradient.term, gradient.free)
            self.facts = facts(ops, [gradient.term, claimed.found], gradient, claimed.strict)
        else:
            assert not isinstance(claimed.expected, Gradient)
            self.left = self.numbers.term(claimed.expected, claimed.indices, True)
            self.facts = facts(ops, [claimed.expected, claimed.found], None, claimed.strict)
        self.right = self.numbers.term(claimed.found, claimed.indices, True)
        self.facts_data = [
            (f"({f.kind}, {self._list(i.size for i in f.indices)}, {self.numbers.term(f.term, f.indices, True)})") for f in self.facts
        ]
        self.layers, self.proofs = self._layer_data()
        for index in self._all_indices():
            self.numbers.size(index.size)
        self.intros: list[str] = []

    def _all_indices(self) -> Iterator[Index]:
        """Those whose sizes are mentioned, also where no term of the checker has them."""
        yield from self.claimed.indices
        for name in self._used():
            yield from self._indices(name)
        for o in self.numbers.outputs:
            yield from _places(o.output)
            for a in o.output.arguments:
                yield from a.indices

    # The statement in words ----------------------------------------------------------------------------------------

    def __str__(self) -> str:
        goal = self._goal()
        lines = [*self._declarations(), *self._facts(), goal]
        statement = "\n  ".join(lines)
        return f"Theorem {self.name} :\n  {statement}.\nProof.\n  intros {' '.join(self.intros)}.\n{self._proof()}\nQed.\n"

    def _goal(self) -> str:
        gradient, found = self.gradient, self.claimed.found
        if gradient is None:
            scope = self.words.bind(self.claimed.indices, {})
            equation = f"{self.words.term(self.claimed.expected, scope)}\n  = {self.words.term(found, scope)}"  # type: ignore[arg-type]
            return self._foralls(self.claimed.indices, scope) + equation
        scope = self.words.bind(gradient.free, {})
        inner = self.words.bind(gradient.place, scope)
        place = " ".join(inner[i] for i in gradient.place)
        total = f"{self.words.term(found, inner)} * {self._direction()}{' ' * bool(place)}{place}"
        for i in reversed(gradient.place):
            total = f"∑ {inner[i]} < {self.words.size(i.size)}, ({total})"
        curve = self.words.term(gradient.term, scope, "t")
        return self._foralls(gradient.free, scope) + f"is_derive (fun t => {curve}) 0\n    ({total})"

    def _foralls(self, indices: Sequence[Index], scope: Any) -> str:
        return "".join(f"forall {scope[i]}, ({scope[i]} < {self.words.size(i.size)})%nat -> " for i in indices)

    def _direction(self) -> str:
        assert self.moving is not None
        return self.names(("direction", self.moving), f"d{self.moving.rpartition('.')[2]}" if self.moving else "")

    def _variable(self, name: str) -> str:
        return self.names(("variable", name), name)

    def _used(self) -> list[str]:
        """The named variables in the order of their numbers."""
        return [key for key in self.numbers.variables if isinstance(key, str)]

    def _indices(self, name: str) -> tuple[Index, ...]:
        return () if name in self.ops.scalars else self.ops.variables[name].indices

    def _declarations(self) -> Iterator[str]:
        sizes = [self.words.size(size) for size in self.numbers.sizes]
        if sizes:
            self.intros += [*sizes, *(f"H{size}" for size in sizes)]
            yield f"forall {' '.join(sizes)} : nat, {' -> '.join(f'(0 < {size})%nat' for size in sizes)} ->"
        functions = [self.words.function(f, k) for f, order in self.numbers.functions.items() for k in range(order + 2)]
        if functions:
            self.intros += functions
            yield f"forall {' '.join(functions)} : R -> R,"
        for layer in self._layers().values():
            yield from self._layer_declaration(layer)
        for name in self._used():
            if name != self.moving:
                self.intros.append(self._variable(name))
                yield f"forall {self._variable(name)} : {_type(len(self._indices(name)))},"
        if self.gradient:
            yield from self._curve(self.gradient)
        for layer in self._layers().values():
            if any(o.moving for o in layer):
                yield self._differentiable(layer[0].output)
                self.intros.append(self._hypothesis(layer[0].output))

    def _curve(self, gradient: Gradient) -> Iterator[str]:
        assert self.moving is not None
        name, direction = self._variable(self.moving), self._direction()
        scope = self.words.bind(gradient.place, {})
        place = "".join(f" {scope[i]}" for i in gradient.place)
        self.intros += [name, direction, "curve"]
        yield f"forall ({name} : R -> {_type(len(gradient.place))}) ({direction} : {_type(len(gradient.place))}),"
        yield f"({self._foralls(gradient.place, scope)}is_derive (fun t => {name} t{place}) 0 ({direction}{place})) ->"

    def _facts(self) -> Iterator[str]:
        for number, fact in enumerate(self.facts):
            scope = self.words.bind(fact.indices, {})
            self.intros.append(f"fact{number}")
            yield f"({self._foralls(fact.indices, scope)}{self._says(fact, scope)}) ->"

    def _says(self, fact: Fact, scope: Any) -> str:
        x = self.words.term(fact.term, scope)
        match fact.kind:
            case "NonZero":
                return f"{x} <> 0"
            case "Positive":
                return f"0 < {x}"
            case "One":
                return f"{x} = 1"
        f, order = fact.function
        return f"is_derive {self.words.function(f, order)} {x} ({self.words.function(f, order + 1)} {x})"

    # Abstract layers -----------------------------------------------------------------------------------------------

    def _layers(self) -> dict[str, list[Occurrence]]:
        found: dict[str, list[Occurrence]] = {}
        for occurrence in self.numbers.outputs:
            found.setdefault(self.words.layer(occurrence.output), []).append(occurrence)
        return found

    def _hypothesis(self, output: LayerOutput) -> str:
        return f"smooth_{self.words.layer(output)}"

    def _layer_declaration(self, occurrences: list[Occurrence]) -> Iterator[str]:
        output = occurrences[0].output
        arguments = " -> ".join(f"({_type(len(a.indices))})" for a in output.arguments)
        count = len(_places(output)) + (len(output.arguments[output.derivative].indices) if output.derivative >= 0 else 0)
        self.intros.append(self.words.layer(output))
        yield f"forall {self.words.layer(output)} : {arguments} -> {_type(count)},"

    def _differentiable(self, output: LayerOutput) -> str:
        """For all curves of the arguments, the output is differentiable, with these derivatives."""
        names = [f"A{k}" for k in range(len(output.arguments))]
        curves = " ".join(f"({A} : R -> {_type(len(a.indices))})" for A, a in zip(names, output.arguments, strict=True))
        at = [" ".join(f"({A} {t})" for A in names) for t in "t0"]
        scope = self.words.bind(_places(output), {})
        place = " ".join(scope[i] for i in _places(output))
        premises, total = "", "0"
        for k, a in enumerate(output.arguments):
            inner = self.words.bind(a.indices, scope)
            own = " ".join(inner[i] for i in a.indices)
            moves = f"{self._foralls(a.indices, inner)}is_derive (fun t => A{k} t {own}) 0 (T{k} {own})"
            premises += f"\n     forall T{k} : {_type(len(a.indices))}, ({moves}) ->"
            summand = f"{self.words.layer(_derivative(output, k))} {at[1]} {place} {own} * T{k} {own}"
            for i in reversed(a.indices):
                summand = f"(∑ {inner[i]} < {self.words.size(i.size)}, ({summand}))"
            total = f"{total} + {summand}"
        conclusion = f"{self._foralls(_places(output), scope)}is_derive (fun t => {self.words.layer(output)} {at[0]} {place}) 0 ({total})"
        return f"(forall {curves},{premises}\n     {conclusion}) ->"

    # The proof -----------------------------------------------------------------------------------------------------

    def _list(self, sizes: Any) -> str:
        return "[" + "; ".join(self.numbers.size(size)[1:-1] for size in sizes) + "]"

    def _environment(self) -> list[str]:
        """The variables by their numbers, as functions of lists of indices."""
        values = ["(fun _ => 0)"] * self.numbers.count
        for key, number in self.numbers.variables.items():
            if isinstance(key, str):
                values[number] = self._named(key, "t")
        for o in self.numbers.outputs:
            values[o.number] = self._made(o.output, "t" if o.moving else "0")
        made = {o.number: o.output for o in self.numbers.outputs}
        for still, number in self.numbers.stops.items():
            if still not in made:
                values[still] = self._made(made[number], "0") if number in made else self._named(str(self.moving), "0")
        return values

    def _named(self, name: str, time: str) -> str:
        at = f" {time}" if name == self.moving else ""
        return f"ap {self._list(i.size for i in self._indices(name))} ({self._variable(name)}{at})"

    def _made(self, output: LayerOutput, time: str) -> str:
        sizes = [*_places(output), *(output.arguments[output.derivative].indices if output.derivative >= 0 else ())]
        words = " ".join([self.words.layer(output), *(self.words.matrix(a, {}, time) for a in output.arguments)])
        return f"ap {self._list(i.size for i in sizes)} ({words})"

    def _proof(self) -> str:
        P = self._list(i.size for i in self.gradient.place) if self.gradient else ""
        c = self._list(i.size for i in (self.gradient.free if self.gradient else self.claimed.indices))
        values = ";\n      ".join(self._environment())
        sizes = "; ".join(self.words.size(size) for size in self.numbers.sizes)
        functions = "; ".join(
            "[" + "; ".join(self.words.function(f, k) for k in range(order + 2)) + "]" for f, order in self.numbers.functions.items()
        )
        hold = "I"
        for number in reversed(range(len(self.facts))):
            hold = f"(conj fact{number} {hold})"
        stops = "; ".join(f"({a}%nat, {b}%nat)" for a, b in self.numbers.stops.items())
        positive = f"(positive_ok [{sizes}] ltac:(conjunction))"
        head = (
            f"  pose (sizes := fun n => nth n [{sizes}] 1%nat).\n"
            f"  pose (functions := fun k o => nth o (nth k [{functions}] []) (fun x : R => x)).\n"
            f"  pose (variables := fun (t : R) => [\n      {values}] : list (list nat -> R)).\n"
            f"  pose (facts := [{'; '.join(self.facts_data)}] : list fact).\n"
        )
        if self.gradient is None:
            return head + (
                f"  apply (equal_ok sizes functions (fun t n => nth n (variables t) (fun _ => 0)) {positive} facts {c}\n"
                f"    {self.left}\n    {self.right});\n  [vm_compute; reflexivity | exact {hold}]."
            )
        return head + (
            f"  pose (layers := [{self.layers}] : list layer).\n"
            f"  apply (gradient_ok sizes functions (fun t n => nth n (variables t) (fun _ => 0)) {positive}\n"
            f"    facts 0 {P} {self._direction()} {hold} curve\n"
            f"    layers (constant_list (moving 0 layers) variables ltac:(intros; conjunction)) [{stops}] ltac:(conjunction) {c}\n"
            f"    {self.left}\n    {self.right});\n  [vm_compute; reflexivity | exact {self.proofs}]."
        )

    def _layer_data(self) -> tuple[str, str]:
        """The layers that move, the last first, and that they are differentiable."""
        data: list[str] = []
        proof = "I"
        for o in self.numbers.outputs:
            if o.moving:
                arguments = []
                for k, a in enumerate(o.output.arguments):
                    derivative = self.numbers.variable(Element(_derivative(o.output, k), ()), True)
                    arguments.append(
                        f"({derivative}%nat, {self._list(i.size for i in a.indices)}, {self.numbers.term(a.entry, a.indices[::-1])})"
                    )
                data.insert(0, f"({o.number}%nat, {self._list(i.size for i in _places(o.output))}, [{'; '.join(arguments)}])")
                curves = " ".join(f"(fun t => {self.words.matrix(a, {}, 't')})" for a in o.output.arguments)
                proof = f"(conj ({self._hypothesis(o.output)} {curves}) {proof})"
        return "; ".join(data), proof


def _derivative(output: LayerOutput, k: int) -> LayerOutput:
    return LayerOutput(output.layer, output.sizes, output.arguments, k)


def _places(output: LayerOutput) -> tuple[Index, ...]:
    rows, columns = output.sizes
    return tuple(flat(row_index(rows), column_index(columns)))


def _sizes(ops: CoqOps) -> Iterator[Any]:
    for declared in ops.variables.values():
        for index in declared.indices:
            if not isinstance(index.size, int):
                yield index.size


def _type(count: int) -> str:
    return "nat -> " * count + "R"
