"""The command ``nerva data``. What it needs is imported when it runs."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from nerva_core.algebra.errors import NervaError, counted


def data(
    name: Annotated[str | None, typer.Argument(help="Such as fashion-mnist; without it all are listed.", show_default=False)] = None,
    path: Annotated[str | None, typer.Option(help="The folder to look at, where there is no usual one.")] = None,
) -> None:
    """Say where the files of a data set come from, and check those that are here. Nothing is downloaded."""
    from nerva_core.data import SOURCES

    obtained = {re.sub("[-_ ]", "", known).casefold(): known for source in SOURCES if source.where for known in names(source)}
    if name is None:
        for known in obtained.values():
            print(f"{known}: {SOURCES.lookup(known).where}")
        return
    key = re.sub("[-_ ]", "", name).casefold()
    if key not in obtained:
        raise NervaError(f"{name!r} is no data set that comes from elsewhere; these are: {', '.join(obtained.values())}")
    source = SOURCES.lookup(obtained[key])
    print(f"{obtained[key]}: {source.where}")
    if path is None and not isinstance(getattr(source, "path", None), str):
        print("give --path FOLDER to check the files")
        return
    found = SOURCES.build(obtained[key], **({} if path is None else {"path": path}))
    examples = found.load()
    test, classes = len(examples.Xtest), examples.classes
    shape = f"{len(examples.Xtrain)} training and {test} test examples, {counted(examples.inputs, 'feature')}, {classes} classes"
    print(f"{getattr(found, 'path', path)}: {shape}")


def names(source: type) -> tuple[str, ...]:
    """What a source is called."""
    return (source.__name__, *vars(source).get("aliases", ()))
