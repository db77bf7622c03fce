"""The search for a repair: the likeliest change first, one before two, none that breaks what was right, and an end in time."""

from __future__ import annotations

from sympy_validation.search import Candidate, Group, exchanged, simplest

NAMES = frozenset({"dx", "dw"})


def candidates(*ats: int) -> list[Candidate]:
    return [Candidate((n,), at, n, f"change {n}") for n, at in enumerate(ats)]


def changes(group: Group) -> list[int]:
    return [candidate.change for candidate in group]


def test_the_likeliest_of_the_changes_that_help() -> None:
    given = candidates(5, 4, 3, 2)
    assert changes(simplest(reversed(given), lambda g: NAMES if g and g[0].change in (1, 3) else set(), NAMES, 1.0)) == [1]


def test_two_mistakes_in_different_gradients() -> None:
    """Change 2 mends dx and change 7 dw; what mends one and breaks the other is of no use."""

    def right(group: Group) -> set[str]:
        done = set(changes(group))
        return {name for name, n in (("dx", 2), ("dw", 7)) if n in done and 4 not in done}

    assert changes(simplest(candidates(*range(100)), right, NAMES, 5.0)) == [2, 7]


def test_two_mistakes_in_one_gradient() -> None:
    assert changes(simplest(candidates(*range(30)), lambda g: NAMES if changes(g) == [3, 11] else {"dw"}, NAMES, 5.0)) == [3, 11]


def test_two_changes_are_of_different_operations() -> None:
    assert simplest(candidates(1, 1), lambda g: NAMES if len(g) == 2 else set(), NAMES, 1.0) == ()


def test_what_cannot_be_changed_is_passed_over() -> None:
    def right(group: Group) -> frozenset[str]:
        if changes(group) == [0]:
            raise ValueError("shapes that do not fit")
        return NAMES if group else frozenset()

    assert changes(simplest(candidates(0, 1), right, NAMES, 1.0)) == [1]


def test_the_time_is_bounded() -> None:
    tried: list[Group] = []

    def right(group: Group) -> set[str]:
        tried.append(group)
        return set()

    assert simplest(candidates(*range(1000)), right, NAMES, 0.0) == ()
    assert tried == [()]


def test_exchanged_gradients() -> None:
    stands = {("a", "b"), ("b", "a"), ("c", "c")}
    assert exchanged(["a", "b"], lambda a, b: (a, b) in stands) == {"a": "b", "b": "a"}
    assert exchanged(["a", "b", "c"], lambda a, b: (a, b) in stands) == {}
    assert exchanged(["a"], lambda a, b: True) == {}
    assert exchanged(["a", "b", "c"], lambda a, b: b == "c" or a == "c") == {}
