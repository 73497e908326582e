"""Choosing an engine, keeping it and setting it explicitly."""

import math
from dataclasses import replace

import psutil
import pytest
import torch

import study.executors.choice
from search_spaces import InputError
from study.assembly import opened
from study.executors.choice import Demand, agree, as_stored
from study.executors.options import ExecutorOptions
from study.executors.timing import seconds_per_step
from study.objective import Engine
from study.search.configuration import PRUNES_MIDWAY
from study.source import stored_objective
from study.speed import ChosenEngine
from study.storage.studies import read_study
from study.training.workload_objective import WorkloadObjective
from tests.helpers import LOCKSTEP, SMALL, Crowded, run_search, small_plan

DEMAND = Demand(most_together=5, steps=64)


def agreed(storage, workload, options=None, configuration=SMALL):
    """The engine of a study that is opened with these options, and the reason."""
    with opened(small_plan(storage, workload, configuration), options or ExecutorOptions()) as study:
        return study.engine, study.reason


def times_in(reason):
    """Engine -> its milliseconds, as the reason for a choice states them."""
    listed = reason.removeprefix("ms per step and run: ").partition(";")[0]
    return {engine: float(time) for time, engine in (part.split(" ", 1) for part in listed.split(", "))}


def timed(monkeypatch, seconds):
    """Let each cohort take these milliseconds per step and run, instead of timing it."""
    monkeypatch.setattr(study.executors.timing, "seconds_per_step", lambda objective, cohort: seconds[cohort] / 1000)
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
    assert "ms per step and run: 0.50 loop, 0.60 lockstep of 2" in reason
    timed(monkeypatch, {})  # a second choice would fail
    assert agreed(storage, workload) == (Engine(chosen), "fixed when the study was created")


def test_each_size_is_timed_twice_and_the_shorter_time_counts(storage, workload, monkeypatch):
    """A busy machine disturbs the first time of cohorts of 4, and of the loop."""
    times = {1: [0.9, 0.5], 2: [0.6, 0.6], 4: [80.0, 0.4], 5: [0.3]}
    timed(monkeypatch, {})
    monkeypatch.setattr(
        study.executors.timing, "seconds_per_step", lambda objective, cohort: times[cohort].pop(0) / 1000
    )
    engine, reason = agreed(storage, workload)
    assert engine == Engine(5)
    assert times_in(reason) == {"loop": 0.5, "lockstep of 2": 0.6, "lockstep of 4": 0.4, "lockstep of 5": 0.3}
    assert "two timings of one engine differ by a factor of 200.0, so the machine is busy" in reason


def test_timing_trains_for_real(workload, storage):
    before = torch.get_rng_state(), torch.get_num_threads()
    engine, reason = agreed(storage, workload)
    times = times_in(reason)
    assert {"loop", "lockstep of 2", "lockstep of 4"} <= set(times)
    assert times[str(engine)] == min(times.values())
    assert times["loop"] > 0.01, "a step takes more than a hundredth of a millisecond"
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


def test_a_study_in_lockstep_does_not_go_on_with_data_outside_memory(workload):
    class OutsideMemory(WorkloadObjective):
        resident = False

    options, stored = ExecutorOptions(), as_stored(ChosenEngine(Engine(4), "timed"), ExecutorOptions())
    assert agree("a", stored, options, WorkloadObjective(workload), DEMAND)[0] == Engine(4)
    with pytest.raises(InputError, match="must fit into memory"):
        agree("a", stored, options, OutsideMemory(workload), DEMAND)


def test_a_cohort_that_does_not_fit_is_not_the_fastest(workload, monkeypatch):
    monkeypatch.setattr("study.training.workload_objective.Lockstep", Crowded)
    assert seconds_per_step(WorkloadObjective(workload), 3) < math.inf
    assert seconds_per_step(WorkloadObjective(workload), 4) == math.inf


def test_workers_are_not_started_if_they_promise_little(workload, storage, monkeypatch):
    """On this small workload they do."""
    monkeypatch.setattr(study.executors.choice, "usable_cores", lambda: 2)
    assert "workers" not in agreed(storage, workload)[1]


@pytest.mark.slow
def test_workers_that_promise_much_are_timed_and_win_or_lose_by_that(workload, monkeypatch):
    monkeypatch.setattr(study.executors.choice, "usable_cores", lambda: 2)
    monkeypatch.setattr(study.executors.choice, "LEAST_SAVING", -math.inf)
    chosen, reason, speed = study.executors.choice.choose(WorkloadObjective(workload), ExecutorOptions(), DEMAND)
    times = times_in(reason)
    assert "loop in 2 workers" in times
    assert times[str(chosen)] == min(times.values())
    assert 1000 * speed.of_a_step(chosen.cohort) == pytest.approx(min(times.values()), abs=0.005)


def test_workers_are_not_started_if_the_pruner_judges_on_the_way(workload, monkeypatch):
    monkeypatch.setattr(study.executors.choice, "usable_cores", lambda: 2)
    monkeypatch.setattr(study.executors.choice, "LEAST_SAVING", -math.inf)
    for pruner in PRUNES_MIDWAY:
        demand = replace(DEMAND, worker_obstacle=replace(SMALL, pruner=pruner).worker_obstacle)
        _, reason, _ = study.executors.choice.choose(WorkloadObjective(workload), ExecutorOptions(), demand)
        assert "workers" not in reason, "their results would depend on which of them is faster"


@pytest.mark.parametrize(
    ("options", "engine", "flags"),
    [
        (ExecutorOptions("loop"), Engine(), "--engine"),
        (ExecutorOptions("lockstep"), Engine(5), "--engine"),
        (ExecutorOptions("lockstep", cohort=3), Engine(3), "--engine, --cohort"),
        (ExecutorOptions(cohort=3), Engine(3), "--cohort"),
        (ExecutorOptions(cohort=1), Engine(), "--cohort"),
        (ExecutorOptions(workers=2), Engine(1, 2), "--workers"),
        (ExecutorOptions("lockstep", cohort=2, workers=2), Engine(2, 2), "--engine, --cohort, --workers"),
        (ExecutorOptions(executor="processes", workers=1), Engine(1, 1), "--executor, --workers"),
        (ExecutorOptions(executor="in-process", cohort=3), Engine(3, 0), "--cohort, --executor"),
    ],
)
def test_flags_determine_the_engine(options, engine, flags, storage, workload):
    assert agreed(storage, workload, options) == (engine, f"set by {flags}")
    assert agreed(storage, workload) == (engine, "fixed when the study was created")
    assert agreed(storage, workload, options) == (engine, "fixed when the study was created")


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (ExecutorOptions("loop"), ExecutorOptions("lockstep"), "was created with --engine loop: use the same"),
        (ExecutorOptions("lockstep"), ExecutorOptions("loop"), "was created with --engine lockstep: use the same"),
        (
            ExecutorOptions(workers=2),
            ExecutorOptions(executor="in-process"),
            "was created with --executor processes: use",
        ),
        (ExecutorOptions(cohort=3), ExecutorOptions(cohort=4), "was created with --cohort 3: use the same"),
        (
            ExecutorOptions("loop"),
            ExecutorOptions(workers=2),
            "was created with --executor in-process: use",
        ),
    ],
)
def test_another_engine_is_refused(first, then, said, storage, workload):
    agreed(storage, workload, first)
    with pytest.raises(InputError, match=said):
        agreed(storage, workload, then)


def test_more_workers_than_the_cores_can_use_are_refused_as_a_flag_but_not_of_a_stored_study(
    storage, workload, data_root, monkeypatch
):
    """The study was made on a machine with more cores."""
    with pytest.raises(InputError, match="--workers must be at most [0-9]+ here, but 100000 was given"):
        agreed(storage, workload, ExecutorOptions(workers=100_000))
    agreed(storage, workload, ExecutorOptions(workers=2))
    monkeypatch.setattr(study.executors.choice, "WORKERS_PER_CORE", 0)
    with pytest.raises(InputError, match="--workers must be at most 0 here, but 2 was given"):
        agreed(storage, workload, ExecutorOptions(workers=2))
    assert agreed(storage, workload)[0] == Engine(1, 2)
    record = read_study(storage, "small")
    assert stored_objective(record, data_root, {}).device == torch.device("cpu")


def test_the_number_of_workers_may_change(storage, workload):
    agreed(storage, workload, ExecutorOptions(workers=2))
    assert agreed(storage, workload, ExecutorOptions(workers=3))[0] == Engine(1, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "lokstep"}, "unknown engine 'lokstep': did you mean 'lockstep'"),
        ({"cohort": 0}, "--cohort must be at least 1, but 0 was given"),
        ({"executor": "procesess"}, "unknown executor 'procesess': did you mean 'processes'"),
        ({"executor": "in-process", "workers": 2}, "--executor in-process has no workers: remove --workers 2"),
        ({"workers": 0}, "--workers must be at least 1, but 0 was given"),
        ({"engine": "loop", "cohort": 4}, "--engine loop trains one run at a time: remove --cohort 4"),
        ({"engine": "lockstep", "cohort": 1}, "--engine lockstep needs a --cohort of at least 2, but 1 was given"),
    ],
)
def test_options_that_make_no_sense_are_told(options, said):
    with pytest.raises(InputError, match=said):
        ExecutorOptions(**options)


def test_what_cannot_be_done_is_told(storage, workload):
    with pytest.raises(
        InputError, match="--engine lockstep needs --trials-per-batch to be at least 2, but 1 was given"
    ):
        agreed(storage, workload, ExecutorOptions("lockstep"), replace(SMALL, trials_per_batch=1, trials_per_bracket=1))
    median = replace(DEMAND, worker_obstacle=replace(SMALL, pruner="median").worker_obstacle)
    with pytest.raises(InputError, match="--pruner median prunes runs midway, one after another: remove --workers"):
        study.executors.choice.check_workers(ExecutorOptions(workers=2), WorkloadObjective(workload), median)
    other = replace(workload, make_optimizer=lambda model: torch.optim.RMSprop(model.parameters()))
    objective = WorkloadObjective(other)
    with pytest.raises(InputError, match="only SGD, AdamW and Lion can be stacked, not RMSprop"):
        study.executors.choice.choose(objective, ExecutorOptions("lockstep"), DEMAND)
    engine, reason, _ = study.executors.choice.choose(objective, ExecutorOptions(), DEMAND)
    assert engine.cohort == 1
    assert "not in lockstep: only SGD, AdamW and Lion can be stacked, not RMSprop" in reason


def test_memory_bounds_the_cohort(workload, storage, monkeypatch):
    """An MLP's run takes a few times its 17,510 weights, and the activations of 64 rows."""
    free = psutil.virtual_memory().available
    per_run = 0.8 * free / WorkloadObjective(workload).largest_cohort()
    assert 4 * 17510 * 4 < per_run < 12 * 17510 * 4
    monkeypatch.setattr(WorkloadObjective, "largest_cohort", lambda objective: 3)
    engine, reason = agreed(storage, workload, ExecutorOptions("lockstep", cohort=5))
    assert (engine, reason) == (Engine(3), "5 runs at a time do not fit into memory")
    assert agreed(storage, workload, ExecutorOptions("lockstep", cohort=5))[0] == Engine(3), "the same command resumes"
    monkeypatch.setattr(WorkloadObjective, "largest_cohort", lambda objective: 1)
    with pytest.raises(InputError, match="two runs at a time do not fit into memory: use --engine loop"):
        study.executors.choice.choose(WorkloadObjective(workload), ExecutorOptions("lockstep"), DEMAND)


def test_a_study_that_ran_out_of_memory_goes_on_with_smaller_cohorts(workload, storage, monkeypatch):
    monkeypatch.setattr("study.training.workload_objective.Lockstep", Crowded)
    with opened(small_plan(storage, workload), ExecutorOptions("lockstep")) as study:
        for _ in study.search(10):
            pass
        records = [trial.user_attrs["record"] for trial in study.optuna_study.trials]
        assert study.optuna_study.user_attrs["engine"]["cohort"] == 3
    assert [5] in [record["too_large"] for record in records]
    assert [] in [record["too_large"] for record in records], "those that came after were not tried in too large ones"
    assert {record["cohort"]["1"] for record in records} == {2, 3}
    assert {record["place"]["size"] for record in records} == {10}, "what was asked stays the same"
    assert agreed(storage, workload, ExecutorOptions("lockstep"))[0] == Engine(3)


def test_a_search_in_workers_finds_the_same(workload, storage, tmp_path):
    """With one thread, as here, the same as the loop in this process."""
    from tests.helpers import finished

    alone = finished(run_search(storage, workload, 10))
    other = f"sqlite:///{tmp_path / 'workers.db'}"
    assert finished(run_search(other, workload, 10, engine=Engine(1, 2))) == alone


def test_an_engine_names_itself():
    assert [str(engine) for engine in (Engine(), LOCKSTEP, Engine(1, 2), Engine(4, 1))] == [
        "loop",
        "lockstep of 5",
        "loop in 2 workers",
        "lockstep of 4 in 1 worker",
    ]


@pytest.mark.parametrize(("shared", "threads"), [(0.25, None), (0.35, 1), (9.0, 1)])
def test_all_threads_are_used_only_where_they_are_worth_it(shared, threads, two_threads, workload, monkeypatch):
    """A step takes 0.4 ms with one thread, so all of them must take less than 0.4 / 1.5 ms."""

    def by_threads(objective, cohort, summary=min):
        return {1: 0.4, 2: shared}[torch.get_num_threads()] / 1000

    timed(monkeypatch, {})
    for module in (study.executors.timing, study.executors.choice):
        monkeypatch.setattr(module, "seconds_per_step", by_threads)
    for options in (ExecutorOptions(), ExecutorOptions("loop")):
        chosen, reason, speed = study.executors.choice.choose(WorkloadObjective(workload), options, DEMAND)
        assert chosen.threads == threads
        assert 1000 * speed.of_a_step(chosen.cohort) == pytest.approx(0.4 if threads else shared)
        assert ("; 2 threads are less than 1.5 times as fast as one" in reason) == (
            threads == 1 and options.engine == "auto"
        )


def test_an_engine_of_one_thread_trains_with_one_and_is_kept(two_threads, workload):
    engine = replace(LOCKSTEP, threads=1)
    with study.executors.choice.executor_of(engine, WorkloadObjective(workload)):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    stored = as_stored(ChosenEngine(engine, "timed"), ExecutorOptions())
    assert agree("a", stored, ExecutorOptions(), WorkloadObjective(workload), DEMAND)[0] == engine


def test_a_study_of_actors_continues_in_processes_but_not_in_this_one(workload):
    """One thread each, so the bits are the same."""
    objective, actors = WorkloadObjective(workload), ExecutorOptions(executor="ray", workers=2)
    stored = as_stored(ChosenEngine(Engine(1, 2), "set"), actors)
    assert agree("a", stored, ExecutorOptions(executor="processes", workers=3), objective, DEMAND)[0] == Engine(1, 3)
    assert agree("a", stored, ExecutorOptions(), objective, DEMAND)[0] == Engine(1, 2)
    with pytest.raises(InputError, match="was created with --executor ray: use the same"):
        agree("a", stored, ExecutorOptions(executor="in-process"), objective, DEMAND)


@pytest.mark.parametrize(
    ("executor", "workers", "flags"),
    [
        ("processes", 3, "--engine, --cohort, --executor"),
        ("ray", 2, "--engine, --cohort, --executor, --workers"),
    ],
)
def test_an_engine_for_cuda_is_chosen_in_a_worker(executor, workers, flags, workload, monkeypatch):
    """This process leaves the GPUs alone: even their memory is asked for there. But it counts them: of the three, a
    worker sees one.
    """
    asked = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")

    class Pool:
        def call(self, function, *arguments):
            asked.append(function.__name__)
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
            return function(OnACard(workload, trained_on=torch.device("cuda")), *arguments)

    class OnACard(WorkloadObjective):
        """Says that it trains on CUDA; there may be no card."""

        can_be_timed = False

        def largest_cohort(self):
            return 100

    def untouched(device):
        assert device.type == "cpu"
        return psutil.virtual_memory().available

    monkeypatch.setattr("study.training.workload_objective.free_memory", untouched)
    options = ExecutorOptions("lockstep", cohort=3, executor=executor, workers=2 if executor == "ray" else None)
    objective = WorkloadObjective(workload, trained_on=torch.device("cuda"))
    chosen = agree("a", None, options, objective, DEMAND, Pool())
    assert (chosen.engine, chosen.reason, asked) == (Engine(3, workers), f"set by {flags}", ["choose"])


def test_a_process_for_each_card_by_default(workload, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    options = ExecutorOptions(executor="processes")
    on_cards = WorkloadObjective(workload, trained_on=torch.device("cuda"))
    assert study.executors.choice.asked_workers(options, on_cards) == 3
    monkeypatch.setattr(study.executors.choice, "usable_cores", lambda: 7)
    assert study.executors.choice.asked_workers(options, WorkloadObjective(workload)) == 7
