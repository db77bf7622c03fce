"""A theorem twice over: in words, and as an instance of one of the two theorems of the checker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    """What is claimed: of two terms that they are equal."""

    expected: Term
    found: Term
    indices: tuple[Index, ...]
    """The indices of the element: all that are free."""
    strict: bool = False


@dataclass(frozen=True)
class ClaimedGradients:
    """What is claimed: that the gradients of one term with respect to these variables, which all move at once, are their entries."""

    gradients: tuple[Gradient, ...]

    @property
    def term(self) -> Term:
        """What is differentiated."""
        return self.gradients[0].term

    @property
    def free(self) -> tuple[Index, ...]:
        """The indices that are free in it."""
        return self.gradients[0].free


class Statement:
    """The text of one theorem."""

    def __init__(self, name: str, ops: CoqOps, claimed: Claimed | ClaimedGradients) -> None:
        self.name, self.ops, self.claimed = name, ops, claimed
        self.gradients = claimed.gradients if isinstance(claimed, ClaimedGradients) else ()
        self.moving = tuple(g.variable for g in self.gradients)
        self.names = Names()
        for size in _sizes(ops):
            self.names(size, size.name)
        self.words = Wording(self.names, self.moving)
        self.numbers = Numbering(self.moving)
        if isinstance(claimed, ClaimedGradients):
            self.numbers.register(claimed.term)
            self.indices = claimed.free
            self.left = self.numbers.term(claimed.term, claimed.free)
            found = [(g.entry, (*g.free, *g.place)) for g in claimed.gradients]
            self.facts = facts(ops, [claimed.term, *(entry for entry, _ in found)], self.moving, strict=False)
        else:
            self.indices = claimed.indices
            self.left = self.numbers.term(claimed.expected, claimed.indices, True)
            found = [(claimed.found, claimed.indices)]
            self.facts = facts(ops, [claimed.expected, claimed.found], (), claimed.strict)
        self.right = [self.numbers.term(entry, indices, True) for entry, indices in found]
        self.facts_data = [
            (f"({f.kind}, {self._list(i.size for i in f.indices)}, {self.numbers.term(f.term, f.indices, True)})") for f in self.facts
        ]
        self.layers, self.proofs = self._layer_data()
        for index in self._all_indices():
            self.numbers.size(index.size)
        self.intros: list[str] = []

    def _all_indices(self) -> Iterator[Index]:
        """Those whose sizes are mentioned, also where no term of the checker has them."""
        yield from self.indices
        for g in self.gradients:
            yield from g.place
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
        scope = self.words.bind(self.indices, {})
        foralls = self._foralls(self.indices, scope)
        if isinstance(self.claimed, Claimed):
            return f"{foralls}{self.words.term(self.claimed.expected, scope)}\n  = {self.words.term(self.claimed.found, scope)}"
        total = "\n     + (".join(f"({self._rate(g, scope)})" for g in self.gradients) + ")" * (len(self.gradients) - 1)
        total = total if len(self.gradients) == 1 else f"({total})"
        return f"{foralls}is_derive (fun t => {self.words.term(self.claimed.term, scope, 't')}) 0\n    {total}"

    def _rate(self, gradient: Gradient, scope: Any) -> str:
        """⟨the gradient, the velocity of its variable⟩."""
        inner = self.words.bind(gradient.place, scope)
        place = "".join(f" {inner[i]}" for i in gradient.place)
        rate = f"{self.words.term(gradient.entry, inner)} * {self._direction(gradient.variable)}{place}"
        for i in reversed(gradient.place):
            rate = f"∑ {inner[i]} < {self.words.size(i.size)}, ({rate})"
        return rate

    def _foralls(self, indices: Sequence[Index], scope: Any) -> str:
        return "".join(f"forall {scope[i]}, ({scope[i]} < {self.words.size(i.size)})%nat -> " for i in indices)

    def _direction(self, variable: str) -> str:
        return self.names(("direction", variable), f"d{variable.rpartition('.')[2]}")

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
            if name not in self.moving:
                self.intros.append(self._variable(name))
                yield f"forall {self._variable(name)} : {_type(len(self._indices(name)))},"
        for g in self.gradients:
            yield from self._curve(g)
        for layer in self._layers().values():
            if any(o.moving for o in layer):
                yield self._differentiable(layer[0].output)
                self.intros.append(self._hypothesis(layer[0].output))

    def _curve(self, gradient: Gradient) -> Iterator[str]:
        name, direction = self._variable(gradient.variable), self._direction(gradient.variable)
        scope = self.words.bind(gradient.place, {})
        place = "".join(f" {scope[i]}" for i in gradient.place)
        self.intros += [name, direction, f"curve{direction}"]
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
                values[still] = self._made(made[number], "0") if number in made else self._named(self.moving[number], "0")
        return values

    def _named(self, name: str, time: str) -> str:
        at = f" {time}" if name in self.moving else ""
        return f"ap {self._list(i.size for i in self._indices(name))} ({self._variable(name)}{at})"

    def _made(self, output: LayerOutput, time: str) -> str:
        sizes = [*_places(output), *(output.arguments[output.derivative].indices if output.derivative >= 0 else ())]
        words = " ".join([self.words.layer(output), *(self.words.matrix(a, {}, time) for a in output.arguments)])
        return f"ap {self._list(i.size for i in sizes)} ({words})"

    def _proof(self) -> str:
        c = self._list(i.size for i in self.indices)
        values = ";\n      ".join(self._environment())
        sizes = "; ".join(self.words.size(size) for size in self.numbers.sizes)
        functions = "; ".join(
            "[" + "; ".join(self.words.function(f, k) for k in range(order + 2)) + "]" for f, order in self.numbers.functions.items()
        )
        hold = _conjunction(f"fact{number}" for number in range(len(self.facts)))
        positive = f"(positive_ok [{sizes}] ltac:(conjunction))"
        head = (
            f"  pose (sizes := fun n => nth n [{sizes}] 1%nat).\n"
            f"  pose (functions := fun k o => nth o (nth k [{functions}] []) (fun x : R => x)).\n"
            f"  pose (variables := fun (t : R) => [\n      {values}] : list (list nat -> R)).\n"
            f"  pose (facts := [{'; '.join(self.facts_data)}] : list fact).\n"
        )
        if not self.gradients:
            return head + (
                f"  apply (equal_ok sizes functions (fun t n => nth n (variables t) (fun _ => 0)) {positive} facts {c}\n"
                f"    {self.left}\n    {self.right[0]});\n  [vm_cast_no_check (eq_refl true) | exact {hold}]."
            )
        moving = "; ".join(f"({k}%nat, {P}, ap {P} {self._direction(v)})" for k, (v, P) in enumerate(self._moving()))
        numbers = "; ".join(f"{k}%nat" for k in range(len(self.gradients)))
        found = ";\n     ".join(self.right)
        curves = _conjunction(f"curve{self._direction(name)}" for name in self.moving)
        return head + (
            f"  pose (layers := [{self.layers}] : list layer).\n"
            f"  apply (gradients_ok sizes functions (fun t n => nth n (variables t) (fun _ => 0)) {positive}\n"
            f"    facts [{moving}] {hold} {curves}\n"
            f"    layers (constant_list (moving [{numbers}] layers) variables ltac:(intros; conjunction))\n"
            f"    {self._stops()} ltac:(conjunction) {c}\n"
            f"    {self.left}\n    [{found}]);\n  [vm_cast_no_check (eq_refl true) | exact {self.proofs}]."
        )

    def question(self) -> str:
        """What the checker computes in the proof: true, if it accepts the statement."""
        facts, c = f"[{'; '.join(self.facts_data)}]", self._list(i.size for i in self.indices)
        if not self.gradients:
            return f"check_equal {facts} {c} {self.left} {self.right[0]}"
        moving = "; ".join(f"({k}%nat, {P})" for k, (_, P) in enumerate(self._moving()))
        return f"check_gradients {facts} [{moving}] [{self.layers}] {self._stops()} {c} {self.left} [{'; '.join(self.right)}]"

    def _moving(self) -> list[tuple[str, str]]:
        """The variables that move, with the sizes of their indices."""
        return [(g.variable, self._list(i.size for i in g.place)) for g in self.gradients]

    def _stops(self) -> str:
        return "[" + "; ".join(f"({a}%nat, {b}%nat)" for a, b in self.numbers.stops.items()) + "]"

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


def _conjunction(proofs: Iterable[str]) -> str:
    """The proof of a conjunction that ends with True."""
    *parts, last = *proofs, "I"
    for proof in reversed(parts):
        last = f"(conj {proof} {last})"
    return last


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
