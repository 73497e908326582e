"""A search of weight decay: each trial has its own, in every run of it, and in every record."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import study
from search_spaces import InputError, from_params
from search_spaces.ranges import Float
from search_spaces.usual_weight_decay import USUAL
from study.assembly import opened, plan_comparison, plan_search
from study.executors.in_process import InProcess
from study.executors.options import ExecutorOptions
from study.objective import Run
from study.search.configuration import SearchOptions
from study.search.confirm import LOOKS
from study.search.enqueue import read_known
from study.search.reproduce import reproduce
from study.storage.archive import read_archive, write_archive
from study.storage.record_format import evaluations_of
from study.storage.studies import read_study
from study.storage.study_record import StudyRecord
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions
from tests.drawing import DrawingTrial
from tests.helpers import DIGITS, LOCKSTEP, LOOP, SMALL, finished

SEARCHED = replace(SMALL, search=("weight_decay",), families=("cosine", "rex"), sampler="gp", trials_per_bracket=12)
STRONG = SEARCHED.limited(SEARCHED.families, {"weight_decay": Float(0.03, 1.0, log=True)})
"""The same in a range in which another weight decay, or the optimizer's own, gives other values."""
OWN = 5e-4
"""Of the workload's SGD."""


@pytest.fixture(scope="module")
def objective(workload):
    return WorkloadObjective(workload)


def plan_of(objective, storage, configuration=SEARCHED, reference="cosine"):
    return plan_search(DIGITS, objective, configuration, storage, "small", reference=reference)


def searched(objective, storage, trials=12, configuration=SEARCHED, engine=LOCKSTEP, leave=None, **others):
    """Search, and confirm with two seeds; leave: after this many evaluations. Returns the trials and the record."""
    with opened(plan_of(objective, storage, configuration, **others), ExecutorOptions(), engine) as study:
        for number, _ in enumerate(study.search(trials), start=1):
            if number == leave:
                return None
        for _ in study.run_finals(2):
            pass
        return finished(study.optuna_study.get_trials()), StudyRecord.of(study.optuna_study)


@pytest.fixture(scope="module")
def record(objective, tmp_path_factory):
    return searched(objective, f"sqlite:///{tmp_path_factory.mktemp('searched')}/studies.db", configuration=STRONG)[1]


@settings(max_examples=20)
@given(st.data())
def test_each_trial_draws_it_in_the_range_of_the_optimizer(data):
    trial = DrawingTrial(data)
    schedule = SEARCHED.suggest(trial, (0.01, 1.0), {"weight_decay": Float(*USUAL["SGD"], log=True)})
    low, high = USUAL["SGD"]
    assert low <= trial.params["weight_decay"] <= high
    assert from_params(trial.params) == schedule


def test_every_trial_has_its_own_and_the_reference_the_optimizers(record):
    assert record.settings.space["weight_decay"] == Float(0.03, 1.0, log=True)
    own = [trial.weight_decay for trial in record.trials if not trial.is_reference]
    assert len(set(own)) == len(own) >= 4
    assert all(0.03 <= decay <= 1.0 for decay in own)
    references = [trial for trial in record.trials if trial.is_reference]
    assert {trial.weight_decay for trial in references} == {OWN}


def test_every_value_is_that_of_a_run_with_this_weight_decay(record, objective):
    """Of the search and of the finals, by the plain loop, a row apart at most."""
    for trial in record.trials:
        budget = max(trial.epochs_used)
        runs = [Run(trial.schedule, budget, 0, evaluations_of(budget), weight_decay=trial.weight_decay)]
        *_, last = InProcess(objective).train(runs)
        assert trial.value == pytest.approx(last.metric, abs=0.008), trial
    for run in record.finals.runs:
        trial = record.trial(run.trial)
        test = run.seed in record.finals.seeds
        runs = [Run(trial.schedule, 4, run.seed, LOOKS, test, trial.weight_decay)]
        *_, last = InProcess(objective).train(runs)
        assert run.validation == pytest.approx(last.metric, abs=0.008)


def test_weight_decay_decides(objective):
    """What the tests above compare would differ with another one."""
    ends = []
    for decay in (OWN, 0.1):
        *_, last = InProcess(objective).train([Run(from_params(REX), 4, 0, 1, weight_decay=decay)])
        ends.append(last.metric)
    assert abs(ends[0] - ends[1]) > 0.05


REX = {"family": "rex", "peak_lr": 0.3, "warmup_fraction_is_0": True}


@pytest.mark.parametrize("engine", [LOOP, LOCKSTEP])
def test_a_stopped_search_ends_as_one_left_alone(engine, objective, tmp_path):
    stopped, alone = (f"sqlite:///{tmp_path}/{name}.db" for name in ("stopped", "alone"))
    for leave in (7, 21):
        searched(objective, stopped, engine=engine, leave=leave)
    assert searched(objective, stopped, engine=engine)[0] == searched(objective, alone, engine=engine)[0]


def test_worker_processes_train_the_same(objective, tmp_path):
    found = {}
    for workers in (None, 1):
        plan = plan_of(objective, f"sqlite:///{tmp_path}/{workers}.db")
        options = ExecutorOptions(workers=workers, cohort=5, engine="lockstep")
        with opened(plan, options) as study:
            for _ in study.search(6):
                pass
            found[workers] = [(trial.params, trial.value) for trial in study.record.trials]
    assert found[None] == found[1]


def test_trials_are_reproduced_to_the_last_bit(objective, storage):
    _, record = searched(objective, storage, configuration=STRONG)
    with opened(plan_of(objective, storage, STRONG), ExecutorOptions()) as study:
        for trial in [one for one in record.trials if not one.is_reference][:4]:
            for rung in reproduce(record, trial, objective, study.executor):
                assert rung.found == rung.stored


def test_the_archive_gives_back_the_same(record, tmp_path):
    write_archive([record], tmp_path / "report")
    [again] = read_archive(tmp_path / "report")
    assert [trial.weight_decay for trial in again.trials] == [trial.weight_decay for trial in record.trials]
    assert again.settings == record.settings


def test_the_default_record_does_not_know_it(objective):
    """So that studies made before continue."""
    assert "search" not in SMALL.record(objective)
    assert "weight_decay" not in SMALL.record(objective)["space"]
    assert SEARCHED.record(objective)["search"] == ["weight_decay"]


def test_a_study_is_not_continued_without_it(objective, storage):
    searched(objective, storage, trials=4)
    with (
        pytest.raises(InputError, match=r"was made with search \['weight_decay'\]"),
        opened(plan_of(objective, storage, replace(SEARCHED, search=())), ExecutorOptions()),
    ):
        pass


def test_an_own_weight_decay_outside_the_range_is_the_references_all_the_same(data_root, storage):
    options = replace(DIGITS, weight_decay=0.05)
    plan = plan_search(options, WorkloadObjective(options.load(data_root)), SEARCHED, storage, "small", reference="rex")
    with opened(plan, ExecutorOptions(), LOCKSTEP) as study:
        for _ in study.search(6):
            pass
        references = [trial for trial in study.record.trials if trial.is_reference]
    assert [(trial.weight_decay, trial.outside) for trial in references] == [(0.05, True)] * len(references)
    assert references


def test_a_space_file_sets_its_range(objective, tmp_path):
    file = tmp_path / "space.toml"
    file.write_text('families = ["rex"]\nweight_decay = { low = 0.001, high = 0.01 }\n')
    configuration = replace(SMALL, space=str(file))
    assert configuration.besides(objective) == {"weight_decay": Float(0.001, 0.01, log=True)}
    assert replace(configuration, search=("weight_decay",)).besides(objective) == configuration.besides(objective)
    for given_, said in (
        ("{ low = -1.0, high = 0.1, log = false }", "weight_decay must be at least 0, but -1.0 was given"),
        ('"high"', "weight_decay must be a finite number"),
    ):
        file.write_text(f"weight_decay = {given_}\n")
        with pytest.raises(InputError, match=said):
            replace(SMALL, space=str(file))


def test_known_schedules_have_a_weight_decay_or_the_optimizers(objective, storage, tmp_path):
    file = tmp_path / "known.json"
    known = {"family": "rex", "peak_lr": 0.3, "parameters": {"warmup_fraction": 0.0}}

    def read(content, configuration=SEARCHED):
        file.write_text(json.dumps(content))
        plan = plan_search(DIGITS, objective, configuration, storage, "small", enqueue=[str(file)])
        return plan.known[0].get("weight_decay")

    assert read({**known, "weight_decay": 0.002}) == 0.002
    assert read(known) == OWN
    assert read(known, SMALL) is None
    with pytest.raises(InputError, match="weight_decay must be from 1e-05 to 0.01, but 7 was given"):
        read({**known, "weight_decay": 7})
    with pytest.raises(InputError, match="is not searched here: add --search weight_decay, .*, or give a JSON file"):
        read({**known, "weight_decay": 0.002}, SMALL)
    with pytest.raises(InputError, match="a reference has the optimizer's own weight decay"):
        plan_of(objective, storage, reference=str(file))


@pytest.mark.parametrize(
    ("decays", "listed"),
    [("{ low = 0.001, high = 0.01 }", "0.001 to 0.01"), ("[0.0, 0.1]", "0, 0.1"), ("0.1", "0.1")],
)
def test_a_known_schedule_without_one_needs_the_optimizers_in_the_range(decays, listed, objective, storage, tmp_path):
    file, space = tmp_path / "known.json", tmp_path / "space.toml"
    known = {"family": "rex", "peak_lr": 0.3, "parameters": {"warmup_fraction": 0.0}}
    space.write_text(f'families = ["rex"]\nweight_decay = {decays}\n')

    def read(content):
        file.write_text(json.dumps(content))
        configuration = replace(SMALL, space=str(space))
        return plan_search(DIGITS, objective, configuration, storage, "small", enqueue=[str(file)]).known[0]

    said = f"no weight_decay is given, and the optimizer's own, 0.0005, is outside what is searched, {listed}: add"
    with pytest.raises(InputError, match=said):
        read(known)
    within = 0.01 if "low" in decays else 0.1
    assert read({**known, "weight_decay": within})["weight_decay"] == within
    space.write_text('families = ["rex"]\nweight_decay = [0.0005, 0.1]\n')
    assert read(known)["weight_decay"] == OWN


def test_the_winner_of_a_study_is_tried_first_by_another(objective, storage):
    _, record = searched(objective, storage)
    assert record.settings.space["weight_decay"] == Float(1e-5, 1e-2, log=True)
    assert {trial.outside for trial in record.trials if trial.is_reference} == {False}, "OWN is in this range"
    winner = record.trial(record.finals.winner)
    suggest = lambda given: SEARCHED.suggest(given, objective.peak_lr, SEARCHED.besides(objective))  # noqa: E731
    assert read_known(["study:small"], storage, suggest) == [winner.params]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weight_decay": 0.0}, "weight decay of this SGD is 0: give --weight-decay above 0, or make"),
        ({"optimizer": "torch.optim:Rprop"}, "Rprop has no weight_decay .*, and weight_decay from --space, or"),
        ({"optimizer": "torch.optim:NAdam"}, "weight decay of this NAdam is 0: give --weight-decay above 0"),
    ],
)
def test_what_cannot_be_given_one_is_refused_before_anything_is_stored(options, said, data_root, storage, tmp_path):
    objective = WorkloadObjective(WorkloadOptions("digits", **options).load(data_root))
    with pytest.raises(InputError, match=said):
        plan_of(objective, storage)
    with pytest.raises(InputError, match=said):
        plan_comparison(DIGITS, objective, SEARCHED, [1], 1, 2, storage)
    assert not list(tmp_path.iterdir())


def test_an_unknown_name_lists_what_can_be_searched():
    with pytest.raises(InputError, match="unknown parameter 'momentum' in --search. Valid: weight_decay"):
        replace(SMALL, search=("momentum",))
    assert replace(SMALL, search=("weight_decay", "weight_decay")).search == ("weight_decay",)


def test_a_comparison_confirms_with_the_weight_decay_of_each_winner(objective, storage):
    options = SearchOptions(families=("rex",), pruner="none", search=("weight_decay",))
    plan = plan_comparison(DIGITS, objective, options, [2], 1, 2, storage, "benchmark-small")
    with opened(plan.studies[0], ExecutorOptions(), LOOP) as study:
        for _ in study.search(3):
            pass
        for _ in study.confirm([1000, 1001]):
            pass
        record = study.record
    best = record.best
    for seed, test in zip(record.confirmed.seeds, record.confirmed.test, strict=True):
        runs = [Run(best.schedule, 2, seed, LOOKS, True, best.weight_decay)]
        *_, last = InProcess(objective).train(runs)
        assert last.test_metric == test


FLAGS = ["--dataset", "digits", "--epochs", 2, "--families", "rex", "--search", "weight_decay"]


def test_it_is_searched_exported_and_extended_as_typed(command, tmp_path):
    flags = [*FLAGS, "--trials", 3, "--study", "mine", "--reference", "none", "--confirm-seeds", 2]
    result = command("search.py", *flags)
    assert (result.code, result.err) == (0, "")
    record = read_study("sqlite:///results/studies.db", "mine")
    trial = record.trial(record.finals.winner)
    assert f", weight decay {trial.weight_decay:.2g}: test error" in " ".join(result.out.split())
    assert f"momentum=0.9, weight_decay={trial.weight_decay!r})" in result.out
    for form in ("torch", "lightning", "transformers"):
        code = command("export.py", "--study", "mine", "--format", form)
        assert f"weight_decay={trial.weight_decay!r})" in code.out
    extended = command("extend.py", "--study", "mine", "--epochs", 3)
    assert extended.code == 0, extended.err
    assert f"weight_decay {trial.weight_decay:.3g}" in " ".join(extended.out.split())
    assert f"weight_decay={trial.weight_decay!r})" in extended.out
    reported = command("report.py", "--study", "mine", "--output", tmp_path / "report")
    assert reported.code == 0, reported.err
    assert "(weight decay searched)" in (tmp_path / "report" / "report.md").read_text()


def test_the_space_is_printed_and_read_back(command, tmp_path):
    printed = command("search.py", *FLAGS, "--print-space")
    assert "weight_decay = { low = 1e-05, high = 0.01, log = true }\n" in printed.out
    (tmp_path / "space.toml").write_text(printed.out)
    again = command("search.py", "--dataset", "digits", "--space", tmp_path / "space.toml", "--print-space")
    assert again.out == printed.out
    assert "weight_decay" not in command("search.py", *FLAGS[:-2], "--print-space").out
    dry = command("search.py", *FLAGS, "--dry-run")
    assert "weight_decay: 1e-05 to 0.01, log scale\n" in dry.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([*FLAGS[:-1], "momentum"], "unknown parameter 'momentum' in --search. Valid: weight_decay"),
        ([*FLAGS, "--weight-decay", 0], "the weight decay of this SGD is 0: give --weight-decay above 0"),
        (
            ["--command", "python train.py", "--search", "weight_decay"],
            "your own training makes its optimizer itself: remove --search weight_decay, and weight_decay from --space",
        ),
    ],
)
def test_refusals_as_typed(flags, said, command, tmp_path):
    (tmp_path / "train.py").write_text("raise SystemExit('it runs')")
    result = command("search.py", *flags)
    assert result.code == 2
    assert said in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "results" / "studies.db").exists()


def test_in_a_notebook():
    result = study.find_schedule(
        dataset="digits", epochs=2, trials=3, families=["rex"], search=["weight_decay"], progress=False, confirm_seeds=0
    )
    assert set(result.trials["weight_decay"]) == {trial.weight_decay for trial in result.record.trials}
    assert f"weight_decay={result.recommended.weight_decay!r})" in result.code()
