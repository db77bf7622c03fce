import os
import subprocess
import sys

from nerva_core.commands.completion import backend_names, dtype_names, names_of


def test_names_are_completed_whatever_the_case() -> None:
    assert names_of()("softm") == names_of()("SOFTM")
    assert {"Softmax", "SoftmaxCrossEntropy"} <= set(names_of()("softm"))
    assert set(names_of("losses")("softm")) < set(names_of()("softm"))
    assert not names_of()("no such")
    assert backend_names("num") == ["numpy"]
    assert dtype_names("float6") == ["float64"]


def test_a_shell_is_offered_names() -> None:
    environment = {**os.environ, "_NERVA_COMPLETE": "complete_bash", "COMP_WORDS": "nerva show Soft", "COMP_CWORD": "2"}
    program = "from nerva_core.cli import app; app(prog_name='nerva')"
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert {"Softmax", "Softplus"} <= set(result.stdout.split()), result.stderr
    assert "ReLU" not in result.stdout
