"""Checking theorems by Coq's kernel: files, a Makefile, and coqc where it is installed."""

from __future__ import annotations

import math
import os
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

LIBRARY = ("Sums", "Terms", "Facts", "Polynomials", "Normal", "Derivative", "Check", "Networks", "Recurrences")
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
HOW = "on Debian, apt-get install coq libcoq-coquelicot"
INSTALL = f"coqc is not installed, so the theorems are written but not checked; {HOW}"
UNEQUAL = "the checker does not find the two sides equal"
TOO_LONG = -1
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

FEW, A_FILE = 12, 40
"""Up to so many subjects have a file each; the theorems that share a file where there are more."""

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
    """The theorems of each subject, which share a file, with the name of the file.

    Of many subjects those of a kind share files, as Coq takes longer to begin with a file than for most theorems.
    """
    subjects: dict[str, list[Exported]] = {}
    for e in exported:
        subjects.setdefault(e.theorem.subject, []).append(e)
    if len(subjects) <= FEW:
        yield from ((_file(members[0]), members) for members in subjects.values())
        return
    for kind, group in groupby(subjects.values(), key=lambda members: members[0].theorem.subject.partition(".")[0]):
        number, together = 1, list[Exported]()
        for members in group:
            if together and len(together) + len(members) > A_FILE:
                yield f"{_identifier(kind)}_{number}", together
                number, together = number + 1, []
            together += members
        yield f"{_identifier(kind)}_{number}", together


def _file(first: Exported) -> str:
    return _identifier(first.theorem.subject) or first.name


def _identifier(words: str) -> str:
    return re.sub(r"_$", "", re.sub(r"[^A-Za-z0-9]+", "_", words))


def prepare(directory: Path) -> None:
    """The library and the Makefile; NervaError for a place where there is a file."""
    if directory.exists() and not directory.is_dir():
        raise NervaError(f"--coq takes a folder, and {directory} is a file: name another one")
    for folder in ("library", "theorems"):
        try:
            (directory / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NervaError(
                f"the folder {directory} for --coq cannot be made ({error.strerror}): name one that can be written to"
            ) from error
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
                    why = "it took longer than five minutes" if status == TOO_LONG else _first_error(errors)
                    raise NervaError(f"coqc does not compile the library: {why}; it needs Coq 8.16 or later with Coquelicot: {HOW}")

    def run(self, path: Path, seconds: float) -> tuple[int, str, str]:
        """The exit status (``TOO_LONG`` after so many seconds of processor time), and what it printed: the sentences, and errors."""
        folders = ["-R", "library", "Nerva", "-Q", "theorems", "NervaTheorems"]
        command = [self.path, "-q", "-w", "none", "-time", *folders, str(path.relative_to(self.directory))]
        if os.name == "posix":  # by the shell: a function between fork and exec is not for processes with threads, such as JAX's
            command = ["/bin/sh", "-c", 'ulimit -t "$0" && exec "$@"', str(math.ceil(seconds)), *command]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
        return (TOO_LONG if done.returncode < 0 else done.returncode), done.stdout, done.stderr

    def accepted(self, path: Path, members: Sequence[Exported], seconds: float) -> dict[str, KernelOutcome]:
        """The outcome of each theorem. In the file are those that are accepted, beside it each of the others."""
        outcomes: dict[str, KernelOutcome] = {}
        left = list(members)
        while left:
            starts = _write(path, left)
            status, printed, errors = self.run(path, seconds * (1 + len(left) / 10))
            if status == 0:
                break
            position = _last_position(printed)
            number = max((k for k, start in enumerate(starts) if start <= position), default=0)
            culprit, later = left[number], left[number + 1 :]
            refused = {culprit.name: f"more than {seconds:.0f} s" if status == TOO_LONG else _first_error(errors)}
            refused |= self.refused(path, later, seconds)
            for e in left:
                if e.name in refused:
                    outcomes[e.name] = KernelOutcome("not accepted", refused[e.name])
                    alone = self.directory / "refused" / f"{e.name}.v"
                    alone.parent.mkdir(exist_ok=True)
                    _write(alone, [e])
            left = [e for e in left if e.name not in refused]
        if not left:
            path.unlink(missing_ok=True)
        return outcomes | {e.name: KernelOutcome("checked") for e in left}

    def refused(self, path: Path, members: Sequence[Exported], seconds: float) -> dict[str, str]:
        """Of these theorems, before Coq is asked for proofs, those that the checker does not accept, with the reason."""
        asked = [(e.name, question) for e in members for question in e.questions]
        answers = self.answers(path, [question for _, question in asked], seconds) if len(members) > 1 else []
        reasons = {"false": UNEQUAL, "none": f"more than {seconds:.0f} s"}
        return {name: reasons[answer] for (name, _), answer in zip(asked, answers, strict=False) if answer != "true"}

    def answers(self, path: Path, questions: Sequence[str], seconds: float) -> list[str]:
        """What the checker computes: true, false, or none where it takes longer."""
        lines = [
            f'Goal True.\nfirst [timeout {math.ceil(seconds)} (let b := eval vm_compute in ({question}) in idtac "answer" "{k}" b)'
            f' | idtac "answer" "{k}" "none"].\nexact I. Qed.\n'
            for k, question in enumerate(questions)
        ]
        write_atomically(path, (PREAMBLE + "".join(lines)).encode())
        _, printed, errors = self.run(path, seconds * (1 + len(questions)))
        told = re.findall(r"^answer \d+ (true|false|none)", printed, re.MULTILINE)
        if len(told) != len(questions):
            raise NervaError(f"coqc gives {len(told)} answers to the {len(questions)} questions of {path}: {_first_error(errors)}")
        return told

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
    if re.search(r"check_(gradients|equal)", text) and '"true = true"' in text:
        return UNEQUAL
    return text[:200]
