"""The matrices of a traced step, with their names, equations, shapes and values."""

from __future__ import annotations

from dataclasses import dataclass

from nerva_core.algebra.errors import NervaError, did_you_mean
from nerva_core.algebra.memory import Array
from nerva_core.algebra.trees import Tree


@dataclass(frozen=True)
class TracedMatrix:
    """A matrix of the step: ``name = right``, or where it comes from if it is given."""

    name: str
    right: str
    shape: str
    """In symbols: N × D."""
    values: Array
    given: bool = False
    latex: str = ""
    """The name, or ``name = right``, in LaTeX."""
    mathml: str = ""
    """The same as MathML elements."""


@dataclass(frozen=True)
class TracedPart:
    """The matrices of one layer forward or backward, of the loss, or of an update. The loss has the number after the last layer."""

    number: int
    title: str
    matrices: tuple[TracedMatrix, ...]


@dataclass(frozen=True)
class Trace:
    """One step: its parts in the order of the computation, the loss before it, and the parameters after it."""

    parts: tuple[TracedPart, ...]
    loss: float
    params: Tree

    def __getitem__(self, name: str) -> TracedMatrix:
        """The matrix with a name such as ``1.DW``: the number of the layer, then its name there. NervaError for an unknown one."""
        found = {f"{part.number}.{matrix.name}": matrix for part in self.parts for matrix in part.matrices}
        if name not in found:
            raise NervaError(f"the step has no matrix {name!r}; {did_you_mean(name, found)}")
        return found[name]

    def _repr_html_(self) -> str:
        from nerva_core.inspection.trace_writing import trace_html

        return trace_html(self)
