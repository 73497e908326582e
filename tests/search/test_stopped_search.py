"""A search stopped anywhere, whose long runs diverge, ends like one that was not stopped."""

from contextlib import closing
from dataclasses import replace

import pytest

from study.executors.recorded_runs import RecordedRun
from study.executors.replay import Replay
from study.training.workload_objective import WorkloadObjective
from tests.helpers import SMALL, open_small, recorded_runs, run_search


@pytest.fixture(scope="module")
def explosive(workload):
    """Recorded runs, of which every third schedule's diverges in full, though not as a short one."""
    recorded = recorded_runs(SMALL, workload)[0]
    schedules = [
        replace(kept, runs=kept.runs | {4: RecordedRun([10], [1.0], True)}) if number % 3 == 0 else kept
        for number, kept in enumerate(recorded.schedules)
    ]
    return Replay(WorkloadObjective(workload), replace(recorded, schedules=schedules))


@pytest.fixture(scope="module", params=[0.0, 0.5], ids="audit {}".format)
def whole(request, explosive, workload, tmp_path_factory):
    """A configuration, and the trials of its search that is not stopped."""
    configuration = replace(SMALL, reduction=2, audit=request.param)
    storage = f"sqlite:///{tmp_path_factory.mktemp('whole')}/studies.db"
    trials = run_search(storage, workload, 20, configuration, executor=explosive)
    assert any(t.user_attrs["record"]["diverged"] and len(t.intermediate_values) == 2 for t in trials)
    return configuration, trials


def what_is_found(trials):
    return [
        (t.state, t.values, t.params, t.intermediate_values, t.user_attrs["record"]["audited_from"]) for t in trials
    ]


@pytest.mark.parametrize("evaluations", [12, 24, 33])
def test_a_run_that_diverged_at_a_later_rung_counts_at_the_earlier_one_after_a_stop(
    evaluations, whole, explosive, storage, workload, monkeypatch
):
    configuration, trials = whole
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", 0.0)
    with open_small(storage, workload, configuration) as study:
        study.executor = explosive
        with closing(study.search(20)) as steps:
            for _ in zip(range(evaluations), steps, strict=False):
                pass
    assert what_is_found(run_search(storage, workload, 20, configuration, executor=explosive)) == what_is_found(trials)
