"""Checking theorems by Coq's kernel: files, a Makefile, and coqc where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal

from nerva_core.algebra.errors import NervaError
from nerva_core.training.models import write_atomically
from sympy_validation.coq.export import PREAMBLE, Exported, export
from sympy_validation.theorem import Key, Theorem, key_of

LIBRARY = ("Sums", "Terms", "Facts", "Polynomials", "Normal", "Derivative", "Check", "Networks")
"""The files of the library, from the bottom up."""
AXIOMS = frozenset(
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)
"""The usual axioms of Coq's real numbers; a theorem may depend on no others."""
INSTALL = "coqc is not installed, so the theorems are written but not checked; on Debian: apt-get install coq libcoq-coquelicot"
MAKEFILE = """# make: the library and all theorems, checked by Coq's kernel. make check: once more by the independent checker.
THEOREMS := $(wildcard theorems/*.v)
all: $(THEOREMS:.v=.vo)
library/%.vo: library/%.v
\tcoqc -q -w none -R library Nerva $<
theorems/%.vo: theorems/%.v {last}
\tcoqc -q -w none -R library Nerva -Q theorems NervaTheorems $<
{dependencies}
check: all
\tcoqchk -silent -o -R library Nerva -Q theorems NervaTheorems $(patsubst theorems/%.v,NervaTheorems.%,$(THEOREMS))
.PHONY: all check
"""

Word = Literal["checked", "not exported", "not accepted", "written"]


@dataclass(frozen=True)
class KernelOutcome:
    """What became of a theorem in Coq."""

    word: Word
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.word} ({self.reason})" if self.reason else self.word


def checked(theorems: Iterable[Theorem], directory: Path, seconds: float = 60) -> dict[Key, KernelOutcome]:
    """Write the theorems into the directory and have them checked; each theorem may take so many seconds."""
    prepare(directory)
    exported = list(export(theorem for theorem in theorems if theorem.method == "all sizes"))
    outcomes = {key_of(e.theorem): KernelOutcome("not exported", e.reason) for e in exported if not e.text}
    written = {e.name: e for e in exported if e.text}
    coqc = Coqc.installed(directory)
    if coqc:
        coqc.library()
    for file, members in files_of(written.values()):
        path = directory / "theorems" / f"{file}.v"
        if coqc is None:
            _write(path, members)
        found = coqc.accepted(path, members, seconds) if coqc else {e.name: KernelOutcome("written") for e in members}
        outcomes |= {key_of(written[name].theorem): outcome for name, outcome in found.items()}
    return outcomes


def files_of(exported: Iterable[Exported]) -> Iterator[tuple[str, list[Exported]]]:
    """The theorems of each subject, which share a file, with the name of the file."""
    for _, group in groupby(exported, key=lambda e: e.theorem.subject):
        members = list(group)
        yield _file(members[0]), members


def _file(first: Exported) -> str:
    return re.sub(r"_$", "", re.sub(r"[^A-Za-z0-9]+", "_", first.theorem.subject)) or first.name


def prepare(directory: Path) -> None:
    """The library and the Makefile; NervaError for a place where there is a file."""
    if directory.exists() and not directory.is_dir():
        raise NervaError(f"--coq takes a folder, and {directory} is a file")
    for folder in ("library", "theorems"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    for name in LIBRARY:
        text = files("sympy_validation.coq").joinpath("library", f"{name}.v").read_bytes()
        path = directory / "library" / f"{name}.v"
        if not path.exists() or path.read_bytes() != text:
            write_atomically(path, text)
    paths = [f"library/{name}.vo" for name in LIBRARY]
    dependencies = "\n".join(f"{later}: {earlier}" for earlier, later in pairwise(paths))
    write_atomically(directory / "Makefile", MAKEFILE.format(last=paths[-1], dependencies=dependencies).encode())


def _write(path: Path, members: Sequence[Exported]) -> list[int]:
    """The file of these theorems; gives where each begins, in bytes."""
    text, starts = PREAMBLE.encode(), []
    for e in members:
        starts.append(len(text))
        text += f"\n(* {_comment(e.theorem)} *)\n{e.text}".encode()
    write_atomically(path, text)
    return starts


def _comment(theorem: Theorem) -> str:
    return f"{theorem.id}: {theorem.statement}".replace("*)", "* )").replace("(*", "( *").replace('"', "'")


@dataclass(frozen=True)
class Coqc:
    """The compiler of Coq, in a directory."""

    path: str
    directory: Path

    @classmethod
    def installed(cls, directory: Path) -> Coqc | None:
        """The compiler, if there is one."""
        path = shutil.which("coqc")
        return cls(path, directory) if path else None

    def library(self) -> None:
        """Compile what is not compiled. NervaError if Coq or one of its libraries does not fit."""
        fresh = True
        for name in LIBRARY:
            source, compiled = (self.directory / "library" / f"{name}.{end}" for end in ("v", "vo"))
            fresh = fresh and compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime
            if not fresh:
                status, _, errors = self.run(source, 300)
                if status:
                    raise NervaError(
                        f"coqc does not compile the library: {_first_error(errors)}; it needs Coq 8.16 or later with Coquelicot"
                    )

    def run(self, path: Path, seconds: float) -> tuple[int, str, str]:
        """The exit status (-1 if it took too long), and what it printed: with the time of each sentence, and about errors."""
        folders = ["-R", "library", "Nerva", "-Q", "theorems", "NervaTheorems"]
        command = [self.path, "-q", "-w", "none", "-time", *folders, str(path.relative_to(self.directory))]
        try:
            done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as expired:
            printed = expired.stdout or b""
            return -1, printed.decode() if isinstance(printed, bytes) else printed, ""
        return done.returncode, done.stdout, done.stderr

    def accepted(self, path: Path, members: Sequence[Exported], seconds: float) -> dict[str, KernelOutcome]:
        """The outcome of each theorem. In the file are those that are accepted, beside it each of the others."""
        outcomes: dict[str, KernelOutcome] = {}
        left = list(members)
        while left:
            starts = _write(path, left)
            limit = seconds * len(left)
            status, printed, errors = self.run(path, limit)
            if status == 0:
                break
            position = _last_position(printed)
            number = max((k for k, start in enumerate(starts) if start <= position), default=0)
            culprit = left.pop(number)
            reason = f"more than {limit:.0f} s" if status == -1 else _first_error(errors)
            outcomes[culprit.name] = KernelOutcome("not accepted", reason)
            refused = self.directory / "refused" / f"{culprit.name}.v"
            refused.parent.mkdir(exist_ok=True)
            _write(refused, [culprit])
        if not left:
            path.unlink(missing_ok=True)
        return outcomes | {e.name: KernelOutcome("checked") for e in left}

    def assumptions(self, path: Path, names: Iterable[str]) -> frozenset[str]:
        """The axioms on which the theorems of a compiled file depend, as ``Print Assumptions`` lists them."""
        module = path.stem
        asking = self.directory / "theorems" / f"assumptions_{module}.v"
        lines = [f"From NervaTheorems Require Import {module}.", *(f"Print Assumptions {name}." for name in names)]
        asking.write_text("\n".join(lines) + "\n", encoding="utf-8")
        status, printed, errors = self.run(asking, 120)
        if status:
            raise NervaError(f"coqc does not tell the axioms: {_first_error(errors)}")
        return frozenset(re.findall(r"^([A-Za-z_][\w.]*)\s*:", printed, re.MULTILINE)) - {"Axioms"}


def _last_position(printed: str) -> int:
    """The byte where the last sentence that was done ends, so that the next begins there."""
    ends = re.findall(r"^Chars \d+ - (\d+) ", printed, re.MULTILINE)
    return int(ends[-1]) + 1 if ends else 0


def _first_error(errors: str) -> str:
    """The error in one line, without where it is."""
    text = " ".join(errors.partition("Error:")[2].split()) or " ".join(errors.split()) or "no message"
    if 'Unable to unify "true" with "false"' in text or 'Unable to unify "true" with' in text:
        return "the checker does not find the two sides equal"
    return text[:200]
