"""The reference: its peaks, its places among the trials, and its way through the rungs."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.pruners import NopPruner
from optuna.trial import TrialState

from search_spaces import EVERY_FAMILY, WSD, InputError, from_params
from search_spaces.ranges import Choice, Float
from study.assembly import opened, plan_search
from study.executors.options import ExecutorOptions
from study.search.reference import (
    PEAKS,
    WARMUP,
    Reference,
    make_reference,
    params_of,
    peaks,
    planned_batch,
    read_reference,
    refined,
)
from study.search.sampler_study import make_sampler_study
from study.storage.study_record import StudyRecord
from study.training.workload_objective import WorkloadObjective
from tests.helpers import DIGITS, LOCKSTEP, LOOP, SMALL, finished

THREE_RUNGS = replace(SMALL, epochs=6, rung_fractions=(0.17, 0.5), families=("cosine", "rex", "linear"), reduction=8)
PAIRS = st.tuples(st.floats(1e-6, 1.0), st.floats(1.5, 1e6))


@given(PAIRS)
def test_peaks_are_the_middles_of_equal_parts_of_the_range_in_log(pair):
    low, high = pair[0], pair[0] * pair[1]
    found = sorted(peaks(Float(low, high, log=True)))
    ratios = [b / a for a, b in pairwise(found)]
    assert len(found) == PEAKS >= 6
    assert ratios == pytest.approx([(high / low) ** (1 / PEAKS)] * (PEAKS - 1))
    assert found[0] / low == pytest.approx(high / found[-1])


def test_a_range_without_room_has_one_peak_and_a_choice_its_options():
    assert peaks(Float(0.1, 0.1)) == [0.1]
    assert peaks(Choice((0.1, 0.3))) == [0.1, 0.3]


@given(st.lists(st.floats(-6, 2), min_size=2, max_size=8, unique=True), st.data())
def test_refining_peaks_lie_halfway_to_the_neighbours_of_the_best(exponents, data):
    tried = [({"peak_lr": 10**one, "family": "rex"}, data.draw(st.floats(0, 1))) for one in exponents]
    best = min(tried, key=lambda one: (one[1], one[0]["peak_lr"]))[0]["peak_lr"]
    found = [one["peak_lr"] for one in refined(tried)]
    assert 1 <= len(found) <= 2
    for peak in found:
        beyond = peak**2 / best
        assert min(abs(math.log(one["peak_lr"] / beyond)) for one, _ in tried) < 1e-6
        between = [one for one, _ in tried if min(best, beyond) * 1.001 < one["peak_lr"] < max(best, beyond) * 0.999]
        assert not between, "a neighbour is the next peak"


def test_places_among_the_trials():
    reference = Reference("rex", True, tuple({"peak_lr": 10.0**-n} for n in range(6)))
    first = planned_batch(range(12), [{"known": 1}], reference, [])
    assert [bool(one) for one in first] == [True, *[False, True, True] * 3, False, False]
    assert [one.is_reference for one in first if one] == [False, *[True] * 6]
    tried = [(params, float(abs(n - 2))) for n, params in enumerate(reference.params)]
    again = planned_batch(range(12, 20), [{"known": 1}], reference, tried)
    assert [one and one.params["peak_lr"] for one in again] == pytest.approx([10**-2.5, 10**-1.5, *[None] * 6])
    done = [*tried, *((one.params, 1.0) for one in again[:2])]
    assert planned_batch(range(20, 30), [], reference, done) == [None] * 10
    assert planned_batch(range(12, 20), [], reference, tried[:5]) == [None] * 8, "not all first ones have a value"
    assert planned_batch(range(3), [], None, []) == [None] * 3


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_the_usual_schedule_of_a_family(family):
    schedule = read_reference(family)
    assert schedule.warmup_fraction == (0 if schedule.has_own_warmup else WARMUP)
    assert from_params(params_of(schedule)) == schedule


@pytest.mark.parametrize(
    "own", [{"floor_ratio": 0.1}, {"shape": "power"}, {"shape": "power", "power": 2.0, "floor_ratio": 0.1}]
)
def test_a_reference_may_have_what_is_searched_on_request(own, tmp_path):
    path = tmp_path / "wsd.json"
    path.write_text(json.dumps({"family": "wsd", "peak_lr": 0.1, "parameters": own}))
    schedule = read_reference(str(path))
    assert schedule == WSD(peak_lr=0.1, **own)
    assert from_params(params_of(schedule)) == schedule


def test_a_choice_of_peaks_is_not_refined(storage, workload, tmp_path):
    space = tmp_path / "space.toml"
    space.write_text('families = ["cosine", "rex"]\npeak_lr = [0.03, 0.1, 0.3]\n')
    configuration = replace(THREE_RUNGS, space=str(space), families=("cosine", "rex"), trials_per_bracket=12)
    _, study = searched(storage, workload, 12, configuration=configuration)
    assert sorted(trial.peak_lr for trial in study.trials if trial.is_reference) == [0.03, 0.1, 0.3]


def test_a_reference_from_a_file(tmp_path, workload):
    path = tmp_path / "mine.json"
    own = {"floor_ratio": 0.5, "warmup_fraction": 0.3}
    path.write_text(json.dumps({"family": "cosine", "peak_lr": 7.0, "parameters": own}))
    objective = WorkloadObjective(workload)
    found = make_reference(str(path), SMALL, objective)
    schedules = [from_params(params) for params in found.params]
    assert {(one.family, one.floor_ratio, one.warmup_fraction) for one in schedules} == {("cosine", 0.5, 0.3)}
    low, high = objective.peak_lr
    assert all(low < one.peak_lr < high for one in schedules), "its own peak is one of many"
    assert not found.searched, "a floor of 0.5 is not searched"
    assert make_reference("cosine", SMALL, objective).searched
    assert not make_reference("cosine", replace(SMALL, families=("rex",)), objective).searched
    for content, said in (
        ("[]", "at least one schedule"),
        ('{"family": "cosin", "peak_lr": 1}', "did you mean 'cosine'"),
        ('{"family": "cosine", "peak_lr": 1, "parameters": {"floor": 1}}', "unknown parameter 'floor'"),
        ('{"family": "cosine", "peak_lr": "high"}', "mine.json"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=said):
            read_reference(str(path))
    with pytest.raises(InputError, match="did you mean 'cosine'"):
        read_reference("cosin")
    with pytest.raises(InputError, match=r"--reference takes a family or a JSON file"):
        read_reference("missing.json")


def searched(storage, workload, trials, reference="cosine", configuration=THREE_RUNGS, steps=None, engine=LOCKSTEP):
    """Search with a reference; steps: leave after this many evaluations. Returns Optuna's trials and the record."""
    objective = WorkloadObjective(workload)
    plan = plan_search(DIGITS, objective, configuration, storage, "small", reference=reference)
    with opened(plan, ExecutorOptions(), engine) as study:
        for number, _ in enumerate(study.search(trials)):
            if number == steps:
                break
        return study.optuna_study.get_trials(), StudyRecord.of(study.optuna_study)


def test_the_reference_counts_among_the_trials_and_its_best_peak_runs_in_full(storage, workload):
    configuration = replace(THREE_RUNGS, trials_per_bracket=20)
    _, study = searched(storage, workload, 20, configuration=configuration)
    own = [trial for trial in study.trials if trial.is_reference]
    assert len(study.trials) == 20
    assert len(own) == PEAKS + 2
    assert {(trial.family, trial.params["warmup_fraction"]) for trial in own} == {("cosine", WARMUP)}
    first, half, _ = study.settings.budgets
    assert all(first in trial.reported for trial in own)
    by_first = sorted(own, key=lambda trial: (trial.reported[first], trial.place.position))
    by_half = sorted((trial for trial in own if half in trial.reported), key=lambda trial: trial.reported[half])
    assert {trial.number for trial in by_first[:2]} <= {trial.number for trial in by_half}
    assert by_half[0].complete


def test_a_reference_outside_the_space_is_trained_and_never_reaches_the_sampler(storage, workload):
    configuration = replace(THREE_RUNGS, families=("rex",), trials_per_bracket=20)
    stored, study = searched(storage, workload, 20, "step", configuration)
    own = [trial for trial in study.trials if trial.outside]
    assert len(own) == PEAKS + 2
    assert all(trial.is_reference and trial.family == "step" for trial in own)
    assert sum(trial.complete for trial in own) == 1
    outside = [trial for trial in stored if "outside" in trial.user_attrs["record"]]
    assert all(not trial.params for trial in outside), "Optuna has none"
    complete = [trial for trial in stored if trial.state == TrialState.COMPLETE]
    assert complete
    assert all("family" in trial.params for trial in complete), "one of them is Optuna's best trial"
    assert study.best.family == "rex", "the search found what is searched"
    within = [trial for trial in study.trials if not trial.outside]
    assert sum(trial.complete for trial in within) >= 1
    assert study.settings.families == ("rex",)


def test_a_reference_outside_the_space_is_not_promoted_by_merit_and_unknown_to_the_sampler(storage, workload):
    """Half of the others are promoted at each rung; of the reference two, and one in full. In two brackets."""
    configuration = replace(THREE_RUNGS, families=("exponential",), trials_per_bracket=20, reduction=2)
    stored, study = searched(storage, workload, 30, "rex", configuration)
    own = [trial for trial in study.trials if trial.outside]
    assert [sum(budget in trial.reported for trial in own) for budget in study.settings.budgets] == [8, 2, 1]
    within = [trial for trial in study.trials if not trial.outside]
    assert sum(trial.complete for trial in within) > 2
    first = study.first_budget
    third = sorted(trial.reported[first] for trial in own)[2]
    worst = max(trial.reported[first] for trial in within if len(trial.reported) > 1 and trial.place.bracket == 0)
    assert third < worst, "by merit a third one would have been promoted"
    seen = make_sampler_study(stored, "minimize", NopPruner(), first_runs_only=True).trials
    assert [trial.params["family"] for trial in seen] == ["exponential"] * len(within)


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_optunas_pruners_prune_no_trial_of_the_reference(storage, workload, pruner):
    configuration = replace(SMALL, pruner=pruner, startup_trials=2)
    _, study = searched(storage, workload, 16, configuration=configuration, engine=LOOP)
    own = [trial for trial in study.trials if trial.is_reference]
    assert len(own) == PEAKS + 2
    assert all(trial.complete or trial.diverged for trial in own)


@pytest.mark.parametrize(("steps", "families"), [(3, ("cosine", "rex")), (40, ("cosine", "rex")), (75, ("rex",))])
def test_a_search_that_was_left_goes_on_to_the_same_trials(tmp_path, workload, steps, families):
    configuration = replace(THREE_RUNGS, families=families)
    whole, _ = searched(f"sqlite:///{tmp_path / 'whole.db'}", workload, 20, None, configuration)
    storage = f"sqlite:///{tmp_path / 'left.db'}"
    searched(storage, workload, 20, None, configuration, steps=steps)
    again, _ = searched(storage, workload, 20, None, configuration)
    assert finished(again) == finished(whole)


def test_a_study_keeps_the_reference_that_it_has(storage, workload):
    searched(storage, workload, 3, "linear")
    _, study = searched(storage, workload, 4, None)
    assert {trial.family for trial in study.trials if trial.is_reference} == {"linear"}
    with pytest.raises(InputError, match=r"made with --reference linear \(now cosine\)"):
        searched(storage, workload, 4, "cosine")
    with pytest.raises(InputError, match=r"made with --reference linear \(now none\)"):
        searched(storage, workload, 4, "none")


def test_a_study_made_before_references_goes_on_without_one(storage, workload):
    searched(storage, workload, 3, "none")
    _, study = searched(storage, workload, 4, None)
    assert not any(trial.is_reference for trial in study.trials)
