"""The references of the command line and of the configuration, from the typer application and the pydantic models."""

from __future__ import annotations

import inspect
import re
from typing import Any, Literal, get_args, get_origin

import typer

from docs.generator.equations import WITHOUT_EQUATIONS
from docs.generator.markdown import cell, prose, table
from nerva_core.cli import app
from nerva_core.training import catalogue
from nerva_core.training.config import Config

COMMANDS = """\
# Commands

Made from the program itself. `nerva COMMAND --help` says the same in the terminal, `nerva --man | man -l -` shows it as a manual page, and
`nerva --install-completion` lets your shell complete commands, options and names; `nerva --version` prints the version. Exit status 0
means success; 1 that something asked for does not hold (a theorem, a bound) or that training diverged; 2 that the request was not
understood, with one line that says why. `nerva prove` exits with 3 if something is neither proved nor refuted, and with 4 if what is asked
of a layer of your own is proved at some sizes only.
"""

CONFIGURATION = """\
# Configuration

One TOML file describes a run. Every setting has the default below, so an empty file is valid; options of `nerva train` override it.
A named part is text such as `"Momentum(mu=0.9)"`, or a table `{name = "Momentum", mu = 0.9}`. Names are read without regard to case,
`_`, `-` and spaces; an unknown one is answered with the nearest that is known.
"""


def command_page() -> str:
    """All commands with their arguments and options."""
    group: Any = typer.main.get_command(app)
    return COMMANDS + "".join(_command(name, command) for name, command in sorted(group.commands.items()))


def _command(name: str, command: Any) -> str:
    text = f"\n## nerva {name} {{ #{name} }}\n\n{_plain(command.help or '')}\n"
    shown = [p for p in command.params if not getattr(p, "hidden", False) and "--help" not in p.opts]
    for kind, heading in (("argument", "argument"), ("option", "option")):
        rows = [_parameter(p) for p in shown if p.param_type_name == kind]
        if rows:
            text += "\n" + table([heading, "", "default"], rows)
    return text + (f"\n{_plain(command.epilog)}\n" if command.epilog else "")


def _parameter(p: Any) -> list[str]:
    names = [p.name.upper()] if p.param_type_name == "argument" else [*p.opts, *p.secondary_opts]
    default = p.default() if callable(p.default) else p.default
    shown = "" if default is None or default is False or default in ("", []) else f"`{getattr(default, 'value', default)}`"
    return [", ".join(f"`{name}`" for name in names), _plain(p.help or ""), shown]


def _plain(text: str) -> str:
    """Help as Markdown: the markup of the terminal becomes emphasis."""
    text = re.sub(r"\[/?bold\]", "**", inspect.cleandoc(text))
    return prose(text).replace("|", "\\|")


def configuration_page() -> str:
    """All settings, then the names that they understand."""
    text = CONFIGURATION
    for title, model in _sections():
        rows = [_setting(name, field, model) for name, field in model.model_fields.items() if not _is_section(field)]
        text += f"\n## {title}\n\n{prose(inspect.getdoc(model) or '')}\n\n{table(['setting', 'type', 'default', ''], rows)}"
    text += "\n## The default, complete\n\nWhat every run writes into its directory:\n\n" + f"```toml\n{Config().to_toml()}```\n"
    for title, entries in catalogue.TABLES.items():
        slug = title.replace(" ", "-")
        rows = []
        for entry in entries:
            name = entry.__name__
            shown = f"[{name}](../equations/{slug}/{name}.md)" if title not in WITHOUT_EQUATIONS else f"**{name}**"
            rows.append([shown, f"`{catalogue.signature(entry)}`", cell((inspect.getdoc(entry) or "").partition("\n\n")[0])])
        text += f"\n## {title.capitalize()}\n\n{table(['', 'with its parameters', ''], rows)}"
    return text


def _sections() -> list[tuple[str, Any]]:
    """The tables of the file: the top level, then those in it."""
    inner = [(f"[{name}]", field.annotation) for name, field in Config.model_fields.items() if _is_section(field)]
    return [("Top level", Config), *inner]


def _is_section(field: Any) -> bool:
    return hasattr(field.annotation, "model_fields")


def _setting(name: str, field: Any, model: Any) -> list[str]:
    default = field.get_default(call_default_factory=True)
    shown = "none" if default is None else f"`{default!r}`".replace("'", '"')
    return [f"`{name}`", cell(_type(field.annotation)), shown, cell(_documentation(model).get(name, ""))]


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal and all(isinstance(choice, str) for choice in get_args(annotation)):
        *others, last = get_args(annotation)
        return f"{', '.join(others)} or {last}" if others else str(last)
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    text = re.sub(r"typing\.|nerva_core\.[\w.]*\.|annotated_types\.", "", text)
    return {"str": "text", "int": "integer"}.get(text, text.replace("str", "text"))


def _documentation(model: Any) -> dict[str, str]:
    """The text that stands below each field in the source of the model."""
    pairs = re.findall(r'^    (\w+): [^\n]*\n    """(.*?)"""', inspect.getsource(model), re.MULTILINE | re.DOTALL)
    return {name: " ".join(text.split()) for name, text in pairs}
