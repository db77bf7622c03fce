import re
import shutil
import subprocess

import pytest
import typer.main

from nerva_core.cli import app
from nerva_core.commands.help_texts import EXAMPLES
from nerva_core.commands.manual import manual, plain
from tests.conftest import Nerva

GROUP = typer.main.get_command(app)


def test_every_command_option_and_example_is_there(nerva: Nerva) -> None:
    status, out, _ = nerva("--man")
    assert status == 0
    text = out.replace("\\-", "-").replace("\\e", "\\")
    for name, command in GROUP.commands.items():
        section = re.search(rf"^\.SS nerva {name}$(.*?)(?=^\.S[SH])", text, re.DOTALL | re.MULTILINE)
        assert section
        for p in command.params:
            if p.param_type_name == "option" and not p.hidden:
                assert re.search(rf"^\.B .*{re.escape(p.opts[0])}(,|$)", section[1], re.MULTILINE), (name, p.opts)
        for line in EXAMPLES[name]:
            assert f"\n{line}\n" in section[1]


def test_text_that_looks_like_requests() -> None:
    assert plain(".TH is a request") == "\\&.TH is a request"
    assert plain("a \\ and [bold]--x[/bold]\n\nnext") == "a \\e and \\-\\-x\n.PP\nnext"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_it_is_typeset_without_a_warning() -> None:
    command = ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=120n"]
    result = subprocess.run(command, input=manual(GROUP, "1"), capture_output=True, text=True, check=False)
    warnings = [line for line in result.stderr.splitlines() if "break" not in line and "adjust" not in line]
    assert (result.returncode, warnings) == (0, [])
    assert "nerva train" in result.stdout
