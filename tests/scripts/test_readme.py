"""What the README says is true: its commands run, its snippets work, its table is the one that was printed."""

import re
import shlex
import subprocess
import sys

import pytest
import torch

from study.workloads.builtin_datasets import DEBIAN_FASHION_MNIST
from tests.helpers import ROOT, start

README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "GUIDE.md").read_text()
LINES = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
BROWSE = [line for line in LINES if "dashboard" in line]
"""Servers, which do not end by themselves: test_dashboard.py runs them."""
SCRIPTS = [line for line in LINES if line.startswith("python scripts/") and line not in BROWSE]
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_every_command_is_run_by_something():
    gate = [line for line in LINES if line.startswith("python3.11 -m venv")]
    assert len(gate) == 2, ".ci/run takes these two from the README"
    rest = [line for line in LINES if line not in [*gate, *SCRIPTS, *BROWSE]]
    assert rest == ["source .venv/bin/activate"]


def test_commands_in_the_order_of_the_page(command):
    """In one folder: what is reported and reproduced was searched before."""
    for line in SCRIPTS:
        if "fashion-mnist" in line and not DEBIAN_FASHION_MNIST.is_dir():
            continue  # .ci/run installs Debian's package, and test_named_data.py says that it is missing
        _, script, *arguments = shlex.split(line)
        result = command(script.removeprefix("scripts/"), *arguments)
        assert result.code == 0, (line, result.err, result.out)
        if "--trials" in arguments:
            assert "Winner: trial" in result.out


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippets(snippet):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    exec(snippet, {"optimizer": optimizer, "total_steps": 200, "validation_loss": 1.0})
    assert optimizer.param_groups[0]["lr"] < 0.1, "a cosine has ended, and a plateau was heard"


def test_the_guide_as_it_stands(tmp_path):
    """In an empty folder, each command a process: snippets are run, or put into the file that they name."""
    for language, block in re.findall(r"```(python|bash)\n(.*?)```", GUIDE, re.DOTALL):
        if block.startswith("# mine.py"):
            (tmp_path / "mine.py").write_text(block)
        elif language == "python":
            subprocess.run([sys.executable, "-"], input=block, text=True, cwd=tmp_path, check=True)
        for line in block.splitlines() if language == "bash" else ():
            _, script, *arguments = shlex.split(line)
            if script != "scripts/dashboard.py":  # test_dashboard.py runs it
                process = start(script.removeprefix("scripts/"), *arguments, cwd=tmp_path)
                said = process.communicate(timeout=200)[0]
                assert process.returncode == 0, (line, said)
                assert "Winner: trial" in said or "--trials" not in arguments
    exec((tmp_path / "schedule.py").read_text(), {})


def test_tables_are_those_that_were_printed():
    compared = (ROOT / "results/search/pruners.md").read_text()
    overall = compared[compared.index("| arm |") :].split("\n\n")[0]
    assert overall.count("\n") == 6, "two lines of head, five arms"
    known = (ROOT / "results/known/known.md").read_text()
    best = known[known.index("| workload | epochs |") :].split("\n\n")[0]
    studies = (ROOT / "results/speed/studies.md").read_text()
    for table in (overall, best, studies[studies.index("| study |") :].split("\n\n")[0].strip()):
        assert table in README


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README + GUIDE + (ROOT / "CONTRIBUTING.md").read_text()):
        assert (ROOT / target.replace("\\", "")).exists(), target
