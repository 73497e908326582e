"""How the engine is chosen, kept and forced."""

import math
from dataclasses import replace

import psutil
import pytest
import torch

import study.executors.choice
from search_spaces import InputError
from study.executors.choice import Engine, EngineOptions, agree
from study.executors.timing import runs_in_memory, seconds_per_update
from study.search.pruners import AT_EVERY_EPOCH
from study.search.search import search
from tests.helpers import LOCKSTEP, SMALL, Crowded, open_small, run_search


def agreed(storage, workload, options=None, configuration=SMALL):
    with open_small(storage, workload, configuration) as optuna_study:
        return agree(optuna_study, options or EngineOptions(), workload, configuration)


def times_in(reason):
    """Engine -> its milliseconds, as the reason for a choice states them."""
    listed = reason.removeprefix("milliseconds per update and run: ").partition(";")[0]
    return {engine: float(time) for time, engine in (part.split(" ", 1) for part in listed.split(", "))}


def timed(monkeypatch, seconds):
    """Let each cohort take these milliseconds per update and run, instead of timing it."""
    monkeypatch.setattr(study.executors.choice, "seconds_per_update", lambda workload, cohort: seconds[cohort] / 1000)
    monkeypatch.setattr(study.executors.choice, "usable_cores", lambda: 1)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({1: 0.5, 2: 0.6, 4: 0.4, 5: 0.3}, 5),
        ({1: 0.5, 2: 0.6, 4: 0.4, 5: 0.41}, 4),
        ({1: 0.5, 2: 0.6, 4: 0.7, 5: 0.8}, 1),
        ({1: 0.5, 2: 0.6, 4: 0.8}, 1),  # worse the larger: 5 is not tried
    ],
)
def test_auto_takes_the_fastest_and_keeps_it(seconds, chosen, storage, workload, monkeypatch):
    timed(monkeypatch, seconds)
    engine, reason = agreed(storage, workload)
    assert engine == Engine(chosen)
    assert "milliseconds per update and run: 0.50 loop, 0.60 lockstep of 2" in reason
    timed(monkeypatch, {})  # a second choice would fail
    assert agreed(storage, workload) == (Engine(chosen), "as when the study began")


def test_timing_trains_for_real(workload, storage):
    before = torch.get_rng_state(), torch.get_num_threads()
    engine, reason = agreed(storage, workload)
    times = times_in(reason)
    assert {"loop", "lockstep of 2", "lockstep of 4"} <= set(times)
    assert times[str(engine)] == min(times.values())
    assert times["loop"] > 0.01, "an update takes more than a hundredth of a millisecond"
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


def test_a_cohort_that_does_not_fit_is_not_the_fastest(workload, monkeypatch):
    monkeypatch.setattr("study.executors.in_process.Lockstep", Crowded)
    assert seconds_per_update(workload, 3) < math.inf
    assert seconds_per_update(workload, 4) == math.inf


def test_workers_are_started_only_where_they_promise_much(workload, storage, monkeypatch):
    """On this small workload they promise nothing; where they do, they are timed, and win or lose by that."""
    monkeypatch.setattr(study.executors.choice, "usable_cores", lambda: 2)
    assert "workers" not in agreed(storage, workload)[1]
    monkeypatch.setattr(study.executors.choice, "WORTH_WORKERS", -math.inf)
    chosen, reason = study.executors.choice.choose(EngineOptions(), workload, SMALL)
    times = times_in(reason)
    assert "loop in 2 workers" in times
    assert times[str(chosen)] == min(times.values())
    for pruner in AT_EVERY_EPOCH:
        _, reason = study.executors.choice.choose(EngineOptions(), workload, replace(SMALL, pruner=pruner))
        assert "workers" not in reason, "their results would depend on which of them is faster"


@pytest.mark.parametrize(
    ("options", "engine"),
    [
        (EngineOptions("loop"), Engine()),
        (EngineOptions("lockstep"), Engine(5)),
        (EngineOptions("lockstep", cohort=3), Engine(3)),
        (EngineOptions(cohort=3), Engine(3)),
        (EngineOptions(cohort=1), Engine()),
        (EngineOptions(workers=2), Engine(1, 2)),
        (EngineOptions("lockstep", cohort=2, workers=2), Engine(2, 2)),
    ],
)
def test_what_is_asked_is_what_is_taken(options, engine, storage, workload):
    assert agreed(storage, workload, options) == (engine, "as you said")
    assert agreed(storage, workload) == (engine, "as when the study began")
    assert agreed(storage, workload, options) == (engine, "as when the study began")


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (EngineOptions("loop"), EngineOptions("lockstep"), "was made with --engine loop: give the same again"),
        (EngineOptions("lockstep"), EngineOptions("loop"), "was made with --engine lockstep: give the same again"),
        (EngineOptions(cohort=3), EngineOptions(cohort=4), "was made with --cohort 3: give the same again"),
        (EngineOptions("loop"), EngineOptions(workers=2), "was made with one process with all threads, not --workers"),
    ],
)
def test_another_engine_is_refused(first, then, said, storage, workload):
    agreed(storage, workload, first)
    with pytest.raises(InputError, match=said):
        agreed(storage, workload, then)


def test_the_number_of_workers_may_change(storage, workload):
    agreed(storage, workload, EngineOptions(workers=2))
    assert agreed(storage, workload, EngineOptions(workers=3))[0] == Engine(1, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "lokstep"}, "unknown engine 'lokstep': did you mean 'lockstep'"),
        ({"cohort": 0}, "--cohort must be at least 1, but 0 was given"),
        ({"workers": 0}, "--workers must be at least 1, but 0 was given"),
        ({"engine": "loop", "cohort": 4}, "--engine loop trains run by run: leave out --cohort, but 4 was given"),
        ({"engine": "lockstep", "cohort": 1}, "--engine lockstep needs a --cohort of at least 2, but 1 was given"),
    ],
)
def test_options_that_make_no_sense_are_told(options, said):
    with pytest.raises(InputError, match=said):
        EngineOptions(**options)


def test_what_cannot_be_done_is_told(storage, workload):
    with pytest.raises(InputError, match="--engine lockstep needs --trials-per-batch of at least 2, but 1 was given"):
        agreed(
            storage, workload, EngineOptions("lockstep"), replace(SMALL, trials_per_batch=1, trials_per_generation=1)
        )
    with pytest.raises(InputError, match="--pruner median judges runs as they go, one by one: leave out --workers"):
        study.executors.choice.check_workers(workload, replace(SMALL, pruner="median"))
    with pytest.raises(InputError, match="--workers train on the CPU: leave it out, or give --device cpu"):
        study.executors.choice.check_workers(workload.to(torch.device("meta")), SMALL)
    other = replace(workload, make_optimizer=lambda model: torch.optim.RMSprop(model.parameters()))
    with pytest.raises(InputError, match="cannot be trained in lockstep with RMSprop"):
        study.executors.choice.choose(EngineOptions("lockstep"), other, SMALL)
    engine, reason = study.executors.choice.choose(EngineOptions(), other, SMALL)
    assert engine.cohort == 1
    assert "not in lockstep: runs cannot be trained in lockstep with RMSprop, only with SGD and AdamW" in reason


def test_memory_bounds_the_cohort(workload, storage, monkeypatch):
    """An MLP's run takes a few times its 17,510 weights, and the activations of 64 rows."""
    free = psutil.virtual_memory().available
    per_run = 0.8 * free / runs_in_memory(workload)
    assert 4 * 17510 * 4 < per_run < 12 * 17510 * 4
    monkeypatch.setattr(study.executors.choice, "runs_in_memory", lambda workload: 3)
    engine, reason = agreed(storage, workload, EngineOptions("lockstep", cohort=5))
    assert (engine, reason) == (Engine(3), "5 runs together do not fit into memory")
    assert agreed(storage, workload, EngineOptions("lockstep", cohort=5))[0] == Engine(3), "the same command goes on"
    monkeypatch.setattr(study.executors.choice, "runs_in_memory", lambda workload: 1)
    with pytest.raises(InputError, match="two runs together do not fit into memory: use --engine loop"):
        study.executors.choice.choose(EngineOptions("lockstep"), workload, SMALL)


def test_a_study_that_ran_out_of_memory_goes_on_with_smaller_cohorts(workload, storage, monkeypatch):
    monkeypatch.setattr("study.executors.in_process.Lockstep", Crowded)
    with open_small(storage, workload) as optuna_study:
        engine, _ = agree(optuna_study, EngineOptions("lockstep"), workload, SMALL)
        for _ in search(optuna_study, workload, SMALL, engine, 10):
            pass
        records = [trial.user_attrs["record"] for trial in optuna_study.trials]
        assert optuna_study.user_attrs["engine"]["cohort"] == 3
    assert [5] in [record["too_large"] for record in records]
    assert [] in [record["too_large"] for record in records], "those that came after were not tried in too large ones"
    assert {record["cohort"]["1"] for record in records} == {2, 3}
    assert {record["place"]["size"] for record in records} == {10}, "what was asked stays the same"
    assert agreed(storage, workload, EngineOptions("lockstep"))[0] == Engine(3)


@pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_search_in_workers_finds_the_same(number, workload, storage, tmp_path):
    """Whatever their number, and with one thread as here, the same as the loop in this process."""
    from tests.helpers import finished

    alone = finished(run_search(storage, workload, 10))
    other = f"sqlite:///{tmp_path / 'workers.db'}"
    assert finished(run_search(other, workload, 10, engine=Engine(1, number))) == alone


def test_an_engine_names_itself():
    assert [str(engine) for engine in (Engine(), LOCKSTEP, Engine(1, 2), Engine(4, 1))] == [
        "loop",
        "lockstep of 5",
        "loop in 2 workers",
        "lockstep of 4 in 1 worker",
    ]
