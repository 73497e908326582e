"""The finals: what is trained again with fresh seeds, and what is chosen."""

from dataclasses import replace
from statistics import mean

import pytest

from study.analysis.answer import Answer
from study.assembly import opened, plan_search
from study.executors.in_process import InProcess
from study.executors.options import ExecutorOptions
from study.objective import FIRST_FRESH_SEED, Run
from study.search.confirm import LOOKS
from study.search.finals import (
    SEEDS,
    SELECTION_SEEDS,
    all_runs,
    finals_of,
    how_many_seeds,
    most_runs,
    run_finals,
)
from study.storage.study_record import StudyRecord
from study.training.workload_objective import WorkloadObjective
from tests.example_studies import ended, study_record
from tests.helpers import DIGITS, LOCKSTEP, LOOP, SMALL

FAMILIES = replace(SMALL, families=("cosine", "rex", "linear"), trials_per_bracket=12)


@pytest.fixture(scope="module")
def objective(workload):
    return WorkloadObjective(workload)


def confirmed(objective, storage, seeds=4, reference="cosine", leave=None, trials=12, engine=LOCKSTEP):
    """Search, and confirm; leave: after this many evaluations. Returns the progress and the record."""
    plan = plan_search(DIGITS, objective, FAMILIES, storage, "small", reference=reference)
    with opened(plan, ExecutorOptions(), engine) as study:
        for _ in study.search(trials):
            pass
        progress = []
        for one in study.run_finals(seeds):
            progress.append(one)
            if len(progress) == leave:
                break
        return progress, StudyRecord.of(study.optuna_study)


def test_each_run_is_the_run_of_its_schedule_and_seed(objective, storage):
    _, study = confirmed(objective, storage)
    finals = study.finals
    assert finals.done
    for run in finals.runs:
        test = run.seed in finals.seeds
        alone = InProcess(objective).train([Run(study.trial(run.trial).schedule, 4, run.seed, LOOKS, test=test)])
        *_, last = alone
        assert run.validation == pytest.approx(last.metric, abs=0.004), "a row of 270, by rounding in a cohort"
        assert (run.test is None) == (not test)
        if test:
            assert run.test == pytest.approx(last.test_metric, abs=0.004)


def test_winner_and_reference_have_the_best_mean_validation_values_over_their_seeds(objective, storage):
    _, study = confirmed(objective, storage)
    finals = study.finals
    assert finals.selection_seeds == tuple(range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + SELECTION_SEEDS))
    assert not set(finals.seeds) & set(finals.selection_seeds), "what was chosen by a run is not reported by it"
    assert len(finals.seeds) == 4
    for chosen, group in ((finals.winner, finals.finalists), (finals.reference, finals.references)):
        values = {
            trial: mean(run.validation for run in finals.of(trial, finals.selection_seeds)) if len(group) > 1 else 0
            for trial in group
        }
        assert values[chosen] == min(values.values())
    expected = sum(len(group) * 3 for group in (finals.finalists, finals.references) if len(group) > 1) + 2 * 4
    assert len(finals.runs) == expected


def test_confirming_adds_no_trial(objective, storage):
    plan = plan_search(DIGITS, objective, FAMILIES, storage, "small", reference="cosine")
    with opened(plan, ExecutorOptions(), LOCKSTEP) as study:
        for _ in study.search(12):
            pass
        before = study.optuna_study.best_value, study.optuna_study.get_trials()
        progress = list(study.run_finals(2))
        assert (study.optuna_study.best_value, study.optuna_study.get_trials()) == before
    assert progress[-1].trained == progress[-1].total == len(StudyRecord.of(study.optuna_study).finals.runs)


@pytest.fixture(scope="module", params=[LOOP, LOCKSTEP])
def whole(request, objective, tmp_path_factory):
    """An engine, and a study with whole finals that it trained."""
    storage = f"sqlite:///{tmp_path_factory.mktemp('whole')}/studies.db"
    return request.param, confirmed(objective, storage, engine=request.param)[1]


@pytest.mark.parametrize("leave", [1, 60])
def test_finals_that_were_left_go_on(objective, storage, leave, whole):
    engine, whole = whole
    _, left = confirmed(objective, storage, leave=leave, engine=engine)
    again, study = confirmed(objective, storage, engine=engine)
    assert set(study.finals.runs) == set(whole.finals.runs)
    assert len(study.finals.runs) == len(whole.finals.runs), "a run that is trained again counts once"
    assert (study.finals.winner, study.finals.reference) == (whole.finals.winner, whole.finals.reference)
    if engine == LOOP:
        assert again[0].trained > len(left.finals.runs), "what has ended is not trained again"
    assert confirmed(objective, storage, engine=engine)[0] == [], "nothing is left to do"


def test_more_seeds_add_to_those_that_have_been_trained(objective, storage):
    _, few = confirmed(objective, storage, seeds=2, engine=LOOP)
    _, more = confirmed(objective, storage, seeds=4, engine=LOOP)
    assert set(few.finals.runs) <= set(more.finals.runs)
    assert len(more.finals.seeds) == 4


def test_more_trials_need_an_answer_of_their_own(objective, storage):
    _, before = confirmed(objective, storage, seeds=2, engine=LOOP)
    assert Answer.of(before)
    plan = plan_search(DIGITS, objective, FAMILIES, storage, "small", reference="cosine")
    with opened(plan, ExecutorOptions(), LOOP) as study:
        for _ in study.search(18):
            pass
        assert Answer.of(StudyRecord.of(study.optuna_study)) is None
        progress = list(study.run_finals(2))
        after = StudyRecord.of(study.optuna_study)
    assert progress[-1].trained == progress[-1].total == all_runs(after.finals), "of these finals alone"
    assert Answer.of(after).confirming == len(after.finals.runs) >= all_runs(after.finals)


def test_a_stopped_run_raises_and_is_not_kept(objective, storage):
    plan = plan_search(DIGITS, objective, FAMILIES, storage, "small", reference="cosine")
    with opened(plan, ExecutorOptions(), LOOP) as study:
        for _ in study.search(12):
            pass
        with pytest.raises(KeyboardInterrupt):
            list(run_finals(study.optuna_study, objective, study.executor, 2, stop=lambda run: True))
        assert StudyRecord.of(study.optuna_study).finals.runs == ()


def test_without_a_full_run_there_is_nothing_to_confirm(objective, storage):
    plan = plan_search(DIGITS, objective, FAMILIES, storage, "small", reference="cosine")
    with opened(plan, ExecutorOptions(), LOOP) as study:
        assert list(study.run_finals(None)) == []
        assert StudyRecord.of(study.optuna_study).finals is None


def rung_trial(family, short, full=None, **others):
    return ended(short, full, params={"family": family, "peak_lr": 0.1, "warmup_fraction_is_0": True}, **others)


def test_finalists_are_the_full_runs_and_the_best_of_another_family():
    study = study_record(
        [
            rung_trial("rex", 0.5, 0.3),
            rung_trial("rex", 0.5, 0.2),
            rung_trial("rex", 0.4),
            rung_trial("linear", 0.6),
            rung_trial("step", 0.55),
            rung_trial("step", 0.1, diverged=True),
            rung_trial("cosine", 0.5, 0.1, is_reference=True),
            rung_trial("cosine", 0.4, is_reference=True),
            rung_trial("cosine", 0.3, is_reference=True),
        ]
    )
    finals = finals_of(study, 8)
    assert finals.finalists == (1, 0, 4)
    assert finals.references == (6, 8), "first those that came furthest"
    others = [trial for trial in study.trials if not trial.is_reference]
    alone = finals_of(replace(study, trials=(*others, study.trials[6])), None)
    assert alone.references == (6,)
    full = [rung_trial(family, 0.5, 0.1 * n) for n, family in enumerate(["rex", "step", "rex", "rex", "rex"], start=1)]
    assert finals_of(study_record(full), None).finalists == (0, 1, 2, 3), "another family is among them"
    pruned = finals_of(study_record([rung_trial("cosine", 0.5, 0.1, is_reference=True), rung_trial("rex", 0.6)]), None)
    assert (pruned.finalists, pruned.references) == ((1,), (0,))


def test_how_many_seeds_confirm():
    short = study_record([rung_trial("rex", 0.5, 0.3, seconds=10.0)] * 12)
    assert how_many_seeds(short, (1, 2, 3), (4, 5), None) == (SELECTION_SEEDS, SEEDS)
    long = study_record([rung_trial("rex", 0.5, 0.3, seconds=100.0)] * 12)  # 13.2 full runs
    assert how_many_seeds(long, (1, 2, 3), (4, 5), None) == (1, 4)
    assert how_many_seeds(long, (1,), (), None) == (1, SEEDS)
    assert how_many_seeds(study_record(long.trials[:3]), (1, 2, 3), (4, 5), None) == (1, 3)
    assert how_many_seeds(long, (1, 2, 3), (4, 5), 16) == (SELECTION_SEEDS, 16)
    assert how_many_seeds(long, (1, 2, 3), (4, 5), 1) == (1, 1)


def test_the_most_runs_are_those_of_the_largest_finals():
    full = [rung_trial("rex", 0.5, 0.1 * n) for n in range(1, 6)]
    others = [rung_trial("step", 0.4), *[rung_trial("cosine", 0.5, is_reference=True)] * 3]
    assert all_runs(finals_of(study_record([*full, *others]), 8)) == most_runs(50, True, 8) == 37
    assert all_runs(finals_of(study_record([*full, others[0]]), 2)) == most_runs(50, False, 2) == 12
