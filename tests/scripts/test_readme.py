"""What the README says is true: its commands run, its snippets work, its table is the one that was printed."""

import re

import pytest
import torch

from study.workloads.builtin_datasets import DEBIAN_FASHION_MNIST
from tests.helpers import ROOT
from tests.pages import GUIDE, README, Typist, blocks

LINES = [line for language, block in blocks(README) if language == "bash" for line in block.splitlines()]
BROWSE = [line for line in LINES if "dashboard" in line]
"""Servers, which do not end by themselves: test_dashboard.py runs them."""
SCRIPTS = [line for line in LINES if line.startswith("python scripts/") and line not in BROWSE]
SNIPPETS = [block for language, block in blocks(README) if language == "python"]


def test_every_command_is_run_by_something():
    gate = [line for line in LINES if line.startswith("python3.11 -m venv")]
    assert len(gate) == 2, ".ci/run takes these two from the README"
    rest = [line for line in LINES if line not in [*gate, *SCRIPTS, *BROWSE]]
    assert rest == ["source .venv/bin/activate"]


@pytest.mark.slow
@pytest.mark.timeout(900)  # of the whole page
def test_commands_in_the_order_of_the_page(command, tmp_path):
    """In one folder: what is reported and reproduced was searched before."""
    typist = Typist(command, tmp_path)
    for line in SCRIPTS:
        if "fashion-mnist" in line and not DEBIAN_FASHION_MNIST.is_dir():
            continue  # .ci/run installs Debian's package, and test_builtin_datasets.py says that it is missing
        typist.type(line)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippets(snippet):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    scope = {"optimizer": optimizer, "total_steps": 200, "validation_loss": 1.0}
    exec(snippet, scope)
    if "result" in scope:  # of a search
        assert optimizer.param_groups[0]["lr"] == scope["result"].schedule.simulate(200, [1.0] * 20)[0][0]
    else:
        assert optimizer.param_groups[0]["lr"] < 0.1, "a cosine has ended, and a plateau has observed the loss"


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
