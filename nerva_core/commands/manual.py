"""The manual page of ``nerva``, made from the commands themselves: ``nerva --man | man -l -``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

HEAD = """\
.TH NERVA 1 "" "nerva {version}" "User Commands"
.SH NAME
nerva \\- neural networks with explicit backpropagation, proved and run by four backends
.SH SYNOPSIS
.B nerva
[\\-\\-import FILE.py] COMMAND [ARGUMENTS] [OPTIONS]
.SH DESCRIPTION
{about}
.SH OPTIONS
"""

STATUS = """\
.SH EXIT STATUS
0 if all is well; 1 if something that was asked for does not hold (a theorem, a bound), or if training diverged; 2 if the request was not
understood. Of
.BR "nerva prove" ,
3 if something is neither proved nor refuted, and 4 if what is asked of a layer of your own is proved at some sizes only.
"""


def manual(group: Any, version: str) -> str:
    """The page, in the language of ``man``."""
    parts = [HEAD.format(version=version, about=plain(group.help)), *_options(group), ".SH COMMANDS\n"]
    for name, command in group.commands.items():
        parts += [f".SS nerva {_escaped(name)}\n", f"{plain(command.help)}\n", *_options(command), *_examples(command)]
    return "".join([*parts, STATUS])


def _options(command: Any) -> Iterator[str]:
    for p in command.params:
        if not getattr(p, "hidden", False):
            names = p.name.upper() if p.param_type_name == "argument" else ", ".join([*p.opts, *p.secondary_opts])
            yield f".TP\n.B {_escaped(names)}\n{plain(getattr(p, 'help', '') or '')}{_default(p)}\n"


def _default(p: Any) -> str:
    default = p.default() if callable(p.default) else p.default
    if not getattr(p, "show_default", False) or isinstance(default, bool) or default in (None, "", []):
        return ""
    return f" (default: {_escaped(str(getattr(default, 'value', default)))})"


def _examples(command: Any) -> Iterator[str]:
    """What stands at the end of the help; without markup, a paragraph a line."""
    lines = [line for line in re.sub(r"\\(\[)|\[/?bold\]", r"\1", command.epilog or "").split("\n\n") if line.startswith("nerva ")]
    if lines:
        yield ".PP\n.nf\n" + "".join(f".RS 4\n{_escaped(line)}\n.RE\n" for line in lines) + ".fi\n"


def plain(text: str | None) -> str:
    """Help as text of the page: without the markup of the terminal; a paragraph is filled."""
    text = re.sub(r"\[/?bold\]", "", inspect.cleandoc(text or ""))
    return "\n.PP\n".join(_escaped(" ".join(paragraph.split())) for paragraph in text.split("\n\n"))


def _escaped(text: str) -> str:
    """The text as it is: no hyphenation of minus signs, no requests."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
