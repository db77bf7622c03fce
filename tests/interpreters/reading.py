"""Computes what a formula in plain text says, by the rules of the notation and independently of the code that wrote it."""

import re

import numpy as np

TOKEN = re.compile(r"1_[A-Z]|\d+(?:\.\d+)?|[A-Za-zα-ωΑ-Ω][A-Za-z0-9_α-ωΑ-Ω-]*′*|[()+−·⊙ᵀ/^,]")


class Reading:
    """A text, read from left to right. ``values`` gives matrices, numbers and functions by name, and the sizes by theirs.

    Powers and fractions bind strongest, then the products · and ⊙ and the product without a sign, which may not stand in one
    product without brackets, then sums.
    """

    def __init__(self, text, values):
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == text.replace(" ", ""), f"cannot read {text!r}"
        self.values = values

    def value(self):
        result = self.sum()
        assert not self.tokens, f"left over: {self.tokens}"
        return result

    def peek(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected):
        if self.peek() in expected:
            return self.tokens.pop(0)
        return ""

    def sum(self):
        value = -self.product() if self.take("−") else self.product()
        while sign := self.take("+", "−"):
            value = value + self.product() if sign == "+" else value - self.product()
        return value

    def product(self):
        value, signs = self.fraction(), set()
        while self.peek() and self.peek() not in "+−),":
            sign = self.take("·", "⊙") or " "
            scaled = np.ndim(value) == 0  # 1/N · X is the product with a number
            signs |= set() if scaled else {sign}
            factor = self.fraction()
            value = value @ factor if sign == "·" and not scaled else value * factor
        assert len(signs) <= 1, "brackets are missing between different products"
        return value

    def fraction(self):
        value = self.power()
        return value / self.power() if self.take("/") else value

    def power(self):
        value = self.factor()
        while sign := self.take("ᵀ", "^"):
            value = value.T if sign == "ᵀ" else value ** self.factor()
        return value

    def factor(self):
        token = self.tokens.pop(0)
        if token == "(":
            value = self.sum()
            assert self.take(")")
            return value
        if token.startswith("1_"):
            return np.ones((self.values[token[2:]], 1))
        value = float(token) if token[0].isdigit() else self.values[token]
        return self.call(value) if callable(value) else value

    def call(self, function):
        assert self.take("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        assert self.take(")")
        return function(*arguments)


def compute(equations, values):
    """The values of the left sides, computed one after the other from plain text."""
    for equation in equations:
        left, _, right = equation.text().partition(" = ")
        values[left] = Reading(right, values).value()
    return values
