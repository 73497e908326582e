"""What the README and docs/ say is true: commands run, snippets work, output and tables are those that were printed."""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console

from study.analysis.cost import Cost
from study.reports.search_console import where_lines, wrapped_line
from study.reports.terminal import TABLES
from study.reports.verdict import verdict_lines
from study.storage.archive import read_archive
from study.storage.url import DEFAULT_STORAGE
from study.workloads.builtin_datasets import DEBIAN_FASHION_MNIST
from tests.helpers import ROOT
from tests.pages import DOCS, GUIDE, NOT_TYPED, README, Typist, blocks, lines, printed, table

SERVERS = [line for line in lines(README, *DOCS.values()) if "dashboard.py" in line]
"""They do not end by themselves: test_dashboard.py runs them."""
GATE = [line for line in lines(README) if line.startswith("python3.11 -m venv")]
COMMANDS = [
    line for line in lines(README, *DOCS.values()) if line not in [*SERVERS, *GATE, "source .venv/bin/activate"]
]
NOTHING_BESIDES = " --confirm-seeds 0 --reference none"
"""Is typed after the searches of the README, most of whose time goes into these: .ci/run types the first as it stands,
and the searches of the other pages confirm their winners."""
FEWER = {"--command": " --trials 4", "--model gpt": " --trials 2"}
"""Is typed after the lines that hold the first, whose runs take long: each starts a script, or trains a GPT."""
TRAINING = """
import sys

import torch

from study.script import report, scheduler

epochs, seed = int(sys.argv[1]), int(sys.argv[2])
torch.manual_seed(seed)
x = torch.randn(64, 4)
y = x @ torch.tensor([1.0, -2.0, 0.5, 0.0])
weight = torch.zeros(4, requires_grad=True)
optimizer = torch.optim.SGD([weight], lr=0.1)
sched = scheduler(optimizer, 8 * epochs) or torch.optim.lr_scheduler.ConstantLR(optimizer)
for _ in range(epochs):
    for rows in torch.randperm(64).split(8):
        optimizer.zero_grad()
        (x[rows] @ weight - y[rows]).square().mean().backward()
        optimizer.step()
        sched.step()
    report(float((x @ weight - y).square().mean()))
"""
"""A script of a user, which is started for each run and imports little; test_own_training_examples.py has real ones."""
SNIPPETS = [block for page in (README, *DOCS.values()) for language, block in blocks(page) if language == "python"]
RESULTS = ROOT / "results"


def prose(page):
    """The page without code, tables and the targets of links."""
    without_code = re.sub(r"```.*?```|`[^`]*`", "", page, flags=re.DOTALL)
    text = "\n".join(line for line in without_code.splitlines() if not line.startswith("|"))
    return re.sub(r"\]\([^)]*\)|<[^>]*>", "", text)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120
    assert len(re.findall(r"[A-Za-z][\w'-]*", prose(README))) <= 600
    assert len(re.findall(r"\d[\d.,]*", prose(README))) <= 8


def test_every_command_is_run_by_something():
    assert len(GATE) == 2, ".ci/run takes these two from the README"
    assert all(line.startswith("python scripts/") for line in COMMANDS)


@pytest.mark.slow
@pytest.mark.timeout(900)  # of all pages
def test_commands_in_the_order_of_the_pages(command, tmp_path, monkeypatch):
    """In one folder, beside the files of the guide: what is reported and reproduced was searched before."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # as in an active environment
    typist = Typist(command, tmp_path)
    for language, block in blocks(GUIDE):
        if block.startswith("# mine.py"):
            (tmp_path / "mine.py").write_text(block)
            (tmp_path / "train.py").write_text(TRAINING)
        elif language == "python" and "wine.csv" in block:
            subprocess.run([sys.executable, "-"], input=block, text=True, cwd=tmp_path, check=True)
    first = GATE[0].rpartition("&& .venv/bin/")[2]
    searches = [line for line in [first, *lines(README)] if "scripts/search.py" in line]
    for line in [first, *COMMANDS]:
        if "fashion-mnist" in line and not DEBIAN_FASHION_MNIST.is_dir():
            continue  # .ci/run installs Debian's package, and test_builtin_datasets.py says that it is missing
        fewer = "".join(flags for what, flags in FEWER.items() if what in line)  # the last value of a flag counts
        typist.type(line.partition("  #")[0] + NOTHING_BESIDES * (line in searches) + fewer)


@pytest.fixture(scope="module")
def first_search():
    """The committed run that the pages quote."""
    [record] = read_archive(RESULTS / "first-search")
    return record


def test_the_verdict_is_that_of_the_committed_run(first_search):
    """But for its duration, which the archive does not keep."""
    [shown] = printed(README)
    lines = [wrapped_line(line, 80) for line in verdict_lines(first_search)]
    path = Path(f"results/{first_search.name}/schedule.py")
    lines += where_lines(first_search, DEFAULT_STORAGE, path)
    timeless = re.compile(r"(full runs \(.*\)), .*")
    assert timeless.sub(r"\1", shown).splitlines() == timeless.sub(r"\1", "\n".join(lines)).splitlines()
    assert len(lines) <= 12
    assert printed(DOCS["reading"])[0] == shown
    assert Cost.of(first_search).full_runs == 14, "as the README says"
    assert first_search.name in lines[-2]


def test_the_tables_are_those_of_the_committed_run(first_search):
    console = Console(width=80, file=StringIO())
    for name in ("families", "peaks"):
        console.print(TABLES[name](first_search), "")
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert printed(DOCS["reading"])[1].strip() == "\n".join(lines).strip()


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippets(snippet):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
    scope = {"optimizer": optimizer, "total_steps": 200, "validation_loss": 1.0}
    exec(snippet, scope)
    if "result" in scope:  # of a search
        assert optimizer.param_groups[0]["lr"] == scope["result"].schedule.simulate(200, [1.0] * 20)[0][0]
    else:
        rate = scope["optimizer"].param_groups[0]["lr"]  # which schedule_free has replaced
        assert rate <= 0.1, "a decay has ended, a plateau has observed the loss, and schedule_free has its peak"


def test_tables_are_those_that_were_printed():
    pruners = (RESULTS / "search/pruners.md").read_text()
    assert table(pruners, "arm") == table(DOCS["evidence"], "arm")
    known = (RESULTS / "known/known.md").read_text()
    assert table(known, "workload") == table(DOCS["evidence"], "workload")
    for name, head in (("answers", "difference"), ("extensions-5-20", "schedule for the longer run")):
        assert table((RESULTS / f"search/{name}.md").read_text(), head) == table(DOCS["evidence"], head)
    studies = (RESULTS / "speed/studies.md").read_text()
    assert table(studies, "study") == table(DOCS["speed"], "study")


def test_what_the_rungs_cost_is_as_it_was_printed():
    page = (RESULTS / "search/cost.md").read_text()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table(DOCS["evidence"], "runs of").splitlines()
    ]
    for runs, arm, share, regret, against in rows[2:]:
        of_these = page.partition(f"## mnist1d-mlp-sgd, {runs.partition(',')[0]}\n")[2]
        [printed_cells] = [
            cells for cells in map(cells_of, of_these.partition("\n## ")[0].splitlines()) if arm in cells[:1]
        ]
        assert printed_cells[2:4] == [regret, against]
        assert printed_cells[5].endswith(f"({share})")


def cells_of(line):
    """The cells of a line of a table; none of another line."""
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_three_rows_of_the_readme_are_those_of_the_evidence():
    rows = {
        arm: [cells[1], cells[4]]
        for arm, *cells in (
            [cell.strip() for cell in line.split("|")[1:-1]] for line in table(DOCS["evidence"], "arm").splitlines()
        )
    }
    shown = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(README, "search").splitlines()[2:]]
    assert [name for name, *_ in shown] == ["Optuna, no pruning", "Optuna, median pruner", "this project"]
    assert [cells for _, *cells in shown] == [rows["none"], rows["median"], rows["horizon"]]


def test_rex_is_best_or_tied_in_every_report_that_tuned_it_with_a_warm_up():
    """The README's advice for those who do not search."""
    names = [line.split("|")[1].strip() for line in table(DOCS["evidence"], "workload").splitlines()]
    found = [re.split(r"[|,]", line.replace("\\", "")) for line in table(DOCS["evidence"], "workload").splitlines()]
    tuned = [
        cells
        for name, cells in zip(names[2:], found[2:], strict=True)
        if "warm-up" not in name and "rex," in (RESULTS / f"benchmark-{name}" / "trials.csv").read_text()
    ]
    assert len(tuned) == 6
    assert all("rex" in [cell.strip() for cell in cells] for cells in tuned)


def test_links_lead_somewhere():
    pages = {ROOT: [README, GUIDE, (ROOT / "CONTRIBUTING.md").read_text()], ROOT / "docs": [*DOCS.values(), *NOT_TYPED]}
    for folder, texts in pages.items():
        for text in texts:
            for target in re.findall(r"(?:\]\(|src=\")(?!http)([^)#\"]+)[^)\"]*[)\"]", text):
                assert (folder / target.replace("\\", "")).exists(), target
