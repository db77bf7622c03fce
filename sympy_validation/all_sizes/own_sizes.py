"""The sizes of a user's code, which can compute with them as with numbers, but is answered only what a case decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from nerva_core.algebra.errors import NervaError
from sympy_validation.all_sizes.scalars import Conditions, SymbolicScalar
from sympy_validation.all_sizes.symbols import Factor, Product, Size, SizeSum, factors_of, is_size, quotient_of
from sympy_validation.all_sizes.terms import count_of
from sympy_validation.cases import DividedError
from sympy_validation.operands import ArbitraryNumber, by_own_code, undecided


class Counted(ArbitraryNumber, Factor):
    """A size in the hands of a user's code, which can compute with it as with a number, but not decide by it."""

    what = "a size"
    conditions: Conditions

    def _decide(self, *_: Any) -> NoReturn:
        raise undecided(f"the size {'·'.join(f.name if isinstance(f, Size) else str(f) for f in factors_of(self))}")  # type: ignore[arg-type]

    __int__ = __index__ = __float__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = _decide
    __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _decide

    def _is(self, sign: str, other: Any) -> bool:
        """The answer to a comparison, if the case has one."""
        self._decide()

    def _text(self) -> str:
        return super().__str__()

    def __str__(self) -> str:
        """In a user's code nothing may depend on what a size is called."""
        self._decided()
        return self._text()

    __repr__ = __str__

    def _scalar(self) -> SymbolicScalar:
        return SymbolicScalar(count_of(self), self.conditions)  # type: ignore[arg-type]

    def __mul__(self, other: Any) -> Any:
        product = super().__mul__(other)
        return self._scalar().__mul__(other) if product is NotImplemented else self._counted(product)

    def __rmul__(self, other: Any) -> Any:
        product = super().__rmul__(other)
        return self._scalar().__rmul__(other) if product is NotImplemented else self._counted(product)

    def __floordiv__(self, other: Any) -> Any:
        """The size without a factor; whether it is a multiple of another number is not decided."""
        return self._quotient(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._quotient(other, self)

    def _quotient(self, size: Any, other: Any) -> Any:
        try:
            return self._counted(quotient_of(size, other))
        except (NervaError, TypeError):
            self._decide()

    def function(self, name: str) -> SymbolicScalar:
        """The function of ``math`` or of NumPy, of this number."""
        return self._scalar().function(name)

    def __array_ufunc__(self, *call: Any, **named: Any) -> Any:
        ufunc, method, *inputs = call
        return self._scalar().__array_ufunc__(ufunc, method, *(self._scalar() if x is self else x for x in inputs), **named)

    def _counted(self, size: Any) -> Any:
        return OwnProduct(size.factors, self.conditions) if type(size) is Product else size

    def __add__(self, other: Any) -> Any:
        """The size of a matrix beside one of the other size, where it is one; a number otherwise."""
        return self._sum(self, other, other)

    def __radd__(self, other: Any) -> Any:
        return self._sum(other, self, other)

    def _sum(self, a: Any, b: Any, other: Any) -> Any:
        if type(other) is int and other == 0:
            return self
        if not is_size(other):
            return self._scalar().__add__(other)
        texts = (x._text() if isinstance(x, Counted) else str(x) for x in (a, b))
        return OwnSum(f"({'+'.join(texts)})", terms=(a, b), conditions=self.conditions)

    def __sub__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__sub__(other)

    def __rsub__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__rsub__(other)

    def __truediv__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__truediv__(other)

    def __rtruediv__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__rtruediv__(other)

    def __pow__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__pow__(other)

    def __rpow__(self, other: Any) -> SymbolicScalar:
        return self._scalar().__rpow__(other)

    def __neg__(self) -> SymbolicScalar:
        return -self._scalar()

    def __abs__(self) -> Any:
        return self


@dataclass(frozen=True, eq=False, repr=False)
class OwnSize(Counted, Size):
    """A size by a name."""

    conditions: Conditions = field(default_factory=Conditions, repr=False)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Size) and (self.name, self.least) == (other.name, other.least):
            return True
        return self._is("==", other) if by_own_code(1) else False

    def _is(self, sign: str, other: Any) -> bool:
        case = self.conditions.case
        try:
            if isinstance(other, OwnSize):
                return case.compare_sizes(self.name, sign, other.name)
            if isinstance(other, int):
                return case.compare_size(self.name, sign, other)
        except DividedError as error:
            raise undecided(f"the size {self.name}", error.cases) from None
        raise undecided(f"the size {self.name}")

    def __hash__(self) -> int:
        self._decided()
        return hash((self.name, self.least))


@dataclass(frozen=True, eq=False, repr=False)
class OwnProduct(Counted, Product):
    """A product of sizes."""

    conditions: Conditions = field(default_factory=Conditions, repr=False)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Product) and self.factors == other.factors:
            return True
        self._decided()
        return False

    def __hash__(self) -> int:
        self._decided()
        return hash((self.factors,))


@dataclass(frozen=True, eq=False, repr=False)
class OwnSum(Counted, SizeSum):
    """A sum of sizes, which is compared as a number is."""

    conditions: Conditions = field(default_factory=Conditions, repr=False)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SizeSum) and self.name == other.name:
            return True
        return self._is("==", other) if by_own_code(1) else False

    def _is(self, sign: str, other: Any) -> bool:
        return self._scalar()._is(sign, other)

    def __hash__(self) -> int:
        self._decided()
        return hash((self.name, self.least, self.terms))
