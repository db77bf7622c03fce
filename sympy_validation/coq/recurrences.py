"""The recurrence of a cell, for any number of steps: the cell of the code is exported, and the library makes the induction.

``CellGradient`` is about ``cell`` and ``cell_backpropagate`` of a layer. Here its gradients are one theorem, in which A, B and the state
move at once; so the cell is right in the sense of the library, where ``cell_step_right`` adds the products A = X · Wᵀ + 1 · b and
B = H · Uᵀ + 1 · c, and ``recurrence_ok`` the steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from nerva_core.layers import GRU, LSTM, RNN
from sympy_validation.all_sizes.symbols import Index, flat
from sympy_validation.coq.derivatives import Gradient
from sympy_validation.coq.matrices import CoqMatrix
from sympy_validation.coq.space import CoqSpace, Differentiated
from sympy_validation.coq.statement import ClaimedGradients, Statement
from sympy_validation.coq.terms import Term
from sympy_validation.coq.wording import Wording
from sympy_validation.theorem import Theorem
from sympy_validation.theorems.recurrent import CellGradient, cell_of

CELLS = {f"layers.{entry.__name__}": entry for entry in (RNN, LSTM, GRU)}
STATEMENT = (
    "the gradients of the parameters, of the first state and of every input, of Σ_t ⟨DY_t, S_t⟩ + ⟨D, the last state⟩, are those of "
    "backpropagation through time, for any number of steps"
)


def recurrence(subject: str) -> Theorem:
    """The theorem about the layer, which Coq proves by induction."""
    return Theorem(subject, "recurrence", STATEMENT, CellGradient(cell_of(CELLS[subject])), "all sizes")


class CellRecurrence:
    """The text about one layer: the cell, its equations as functions, and the instance of the induction over time."""

    def __init__(self, theorem: Theorem, name: str) -> None:
        claim = theorem.claim
        assert isinstance(claim, CellGradient)
        self.name, self.space, self.states = name, CoqSpace(), claim.layer(CoqSpace()).states
        problem = claim.problem(self.space)
        found = problem.tested(self.space.ops)
        gradients: list[Gradient] = []
        for quantity in claim.quantities():
            expected = problem.expected[quantity]()
            assert isinstance(expected, Differentiated)
            expected.check_shape(found[quantity])
            term, free, variable, place = expected.of
            gradients.append(Gradient(gradients[0].term if gradients else term, tuple(free), variable, tuple(place), found[quantity].entry))
        self.cell = Statement(f"{name}_cell", self.space.ops, ClaimedGradients(tuple(gradients)))
        self.text = str(self.cell)
        A, B, *state = map(self._declared, ("A", "B", *self.states))
        self.after: Sequence[CoqMatrix] = claim.layer(self.space).cell(self.space.ops, A, B, *state)[0]
        self.words = Wording(self.cell.names, ())

    def __str__(self) -> str:
        return "\n".join([self.text, *self._lines()]) + "\n"

    def _declared(self, name: str) -> CoqMatrix:
        declared = self.space.ops.variables[name]
        return self.space.ops.variable(name, declared.rows, declared.columns)

    def _lines(self) -> Iterator[str]:
        sizes = [self.words.size(size) for size in self.cell.numbers.sizes]
        yield f"From Nerva Require Import Networks Recurrences.\nSection {self.name}.\nVariables {' '.join(sizes)} : nat."
        yield from (f"Hypothesis H{size} : (0 < {size})%nat." for size in sizes)
        for names in self._functions():
            yield f"Variables {' '.join(names)} : R -> R."
            yield from (f"Hypothesis smooth_{a} : forall x, is_derive {a} x ({b} x)." for a, b in pairwise(names))
        yield f"Notation rows := {self._tensor('A')}."
        yield f"Definition {self.name}_state := {_nested('pair_of ', '', map(self._tensor, self.states))}."
        yield from self._equations()
        yield from self._theorems()
        yield f"End {self.name}."

    def _functions(self) -> list[list[str]]:
        """The unknown functions, each with its derivatives."""
        return [[self.words.function(f, k) for k in range(order + 2)] for f, order in self.cell.numbers.functions.items()]

    def _sizes(self, name: str) -> list[str]:
        return [f"{self.words.size(i.size)}%nat" for i in self.space.ops.variables[name].indices]

    def _tensor(self, name: str) -> str:
        return f"(tensor [{'; '.join(self._sizes(name))}])"

    def _equations(self) -> Iterator[str]:
        """The cell of the code forwards and backwards, as functions."""
        given = f"(A B : rows) (state : {self.name}_state)"
        lets = self._lets("state", "{}")
        after = (self._matrix(H.entry, (*flat(H.i, H.j),)) for H in self.after)
        yield f"Definition {self.name}_forward {given} : {self.name}_state :={lets}\n  {_nested('', ',', after)}."
        DA, DB, *Dstate = (self._matrix(g.entry, g.place) for g in self.cell.gradients)
        yield f"Definition {self.name}_backward {given} (Dstate : {self.name}_state) : rows * (rows * {self.name}_state) :={lets}"
        yield f"  {self._lets('Dstate', 'D{}1')}\n  ({DA},\n   ({DB},\n   {_nested('', ',', Dstate)}))."

    def _lets(self, pair: str, name: str) -> str:
        values = zip((name.format(state) for state in self.states), projections(pair, len(self.states)), strict=True)
        return "".join(f"\n  let {self.words.names(('variable', each), each)} := {value} in" for each, value in values)

    def _matrix(self, entry: Term, place: Sequence[Index]) -> str:
        scope = self.words.bind(place, {})
        return f"(fun {' '.join(scope[i] for i in place)} => {self.words.term(entry, scope)})"

    def _theorems(self) -> Iterator[str]:
        name, state, (N, *P), K = self.name, f"{self.name}_state", self._sizes("A"), self._sizes("H")[-1]
        yield f"Theorem {name}_cell_right : cell_right {N} [{'; '.join(P)}] {state} {name}_forward {name}_backward."
        yield "Proof.\n  intros A dA B dB state dstate MA MB Mstate Dstate found. unfold found. clear found."
        yield f"  generalize ({name}_cell {' '.join(self._arguments())})."
        yield f"  lazy beta iota zeta delta [{' '.join(self._unfolded())}]. exact (fun right => right).\nQed."
        single = len(self.states) == 1
        part, whole = ("(fun s => s)", "(fun G => G)") if single else ("fst", "(fun G => (G, zero_of))")
        proofs = "(fun s ds M => M) (fun G s => eq_refl)" if single else "(first_moves _ _) (first_ok _ _)"
        own = f"{N} D {K} [{'; '.join(P)}] {state} {part}"
        forward, backward = f"(forward {own} {name}_forward)", f"(backward {own} {whole} {name}_backward)"
        yield f"Theorem {name} : forall D DY Dend steps t theta dtheta state dstate X dX,"
        yield "  moves_of theta dtheta -> moves_of state dstate -> (forall u, moves_of (fun r => X r u) (dX u)) ->"
        yield f"  let found := through_time _ _ _ _ {forward} {backward} DY Dend steps t (theta 0) (state 0) (X 0) in"
        yield f"  is_derive (fun r => objective _ _ _ _ {forward} DY Dend steps t (theta r) (state r) (X r)) 0"
        yield "    (⟨fst found, dtheta⟩ + (⟨fst (snd found), dstate⟩ + ∑ k < steps, ⟨snd (snd found) (t + k)%nat, dX (t + k)%nat⟩))."
        right = f"(cell_step_right {own} {whole} {proofs} {name}_forward {name}_backward {name}_cell_right)"
        yield f"Proof. intros D DY Dend. exact (recurrence_ok _ _ _ _ {forward} {backward} DY Dend {right}). Qed."

    def _unfolded(self) -> list[str]:
        own = (f"{self.name}_{part}" for part in ("forward", "backward", "state"))
        return [*own, "inner_of", "pair_of", "family", "numbers", "tensor", "carrier", "fst", "snd"]

    def _arguments(self) -> Iterator[str]:
        """What the theorem about the cell is applied to: sizes, functions, what stands still, the curves, and that functions are smooth."""
        sizes, count = [self.words.size(size) for size in self.cell.numbers.sizes], len(self.states)
        yield from (*sizes, *(f"H{size}" for size in sizes))
        yield from (name for names in self._functions() for name in names)
        still = dict(zip((f"D{name}1" for name in self.states), projections("Dstate", count), strict=True))
        yield from (f"({still[name]})" for name in self.cell.numbers.variables if isinstance(name, str) and name in still)
        curves = ("A t", "B t", *projections("(state t)", count))
        velocities = ("dA", "dB", *projections("dstate", count))
        moves = ("MA", "MB", *projections("Mstate", count, "proj1", "proj2"))
        for curve, velocity, moved in zip(curves, velocities, moves, strict=True):
            yield f"(fun t => {curve}) ({velocity}) ({moved})"
        for fact in self.cell.facts:
            yield f"(fun {'_ ' * 2 * len(fact.indices)}=> smooth_{self.words.function(*fact.function)} _)"


def projections(pair: str, count: int, first: str = "fst", second: str = "snd") -> list[str]:
    """The parts of nested pairs (a, (b, (c, ...)))."""
    if count == 1:
        return [pair]
    return [f"{first} {pair}", *projections(f"({second} {pair})", count - 1, first, second)]


def _nested(head: str, between: str, parts: Iterable[str]) -> str:
    """(a, (b, (c, ...))), for any operation in the place of the pair."""
    first, *others = parts
    return f"({head}{first}{between} {_nested(head, between, others)})" if others else first
