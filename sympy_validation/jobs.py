"""Proofs in several processes: the verdicts are the same, in the same order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import chain, groupby
from typing import Any

from nerva_core.algebra.errors import NervaError
from sympy_validation.limits import Limits
from sympy_validation.theorem import LIMITS, Theorem, Verdict, prove, prove_or_try_entries


@dataclass(frozen=True)
class Work:
    """Theorems that share a claim, so that its points and spaces serve all of them, and how they are proved."""

    prove: Callable[[], Iterator[Verdict]]
    theorems: Sequence[Theorem]


def verdicts(theorems: Sequence[Theorem], own: Sequence[Theorem] = (), limits: Limits = LIMITS, jobs: int = 1) -> Iterator[Verdict]:
    """The verdicts on theorems of the library, then on a user's ``own``, which are tried at concrete sizes if need be."""
    work = [*_shared(prove, theorems, limits), *_shared(prove_or_try_entries, own, limits)]
    if jobs < 1:
        raise NervaError(f"the number of jobs is at least 1, got {jobs}")
    if jobs > 1 and "fork" not in multiprocessing.get_all_start_methods():
        raise NervaError("several jobs need a system whose processes can be forked: leave --jobs out")
    return chain.from_iterable(each.prove() for each in work) if jobs == 1 else _in_processes(work, jobs)


def _shared(function: Callable[..., Iterator[Verdict]], theorems: Sequence[Theorem], limits: Limits) -> Iterator[Work]:
    for _, group in groupby(theorems, key=lambda theorem: theorem.claim):
        members = list(group)
        yield Work(partial(function, members, limits), members)


_WORK: list[Work] = []
"""What the forked processes find in their memory: theorems are made of functions, which cannot be sent to another process."""


def _in_processes(work: list[Work], jobs: int) -> Iterator[Verdict]:
    _WORK[:] = work
    try:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
            for each, found in zip(work, pool.map(_run, range(len(work))), strict=True):
                for theorem, (method, parts) in zip(each.theorems, found, strict=True):
                    yield Verdict(replace(theorem, method=method), **parts)
    except BrokenProcessPool as error:
        raise NervaError("a process that proves has been killed, perhaps for want of memory: use fewer jobs") from error


def _run(number: int) -> list[tuple[Any, dict[str, Any]]]:
    """The method and all parts of the verdicts but the theorems."""
    names = [part.name for part in fields(Verdict) if part.name != "theorem"]
    return [(verdict.theorem.method, {name: getattr(verdict, name) for name in names}) for verdict in _WORK[number].prove()]
