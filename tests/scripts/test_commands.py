"""The commands as users type them: output, and messages for invalid input."""

import os
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import get_type_hints

import pytest
import torch

from search_spaces import EVERY_FAMILY
from search_spaces.space_file import presets
from study.analysis.answer import recommended
from study.cli import run
from study.executors.options import ENGINES, EXECUTORS
from study.search.configuration import PRUNERS, SAMPLERS
from study.storage.studies import read_study
from study.workloads.names import DATASETS, MODELS, OPTIMIZERS
from tests.helpers import ROOT

DIGITS = ["--dataset", "digits", "--epochs", "2"]
QUICK = [*DIGITS, "--engine", "loop", "--confirm-seeds", 2]
"""To an answer, without timing engines first."""


def test_a_first_search(command, tmp_path):
    """In a log: no control codes, lines for each batch, the winner's code, and the verdict last."""
    flags = [*DIGITS, "--trials", 4, "--trials-per-batch", 2, "--families", "cosine", "linear"]
    result = command("search.py", *flags)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert re.search(r"\d/\d epochs, 4/4 trials \(random so far\), done\n  best after 2 epochs: ", result.out)
    assert "optimizer = torch.optim.SGD(model.parameters(), lr=" in result.out
    verdict = result.out[result.out.index("\nUse ") + 1 :].splitlines()
    assert len(verdict) <= 12
    assert all(len(line) <= 80 for line in verdict)
    study = "digits-mlp-sgd-2-epochs"
    assert verdict[-3:] == [
        f"Code: results/{study}/schedule.py",
        f"Report: python scripts/report.py --study {study}",
        "Dashboard: python scripts/dashboard.py",
    ]
    again = command("search.py", *flags)
    assert (again.code, again.err) == (0, "")
    assert "already has 4 trials: raise --trials to add more." in " ".join(again.out.split())
    assert again.out.splitlines()[-len(verdict) :] == verdict
    scope = {}
    exec((tmp_path / "results" / study / "schedule.py").read_text(), scope)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    winner = recommended(read_study("sqlite:///results/studies.db", study)).schedule
    scheduler = scope["make_scheduler"](optimizer, 100)
    assert scheduler.get_last_lr()[0] == pytest.approx(winner.simulate(100)[0][0])


def test_a_single_epoch_is_said_in_the_singular(command):
    planned = command("search.py", "--dataset", "digits", "--epochs", 1, "--max-cost", 6, "--dry-run").out
    assert re.match(r"--max-cost 6: \d+ trials, runs of 1 epoch\n", planned)
    assert re.search(r"\nStudy \S+ \d+ trials, runs of 1 epoch, 16 steps in full\n", planned)


def test_a_search_says_what_it_will_cost_and_keeps_to_a_limit(command):
    flags = ["--dataset", "digits", "--epochs", 14, "--families", "linear", "--max-cost", 6, "--sampler", "tpe"]
    flags += ["--reference", "none", "--confirm-seeds", 2]
    planned = command("search.py", *flags, "--dry-run").out
    assert planned.startswith("--max-cost 6: 9 trials, runs of 7, 14 epochs\n")
    first = command("search.py", *flags)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("--max-cost 6: 9 trials, runs of 7, 14 epochs\n")
    assert re.search(r"\nExpected: 9 trials, 1,232 steps = 5.5 full runs, about \d+ s\n", first.out)
    again = command("search.py", *flags, "--trials", 80)
    assert "already has 9 trials: --max-cost 6 allows no more." in " ".join(again.out.split())
    assert "Expected" not in again.out
    other = command("search.py", *flags, "--max-cost", 7)
    assert (other.code, other.out) == (2, "")
    assert other.err == (
        "error: study 'digits-mlp-sgd-14-epochs' was begun with --max-cost 6: do the same, or choose another name with "
        "--study\n"
    )
    more = command("search.py", *flags[:6], *flags[8:], "--trials", 12)
    assert "Expected: 3 more trials" in more.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--max-cost 0", "--max-cost must be above 0, but 0.0 was given"),
        ("--max-hours -1", "--max-hours must be above 0, but -1.0 was given"),
        ("--max-cost five", "--max-cost must be a number, but 'five' was given"),
        ("--max-cost 5 --max-hours 1", "give --max-cost or --max-hours, not both"),
        ("--max-cost 1", "--max-cost must be at least 5 for 5 trials, the smallest search that makes sense, but 1 was"),
    ],
)
def test_a_limit_that_makes_no_sense_is_answered_in_one_line(given, said, command):
    result = command("search.py", *DIGITS, *given.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {said}")
    assert result.err.count("\n") == 1


def test_tables_are_printed_on_demand(command):
    flags = [*DIGITS, "--trials", 2, "--families", "linear"]
    assert "┏" not in command("search.py", *flags).out
    names = ["families", "importance", "peaks", "audit", "edges"]
    said = command("search.py", *flags, "--show", *names).out
    assert said.index("│ linear") < said.index("\nUse ")
    for heading in (
        "Parameter importance needs",
        "peak_lr sensitivity is shown",
        "Audit: ",
        "At the edge of the search",
    ):
        assert said.index(heading) < said.index("\nUse ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--families cosin step", "unknown family 'cosin': did you mean 'cosine'? Valid: constant, step, "),
        ("--dataset minst1d", "unknown dataset 'minst1d': did you mean 'mnist1d'? Valid: mnist1d, digits, "),
        ("--model mpl", "unknown model 'mpl': did you mean 'mlp'? Valid: mlp, cnn, transformer, resnet18"),
        ("--model resnet50", "unknown model 'resnet50': did you mean 'torchvision:resnet50'? Valid: mlp, cnn, "),
        ("--model torchvision:resnet5", "unknown torchvision model 'resnet5': did you mean 'resnet50'? Valid: "),
        ("--task ranking", "--task must be classification or regression, but 'ranking' was given"),
        ("--pruner asha", "unknown pruner 'asha'. Valid: horizon, median, hyperband, halving, none"),
        ("--workload a:b", "--workload already defines data and model: remove --dataset digits"),
        ("--optimizer adam", "unknown optimizer 'adam': did you mean 'adamw'? Valid: sgd, adamw"),
        (
            "--pruner medium",
            "unknown pruner 'medium': did you mean 'median'? Valid: horizon, median, hyperband, halving, none",
        ),
        ("--sampler tpee", "unknown sampler 'tpee': did you mean 'tpe'? Valid: gp, gp-optuna, tpe, "),
        ("--audit 1.5", "--audit must be from 0 to 1, but 1.5 was given"),
        ("--startup-trials 0", "--startup-trials must be at least 1, but 0 was given"),
        ("--device gpu", "unknown device 'gpu': did you mean 'cuda'? Valid: auto, cpu, cuda"),
        ("--show tables", "unknown table 'tables'. Valid: families, importance, peaks, audit, edges"),
        ("--trials 0", "--trials must be at least 1, but 0 was given"),
        ("--trials -3", "--trials must be at least 1, but -3 was given"),
        ("--epochs 0", "--epochs must be at least 1, but 0 was given"),
        ("--epochs 1000000000", "a run has 10,000,000 steps at most: lower --epochs, but 16000000000 was given"),
        ("--batch-size 0", "--batch-size must be at least 1, but 0 was given"),
        (
            "--batch-size 5000",
            "--batch-size must be at most 1078, the number of training rows of digits, but 5000",
        ),
        ("--trials-per-batch 0", "--trials-per-batch must be at least 1, but 0 was given"),
        ("--weight-decay -1", "--weight-decay must be at least 0 and finite, but -1.0 was given"),
        (
            "--train-seed 1000",
            "--train-seed must be below 1000: seeds from there on are reserved for confirming, but",
        ),
        ("--sampler-seed -1", "--sampler-seed must be at least 0, but -1 was given"),
        ("--rung-fractions 1.5", "--rung-fractions must be above 0 and below 1, but (1.5,) was given"),
        ("--least-steps 0", "--least-steps must be at least 1, but 0 was given"),
        ("--reduction 1", "--reduction must be at least 2, but 1 was given"),
        ("--dataset mnist1d --model resnet18", "model resnet18 needs images"),
        ("--batch-size 1000 --epochs 2", "one_cycle needs at least 3 steps to show its shape, but the run has 2"),
        ("--storage results/studies.db", "'results/studies.db' is not a database URL: give --storage a database URL"),
        (
            "--storage sqlite:///nowhere/studies.db",
            "the folder nowhere of the storage does not exist: mkdir -p nowhere",
        ),
    ],
)
def test_bad_input_is_told_in_one_message(arguments, said, command, tmp_path):
    result = command("search.py", "--dataset", "digits", *arguments.split())
    assert result.code == 2
    assert result.err.startswith(f"error: {said}")
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert [path.name for path in tmp_path.rglob("*")] == ["results"], "nothing half-written"


def test_data_that_is_not_there_is_told(command, monkeypatch, tmp_path):
    import torchvision.datasets

    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    result = command("search.py", "--dataset", "mnist", "--data-root", tmp_path / "data")
    assert result.code == 2
    assert result.err.startswith("error: dataset 'mnist' cannot be read from ")
    assert "copy torchvision's files for MNIST there, or set --data-root to the directory that has them" in result.err
    assert result.err.count("\n") == 1


def test_cuda_is_refused_where_there_is_none(command, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = command("search.py", *DIGITS, "--device", "cuda")
    assert result.code == 2
    assert "--device cuda needs a GPU that torch sees, but it sees none: use --device cpu" in result.err


def test_another_configuration_is_refused(command):
    assert command("search.py", *DIGITS, "--trials", 1, "--study", "mine").code == 0
    result = command("search.py", *DIGITS, "--trials", 2, "--study", "mine", "--batch-size", 32)
    assert result.code == 2
    assert (
        "study 'mine' was made with batch_size 64 (now 32): give the same again, or choose another name" in result.err
    )


@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner_can_be_typed(pruner, command):
    result = command("search.py", *QUICK, "--trials", 2, "--pruner", pruner, "--families", "rex")
    assert result.code == 0, result.err
    assert "\nUse " in result.out


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_can_be_typed(sampler, command):
    result = command("search.py", *QUICK, "--trials", 12, "--trials-per-batch", 4, "--sampler", sampler)
    assert (result.code, result.err) == (0, ""), result.err
    assert "\nUse " in result.out


def test_every_model_and_optimizer_can_be_typed(command):
    for model in ("mlp", "cnn", "transformer"):
        result = command("search.py", *QUICK, "--trials", 1, "--model", model, "--optimizer", "adamw")
        assert result.code == 0, result.err


def test_a_study_whose_trials_all_diverge_has_no_winner(command, monkeypatch):
    monkeypatch.setattr("study.training.divergence.EXPLODED", -1.0)
    result = command("search.py", *DIGITS, "--trials", 2)
    assert result.code == 0, result.err
    assert "No winner: all 2 trials diverged, with a peak_lr of 0." in result.out


def fields_of(options):
    """(flag, type) of each field of the options, also of those that are fields of it; a switch turns its default."""
    hints = get_type_hints(options)
    for field in fields(options):
        if is_dataclass(hints[field.name]):
            yield from fields_of(hints[field.name])
        else:
            yield f"--{'no-' * (field.default is True)}{field.name.rstrip('_').replace('_', '-')}", hints[field.name]


SCRIPTS = ROOT / "scripts"
WITH_OPTIONS = [
    str(path.relative_to(SCRIPTS)) for path in sorted(SCRIPTS.rglob("*.py")) if "class Options" in path.read_text()
]


@pytest.mark.parametrize("columns", [80, 50])
@pytest.mark.parametrize("script", WITH_OPTIONS)
def test_help_shows_every_flag_once_within_the_terminal(script, columns, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = command(script, "--help")
    assert (result.code, result.err) == (0, "")
    options = import_module(f"scripts.{script.removesuffix('.py').replace('/', '.')}").Options
    shown = re.findall(r"^  (--[\w-]+)", result.out, re.MULTILINE)
    assert sorted(shown) == sorted(flag for flag, _ in fields_of(options))
    assert re.findall(r"None|\(default: \)|False|True", result.out) == []
    listed = result.out.partition("\noptions:\n")[2].splitlines()
    too_long = [line for line in listed if len(line) > columns and max(map(len, line.split())) < columns - 26]
    assert too_long == []


def test_help_begins_with_what_is_changed_first(command):
    groups = re.split(r"\n\n(?=[\w ]+:\n)", command("search.py", "--help").out)[2:]
    flags = {group.partition(":")[0]: re.findall(r"^  --([\w-]+)", group, re.MULTILINE) for group in groups}
    assert list(flags) == ["options", "workload", "training", "search", "executor", "rarely needed"]
    assert flags["options"][:6] == ["trials", "epochs", "families", "space", "dataset", "model"]
    assert flags["executor"] == [
        "engine",
        "cohort",
        "executor",
        "workers",
        "gpus-per-run",
        "cpus-per-run",
        "ray-address",
    ]
    assert {"least-steps", "reduction", "trials-per-bracket", "rung-fractions"} < set(flags["rarely needed"])


def test_help_names_all_that_is_valid(command):
    shown = command("search.py", "--help").out
    for names in (DATASETS, MODELS, OPTIMIZERS, SAMPLERS, PRUNERS, ENGINES, EXECUTORS, EVERY_FAMILY, presets()):
        assert [name for name in names if name not in shown.replace("\n" + " " * 24, " ")] == []


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([str(ROOT / "scripts" / "search.py"), "--help"], marks=pytest.mark.slow),
        ["-c", "from study.cli import run; run(lambda: print('a table'))"],
        ["-c", "from study.cli import run; run(lambda: (print('help'), exit()))"],
    ],
    ids=["search.py --help", "printed", "printed, then exit"],
)
def test_a_reader_who_has_seen_enough_is_not_answered_with_a_traceback(command, tmp_path):
    """As `search.py --help | head -1`; here the reader leaves before the first line, which a buffer keeps back."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, *command]
    with subprocess.Popen(
        command, cwd=tmp_path, env=buffered, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 1), "argparse ignores a broken pipe if the help is longer than the buffer"


def test_a_pipe_that_broke_elsewhere_is_not_taken_for_a_reader_who_left(capfd):
    def fail():
        raise BrokenPipeError("of a worker")

    with pytest.raises(BrokenPipeError, match="of a worker"):
        run(fail)


@pytest.mark.parametrize(("redirect", "code"), [("> /dev/full", 2), (">&-", 0)])
def test_an_output_that_is_full_or_closed(redirect, code, tmp_path):
    """A log on a full disk, and a daemon without standard output."""
    command = f"{sys.executable} -c \"from study.cli import run; run(lambda: print('a table'))\" {redirect}"
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == code
    full = "error: cannot write what was found, or standard output: No space left on device. Finished trials are kept\n"
    assert result.stderr == (full if code else "")


@pytest.mark.parametrize("loaded", [False, True])
def test_modules_are_imported_without_collecting_garbage(loaded, tmp_path):
    """In a process that has loaded torch before, nothing changes."""
    code = """
import gc, sys
from study.cli import quick_imports
if sys.argv[1] == "True": import torch
with quick_imports():
    during = gc.isenabled()
    import torch
print(during, gc.isenabled(), gc.get_freeze_count() > 100_000)
"""
    command = [sys.executable, "-c", code, str(loaded)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.split() == (["True", "True", "False"] if loaded else ["False", "True", "True"])


def test_names_cannot_steer_the_terminal(command, tmp_path):
    (tmp_path / "t\x1b[31m.csv").write_text("a\x1b[31mRED,y\n" + "1,2\n2,1\n" * 30)
    refused = command("search.py", "--dataset", "t\x1b[31m.csv", "--target", "z")
    assert refused.err == "error: unknown column 'z' in t\\x1b[31m.csv. Valid: a\\x1b[31mRED, y\n"
    planned = command("search.py", "--dataset", "t\x1b[31m.csv", "--target", "y", "--dry-run", "--batch-size", 8)
    assert "\\x1b[31m" in planned.out
    assert "\x1b" not in planned.out + planned.err


def test_a_name_that_is_no_text_is_refused(command):
    result = command("search.py", *DIGITS, "--study", "\udcff")
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: '\\udcff' is not UTF-8, or the locale is not: type export LC_ALL=C.UTF-8\n"
