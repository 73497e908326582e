"""The benchmark of families: what it stores, that it resumes after a stop, and its report."""

import re
import shlex
from statistics import mean

import optuna
import pytest

from study.assembly import comparing, plan_comparison
from study.executors.choice import agree
from study.executors.in_process import InProcess
from study.executors.options import ExecutorOptions
from study.search.configuration import Configuration, SearchOptions
from study.search.confirm import confirm
from study.search.family_plan import parts
from study.source import make_objective
from study.storage.studies import lower_cohort, read_studies
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions
from tests.helpers import DIGITS, start, trainer

SHORT = ["--dataset", "digits", "--families", "constant", "linear", "step", "--least-steps", 1]
ARGUMENTS = [*SHORT, "--epochs", 2, 4, "--trials-per-family", 4, "--confirm-seeds", 3, "--name", "b"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a user has run a benchmark, in a process of its own."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "results").mkdir()
    process = start("benchmark.py", *ARGUMENTS, cwd=folder)
    said = process.communicate(timeout=280)[0]
    assert process.returncode == 0, said
    (folder / "said.txt").write_text(said)
    return folder


def storage_of(folder):
    return f"sqlite:///{folder}/results/studies.db"


def test_a_study_for_every_family_and_budget_each_confirmed(folder, data_root):
    studies = read_studies(storage_of(folder), "b")
    names = [f"b-{epochs}-epochs-{family}" for epochs in (2, 4) for family in ("constant", "linear", "step")]
    assert [study.name for study in studies] == names
    for study in studies:
        assert len(study.trials) == 4
        kept, best = study.confirmed, study.best
        assert (kept.trial, kept.seeds) == (best.number, (1000, 1001, 1002))
        stored = Configuration.stored(study.configuration)
        workload = WorkloadOptions.stored(study.configuration).load(data_root)
        objective = WorkloadObjective(workload)
        again = confirm(objective, trainer(workload), best.schedule, stored.epochs, kept.seeds)
        assert kept.test == pytest.approx(again, abs=5 / len(workload.data.test.x)), "lockstep rounds differently"
    said = (folder / "said.txt").read_text()
    lines = re.findall(
        r"^(\d)/6 (\w+), (\d) epochs: validation [\d.]+ %, test ([\d.]+) %; .*(?:left|done|unknown)$", said, re.M
    )
    assert [(number, f"b-{epochs}-epochs-{family}") for number, family, epochs, _ in lines] == [
        (str(i), name) for i, name in enumerate(names, start=1)
    ]
    for (*_, test), study in zip(lines, studies, strict=True):
        assert float(test) == pytest.approx(100 * mean(study.confirmed.test), abs=0.051)
    verdict = said.split("\n\n")[-1].splitlines()
    for epochs, line in ((2, verdict[0]), (4, verdict[2])):
        means = {s.settings.families[0]: mean(s.confirmed.test) for s in studies if s.settings.epochs == epochs}
        best = min(means, key=lambda family: (means[family], family))
        assert line.startswith(f"Best at {epochs} epochs: {best}, test error {100 * means[best]:.1f} [")
        assert line.endswith("] % over 3 fresh seeds")
    assert verdict[1] == verdict[3] == "  ties: inconclusive, 3 families need at least 7 seeds to differ"
    assert verdict[4] == "Cost: 6 studies, 24 trials, 72 epochs to tune and 54 to confirm"
    assert verdict[5].startswith("Time: ")
    assert verdict[6:] == ["Report: python scripts/report.py --study b"]
    assert all(len(line) <= 80 for line in said.splitlines() if not line.startswith("Benchmark"))


def test_a_second_start_finds_all_done_and_more_trials_are_added(folder, command):
    before = [(len(s.trials), s.confirmed) for s in read_studies(storage_of(folder), "b")]
    again = command("benchmark.py", *ARGUMENTS, "--storage", storage_of(folder))
    assert (again.code, again.err) == (0, "")
    assert [(len(s.trials), s.confirmed) for s in read_studies(storage_of(folder), "b")] == before


def test_the_engine_is_chosen_once_and_what_is_done_is_not_trained_again(storage, data_root, monkeypatch):
    source, chosen = WorkloadOptions(dataset="digits"), []
    options = SearchOptions(families=("constant", "linear"), pruner="none")
    objective = make_objective(source, "cpu", data_root)
    plan = plan_comparison(source, objective, options, [1], search_seeds=1, confirm_seeds=2, storage=storage)
    monkeypatch.setattr("study.assembly.agree", lambda name, *others: chosen.append(name) or agree(name, *others))
    list(comparing(plan, ExecutorOptions(engine="loop"), 2))
    assert chosen == [plan.studies[0].name]
    monkeypatch.setattr(InProcess, "train", lambda *arguments: pytest.fail("trained again"))
    assert sum(progress.study is not None for progress in comparing(plan, ExecutorOptions(), 2)) == 2


def test_it_goes_on_where_memory_has_lowered_a_cohort(command, storage):
    """The study before knows of fewer runs at a time than those that came after it."""
    flags = [*SHORT[:2], "--families", "linear", "step", "--least-steps", 1, "--epochs", 2, "--confirm-seeds", 2]
    flags += ["--trials-per-family", 2, "--engine", "lockstep", "--cohort", 4, "--storage", storage]
    assert command("benchmark.py", *flags).code == 0
    first = read_studies(storage, "benchmark-digits-mlp-sgd")[0].name
    lower_cohort(optuna.load_study(study_name=first, storage=storage), 2)
    again = command("benchmark.py", *flags)
    assert (again.code, again.err) == (0, "")


def test_a_search_and_a_benchmark_have_names_of_their_own(folder, command):
    """A report of the one would replace that of the other."""
    few = ["--dataset", "digits", "--epochs", 2, "--least-steps", 1, "--families", "linear"]
    search = [*few, "--trials", 1, "--storage", storage_of(folder)]
    refused = command("search.py", *search, "--study", "b")
    assert (refused.code, refused.err) == (
        2,
        "error: 'b' is the name of a benchmark: choose another name with --study\n",
    )
    assert command("search.py", *search, "--study", "mine").code == 0
    refused = command("benchmark.py", *few, "--name", "mine", "--storage", storage_of(folder))
    assert (refused.code, refused.err) == (2, "error: 'mine' is the name of a study: choose another name with --name\n")


def test_it_is_named_after_what_is_trained(command, tmp_path):
    (tmp_path / "my data").mkdir()
    rows = "".join(f"{i / 100},{i % 2}\n" for i in range(100))
    (tmp_path / "my data/t.csv").write_text(f"x,y\n{rows}")
    flags = ["--dataset", "my data/t.csv", "--target", "y", "--families", "linear", "--least-steps", 1, "--epochs", 2]
    storage = "sqlite:///my data/t.db"
    few = ["--trials-per-family", 1, "--confirm-seeds", 1, "--batch-size", 8, "--storage", storage]
    result = command("benchmark.py", *flags, *few)
    assert (result.code, result.err) == (0, "")
    report = "python scripts/report.py --study benchmark-t-mlp-sgd --storage 'sqlite:///my data/t.db'"
    assert result.out.endswith(f"Report: {report}\n")
    assert command("report.py", *shlex.split(report)[2:]).code == 0


def test_the_report_ranks_the_families(folder, command, tmp_path):
    result = command("report.py", "--study", "b", "--storage", storage_of(folder))
    assert (result.code, result.err) == (0, "")
    said = (tmp_path / "results/b/report.md").read_text()
    assert said.index("The rule, written before the results") < said.index("## 2 epochs") < said.index("## 4 epochs")
    studies = read_studies(storage_of(folder), "b")
    for epochs in (2, 4):
        means = {s.settings.families[0]: mean(s.confirmed.test) for s in studies if s.settings.epochs == epochs}
        best = min(means, key=lambda family: (means[family], family))
        assert f"- **{epochs} epochs**: `{best}`, test\\_error {100 * means[best]:.1f} %" in said
        part = said[said.index(f"## {epochs} epochs") :]
        rows = re.findall(r"^\| `(\w+)` \| 3 \| ([\d.]+) ", part, re.M)[:3]
        assert rows == [
            (family, f"{100 * means[family]:.{1 if means[family] >= 0.1 else 2}f}")
            for family in sorted(means, key=lambda f: (means[f], f))
        ]
    assert "trials never pruned" in said
    assert "Each family was searched once." in said
    again = re.search(r"^python scripts/reproduce.py (--study b-4-epochs-\w+ --trial \d+)$", said, re.M)[1]
    reproduced = command("reproduce.py", *again.split(), "--storage", storage_of(folder))
    assert reproduced.out.endswith("Reproduced to the last bit.\n"), reproduced
    for name in (
        "families.svg",
        *(f"{what}-{epochs}.svg" for what in ("winners", "tuning", "peak_lr") for epochs in (2, 4)),
    ):
        assert (tmp_path / "results/b" / name).read_bytes().startswith(b"<svg")


def test_repeated_searches_have_seeds_of_their_own():
    found = parts(SearchOptions(families=("constant", "rex")), [5, 20], 2, 3, "g")
    assert [part.name for part in found[:4]] == [
        "g-5-epochs-constant",
        "g-5-epochs-rex",
        "g-5-epochs-constant-search-1",
        "g-5-epochs-rex-search-1",
    ]
    assert [part.seeds for part in found[:4]] == [[1000, 1001, 1002]] * 2 + [[1003, 1004, 1005]] * 2
    assert {part.configuration.epochs for part in found} == {5, 20}


def test_a_family_whose_trials_all_diverge_is_said_so(command, monkeypatch, storage):
    monkeypatch.setattr("study.training.divergence.EXPLODED", -1.0)
    result = command("benchmark.py", *SHORT, "--epochs", 2, "--trials-per-family", 2, "--storage", storage)
    assert result.code == 0, result.err
    assert result.out.count("all trials diverged") == 3
    assert command("report.py", "--study", "benchmark-digits-mlp-sgd", "--storage", storage).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--epochs 0", "--epochs must be at least 1, but (0,) was given"),
        ("--trials-per-family 0", "--trials-per-family must be at least 1, but 0 was given"),
        ("--families cosin", "unknown family 'cosin': did you mean 'cosine'?"),
        ("--epochs 2 --batch-size 1000", "one_cycle needs at least 3 steps to show its shape"),
    ],
)
def test_bad_input_is_told_in_one_message(arguments, said, command, tmp_path):
    dataset = ["--dataset", "digits", "--least-steps", "1", "--rung-fractions", "0.5"]
    result = command("benchmark.py", *dataset, *arguments.split())
    assert result.code == 2
    assert result.err.startswith(f"error: {said}")
    assert [path.name for path in tmp_path.rglob("*")] == ["results"], "nothing half-written"


def test_an_interruption_while_confirming_ends_it_and_the_next_start_goes_on(storage, data_root):
    options = SearchOptions(families=("linear",), least_steps=1, sampler="tpe")
    objective = WorkloadObjective(DIGITS.load(data_root))
    plan = plan_comparison(DIGITS, objective, options, [2], 1, 3, storage, "g")

    def trained(interrupted):
        return list(comparing(plan, ExecutorOptions("loop"), 2, interrupted))

    asked = 0

    def once_confirming():
        nonlocal asked
        studies = read_studies(storage, "g")
        asked += len(studies[0].trials) == 2  # the search is over
        return asked > 5

    with pytest.raises(KeyboardInterrupt):
        trained(once_confirming)
    [study] = read_studies(storage, "g")
    assert len(study.trials) == 2
    assert study.confirmed is None
    steps = [progress.epochs for progress in trained(lambda: False)]
    assert steps == sorted(steps)
    assert steps[-1] == 3 * 2, "only confirming is left, three runs of two epochs"
    [study] = read_studies(storage, "g")
    assert len(study.confirmed.test) == 3
