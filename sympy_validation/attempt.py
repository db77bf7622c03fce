"""An attempt at the theorems of one claim: its spaces, what is proved in them, and the points at which it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from sympy_validation import certificates
from sympy_validation.cases import ANY, Case
from sympy_validation.claims import Claim, Problem
from sympy_validation.limits import NoVerdict
from sympy_validation.numeric_check import NumericCheck
from sympy_validation.operands import watched
from sympy_validation.parts import ByParts, Parts
from sympy_validation.repair import POINTS, Advice, Search
from sympy_validation.spaces.points import SIZES
from sympy_validation.spaces.symbolic_sizes import SymbolicSizesSpace
from sympy_validation.ways import Ways

Method = Literal["all sizes", "entries"]


@dataclass
class Setting:
    """A claim in one space; the tested matrices are computed once for all quantities."""

    space: Any
    problem: Problem
    own: bool
    ways: Ways | None = None

    @cached_property
    def tested(self) -> Mapping[str, Any]:
        """What the quantities are."""
        with watched(self.ways) if self.own else nullcontext():
            return self.problem.tested(self.space.ops)


@dataclass
class Attempt:
    """A claim in the spaces of one method. Setting up a space is shared by the claim's quantities."""

    claim: Claim
    method: Method
    entry_sizes: tuple[dict[str, int], ...] = SIZES
    own: bool = False
    """Whether the code is a user's."""
    shared: certificates.Checks | None = None
    """The checks of another attempt at the same claim."""
    numbers: NumericCheck | None = None
    slow: bool = False
    """Whether exact points take too long."""
    cases: tuple[Case, ...] = (ANY,)
    """For all sizes: what is proved in each of these is proved."""
    ways: Ways | None = None
    """Where those that a user's code takes on symbols are kept."""
    _parts: Parts = field(default_factory=Parts)
    _spaces: list[Setting] = field(default_factory=list)
    _stopped: NoVerdict | None = None

    @cached_property
    def points(self) -> certificates.SamplePoints:
        """The points at which what is not proved may be refuted."""
        return certificates.SamplePoints(self.claim)

    @cached_property
    def checks(self) -> certificates.Checks:
        """The points at which what is proved is looked at again."""
        return self.shared or certificates.Checks(self.claim)

    def proves(self, quantity: str) -> tuple[bool, tuple[str, ...]]:
        """Whether the quantity is proved in every space, and the conditions under which it is.

        A user's layer that calls others is proved for any layers in their places or, if it is not right for all, as it is. What is not
        proved as a whole, and not wrong on NumPy, is proved in cases.
        """
        if not self.own or self.method != "all sizes":
            return self._proves(quantity)
        found, conditions = self._whole_or_parts(quantity)
        if found or self.cases != (ANY,) or not self.numbers or self.numbers.contradiction(quantity):
            return found, conditions
        for divided in self._divided:
            found, conditions = divided.proves(quantity)
            if found:
                return True, conditions
        return False, ()

    @cached_property
    def _divided(self) -> list[Attempt]:
        space: SymbolicSizesSpace = next(self._settings()).space
        return [Attempt(self.claim, self.method, own=True, cases=cases, ways=self.ways) for cases in space.divisions()]

    def _whole_or_parts(self, quantity: str) -> tuple[bool, tuple[str, ...]]:
        try:
            found, conditions = self._by_parts._proves(quantity)
        except Exception:
            if not self._parts.layers:
                raise
            found, conditions = False, ()
        if found or not self._parts.layers:
            return found, (*conditions, *self._parts.conditions)
        if self.numbers and self.numbers.contradiction(quantity):
            return False, ()  # it is wrong, as a number shows: no time is spent on the whole
        return self._proves(quantity)

    @cached_property
    def _by_parts(self) -> Attempt:
        return Attempt(ByParts(self.claim, self._parts), self.method, own=True, cases=self.cases, ways=self.ways)

    def _proves(self, quantity: str) -> tuple[bool, tuple[str, ...]]:
        conditions: tuple[str, ...] = ()
        for setting in self._settings():
            with watched(self.ways) if self.own else nullcontext():
                expected = setting.problem.expected[quantity]()
            found = setting.tested[quantity]
            proved, needed = setting.space.proves(expected, found, self.claim.strict)
            if not proved:
                return False, ()
            conditions = (*conditions, *(c for c in needed if c not in conditions))
        return True, conditions

    @cached_property
    def _advice(self) -> Advice | None:
        settings: list[Setting] = []
        with suppress(Exception):
            settings = list(self._settings())
        return Search(list(islice(self.points, POINTS)), self.claim.quantities(), settings).best()

    def advice(self, quantity: str) -> str:
        """The one change of the code that makes the quantity right; empty if none is found."""
        return str(self._advice) if self._advice and quantity in self._advice.quantities else ""

    def _settings(self) -> Iterator[Setting]:
        if self._stopped:
            raise self._stopped
        for number, make in enumerate(self._makers()):
            if number == len(self._spaces):
                try:
                    space = make()
                    with watched(self.ways) if self.own else nullcontext():
                        problem = self.claim.problem(space)
                    self._spaces.append(Setting(space, problem, self.own, self.ways))
                except NoVerdict as error:
                    self._stopped = error  # what takes too long for one quantity does so for the others
                    raise
            yield self._spaces[number]

    def _makers(self) -> list[Any]:
        if self.method == "entries":
            from sympy_validation.spaces.entries import EntriesSpace

            return [lambda sizes=sizes: EntriesSpace(sizes) for sizes in self.entry_sizes]
        return [lambda case=case: SymbolicSizesSpace(self.own, case) for case in self.cases]
