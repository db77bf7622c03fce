"""Functions of the elements of tensors, and the operators."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sympy_validation.all_sizes import powers, stopped
from sympy_validation.all_sizes.products import branches, multiply
from sympy_validation.all_sizes.symbols import ARCTAN, NORMAL_CDF, Function
from sympy_validation.all_sizes.terms import ONE, ZERO, Polynomial
from sympy_validation.foreign.constants import INFINITY
from sympy_validation.foreign.errors import NotCaptured
from sympy_validation.foreign.recorded import operation
from sympy_validation.foreign.run import Current
from sympy_validation.foreign.sizes import Dim
from sympy_validation.foreign.tensor import Storage, elementwise

SINE = Function("sin")
ROUND = Function("round", step=True)
FLOOR = Function("floor", step=True)


def exponential(P: Polynomial) -> Polynomial:
    """e^P, with e^(-∞) = 0: the cases of factors that are 0 or 1 are looked at one by one."""
    if INFINITY not in P.atoms:
        return powers.exponential(P)
    c = P.terms.get(((INFINITY, 1),))
    if c is not None and all(INFINITY not in dict(m) or m == ((INFINITY, 1),) for m in P.terms):
        if c > 0:
            raise NotCaptured("e to the power of ∞")
        Current.run.conditions.add("no row is masked as a whole")
        return ZERO
    parts = branches(P)
    if parts is None:
        raise NotCaptured("∞ in an exponential")
    return parts.join(exponential(parts.one), exponential(parts.zero))


def less(P: Polynomial) -> Polynomial:
    """[P < 0], where ∞ is larger than anything."""
    c = P.terms.get(((INFINITY, 1),)) if INFINITY in P.atoms else None
    if c is not None and all(INFINITY not in dict(m) or m == ((INFINITY, 1),) for m in P.terms):
        return ONE if c < 0 else ZERO
    return powers.indicator(P)


def is_number(x: Any) -> bool:
    """Whether something is a tensor or a number of any kind."""
    return isinstance(x, (Storage, Dim, int, float, Fraction)) or hasattr(x, "shape") or hasattr(x, "as_tensor") or hasattr(x, "__float__")


class ElementwiseTensor(Storage):
    """Functions of elements, and the operators + - * / ** and comparisons."""

    @operation
    def add(self, y: Any) -> Any:
        """x + y."""
        return elementwise(lambda a, b: a + b, self, y)

    @operation
    def sub(self, y: Any) -> Any:
        """x - y."""
        return elementwise(lambda a, b: a - b, self, y)

    @operation
    def mul(self, y: Any) -> Any:
        """x ⊙ y."""
        return elementwise(multiply, self, y)

    @operation
    def div(self, y: Any) -> Any:
        """x / y."""

        def quotient(a: Polynomial, b: Polynomial) -> Polynomial:
            if INFINITY in b.atoms and INFINITY not in a.atoms:
                raise NotCaptured("a division by ∞")
            Current.run.conditions.nonzero(b)
            return multiply(a, powers.power(b, -1))

        return elementwise(quotient, self, y)

    @operation
    def neg(self) -> Any:
        """-x."""
        return elementwise(lambda a: -a, self)

    @operation
    def pow(self, e: Any) -> Any:
        """x to the power of e."""
        exponent = Storage.of(e)
        numbers = {P for _, P in exponent.elements_in_order()}
        if len(numbers) == 1 and next(iter(numbers)).terms.keys() <= {()}:
            return _power(self, Fraction(next(iter(numbers)).terms.get((), 0)))
        return (exponent * self.log()).exp()

    @operation
    def exp(self) -> Any:
        """e^x."""
        return elementwise(exponential, self)

    @operation
    def log(self) -> Any:
        """The natural logarithm."""

        def logarithm(a: Polynomial) -> Polynomial:
            Current.run.conditions.positive(a)
            return powers.logarithm(a)

        return elementwise(logarithm, self)

    def sqrt(self) -> Any:
        """√x."""
        return self.pow(Fraction(1, 2))

    def sigmoid(self) -> Any:
        """1 / (1 + e^-x)."""
        return 1 / (1 + (-self).exp())

    @operation
    def tanh(self) -> Any:
        """1 - 2 / (e^2x + 1)."""
        return 1 - 2 / ((2 * self).exp() + 1)

    @operation
    def erf(self) -> Any:
        """2 Φ(√2 x) - 1."""
        return 2 * elementwise(lambda a: powers.apply(NORMAL_CDF, a), self * Storage.of(2).sqrt()) - 1

    @operation
    def apply(self, function: Function, order: int = 0) -> Any:
        """A function of which the prover only knows the name."""
        return elementwise(lambda a: powers.apply(function, a, order), self)

    def sin(self) -> Any:
        """sin x."""
        return self.apply(SINE)

    def cos(self) -> Any:
        """cos x, the derivative of sin x."""
        return self.apply(SINE, 1)

    def arctan(self) -> Any:
        """arctan x."""
        return self.apply(ARCTAN)

    @operation
    def less(self, y: Any) -> Any:
        """[x < y]."""
        return elementwise(lambda a, b: less(a - b), self, y)

    @operation
    def where(self, x: Any, y: Any) -> Any:
        """x where this is 1, and y where it is 0."""
        condition = self.truth()
        return elementwise(lambda c, a, b: multiply(c, a) + multiply(ONE - c, b), condition, x, y)

    def truth(self) -> Any:
        """1 where it is not 0."""
        zero_or_one = all(multiply(P, P) == P for _, P in self.elements_in_order())
        return self if zero_or_one else self != 0

    def maximum(self, y: Any) -> Any:
        """The larger of two elements."""
        return self.less(y).where(y, self)

    def minimum(self, y: Any) -> Any:
        """The smaller of two elements."""
        return self.less(y).where(self, y)

    @operation
    def stop(self) -> Any:
        """The value, as a constant."""
        return elementwise(stopped.stop, self)

    def copy(self) -> Any:
        """The same values in memory of their own."""
        return Storage.make(self.dims, self.array.copy())

    # The operators.

    def _with(self, name: str, y: Any) -> Any:
        if not is_number(y):
            return NotImplemented
        return getattr(Storage.of(self), name)(Storage.of(y))

    def __add__(self, y: Any) -> Any:
        return self._with("add", y)

    def __radd__(self, y: Any) -> Any:
        return Storage.of(y).add(self)

    def __sub__(self, y: Any) -> Any:
        return self._with("sub", y)

    def __rsub__(self, y: Any) -> Any:
        return Storage.of(y).sub(self)

    def __mul__(self, y: Any) -> Any:
        return self._with("mul", y)

    def __rmul__(self, y: Any) -> Any:
        return Storage.of(y).mul(self)

    def __truediv__(self, y: Any) -> Any:
        return self._with("div", y)

    def __rtruediv__(self, y: Any) -> Any:
        return Storage.of(y).div(self)

    def __neg__(self) -> Any:
        return self.neg()

    def __pos__(self) -> Any:
        return self

    def __pow__(self, e: Any) -> Any:
        return self.pow(e)

    def __rpow__(self, c: Any) -> Any:
        return (self * Storage.of(c).log()).exp()

    def __lt__(self, y: Any) -> Any:
        return self.less(y)

    def __gt__(self, y: Any) -> Any:
        return Storage.of(y).less(self)

    def __le__(self, y: Any) -> Any:
        return 1 - Storage.of(y).less(self)

    def __ge__(self, y: Any) -> Any:
        return 1 - self.less(y)

    def __eq__(self, y: Any) -> Any:
        """[x = y]: neither is less."""
        if not is_number(y):
            return False
        return (1 - self.less(y)) * (1 - Storage.of(y).less(self))

    def __ne__(self, y: Any) -> Any:
        return 1 - (self == y)

    __hash__ = object.__hash__

    def __invert__(self) -> Any:
        return 1 - self.truth()

    def __and__(self, y: Any) -> Any:
        return self.truth() * Storage.of(y).truth()

    __rand__ = __and__

    def __or__(self, y: Any) -> Any:
        a, b = self.truth(), Storage.of(y).truth()
        return a + b - a * b

    __ror__ = __or__

    def __xor__(self, y: Any) -> Any:
        a, b = self.truth(), Storage.of(y).truth()
        return a + b - 2 * a * b

    def __abs__(self) -> Any:
        return self.less(0).where(-self, self)

    def __mod__(self, y: Any) -> Any:
        raise NotCaptured("a remainder of real numbers")

    __rmod__ = __floordiv__ = __rfloordiv__ = __divmod__ = __mod__

    def __bool__(self) -> bool:
        constants = {P for _, P in self.elements_in_order()}
        if len(constants) == 1 and next(iter(constants)).terms.keys() <= {()}:
            return bool(next(iter(constants)).terms)
        raise NotCaptured("a decision by values")

    def __float__(self) -> float:
        raise NotCaptured("a float of values")

    def __int__(self) -> int:
        raise NotCaptured("an int of values")

    __index__ = __int__


def _power(x: Any, e: Fraction) -> Any:
    def power(a: Polynomial) -> Polynomial:
        if e.denominator > 1:
            if not a.terms:
                return a if e > 0 else powers.power(a, e)
            Current.run.conditions.positive(a)
        elif e < 0:
            Current.run.conditions.nonzero(a)
        return powers.power(a, e)

    return elementwise(power, x)
