"""Runs that fail while something is confirmed: counted as in a search, kept as no result, trained again later."""

from contextlib import suppress
from dataclasses import replace
from statistics import mean

import pytest

from search_spaces import InputError
from study.analysis.answer import Answer
from study.analysis.extension import finalists
from study.analysis.family_results import ranking
from study.objective import Evaluation
from study.search.confirm import confirm
from study.search.extend import extending
from study.search.finals import chosen_by_mean
from study.storage.finals import FailedRun, FinalRun, Finals
from study.storage.longer_runs import longer_runs
from study.training.workload_objective import WorkloadObjective
from tests.example_studies import study_record
from tests.helpers import LOOP, SMALL, open_small, trainer

FEW = replace(SMALL, epochs=1, rung_fractions=(), families=("cosine", "rex"))
SEEDS = (1003, 1004, 1005, 1006)


class Fragile:
    """An executor; runs of these seeds fail at their end."""

    def __init__(self, executor, *seeds):
        self.executor, self.seeds, self.trained = executor, set(seeds), []

    def train(self, runs, stop=lambda run: False, done=frozenset()):
        for evaluation in self.executor.train(runs, stop, done):
            seed = runs[evaluation.run].train_seed
            self.trained += [seed] * evaluation.last
            lost = {"metric": 1.0, "test_metric": None, "diverged": True, "failure": "disk full"}
            yield replace(evaluation, **lost) if evaluation.last and seed in self.seeds else evaluation


@pytest.fixture
def searched(storage, workload):
    """An open study with four trials that ran in full."""
    with open_small(storage, workload, FEW, engine=LOOP) as study:
        for _ in study.search(4):
            pass
        yield study


def finals(study, *broken, seeds=4):
    """Confirm, with runs of these seeds failing; returns the seeds trained, and the runs that were said to fail."""
    study.executor = Fragile(trainer(study.plan.objective.workload), *broken)
    failed = [progress.failed for progress in study.run_finals(seeds) if progress.failed]
    return study.executor.trained, failed


def test_an_answer_is_of_the_seeds_that_ended_and_the_next_start_trains_the_others(searched, workload):
    _, failed = finals(searched, 1004, 1006)
    record = searched.record
    assert [run.seed for run in failed] == [1004, 1006]
    assert list(record.finals.failed) == record.finals.lost == failed
    answer, winner = Answer.of(record), record.finals.winner
    runs = {run.seed: run.test for run in record.finals.runs if run.trial == winner}
    assert {1004, 1006}.isdisjoint(runs), "a failed run is no result"
    assert (answer.value.n, answer.left_out) == (2, 2)
    assert answer.value.mean == pytest.approx(mean([runs[1003], runs[1005]]))
    assert finals(searched) == ([1004, 1006], [])
    record = searched.record
    whole = confirm(WorkloadObjective(workload), trainer(workload), record.trial(winner).schedule, 1, SEEDS)
    assert [run.test for run in record.finals.of(winner, SEEDS)] == whole
    assert (record.finals.failed, Answer.of(record).left_out) == ((), 0)
    assert finals(searched) == ([], []), "nothing is left to do"


def test_three_in_a_row_stop_it_and_what_was_known_stays(searched):
    with pytest.raises(InputError, match="3 runs in a row failed, the last with: disk full"):
        finals(searched, *range(1000, 1100))
    assert searched.record.finals.runs == ()
    assert Answer.of(searched.record) is None
    finals(searched, 1003, 1005)
    assert Answer.of(searched.record).value.n == 2
    finals(searched, 1003, 1005)
    assert Answer.of(searched.record).value.n == 2, "although they have failed once more"


def test_failures_among_runs_that_ended_before_are_no_three_in_a_row(searched):
    """One seed fails with each of the finalists: trained alone at the next start, they come one after the other."""
    _, failed = finals(searched, 1001)
    assert len(failed) == len(searched.record.finals.finalists) >= 3
    answer = Answer.of(searched.record)
    _, again = finals(searched, 1001)
    assert again == failed
    assert Answer.of(searched.record) == answer


def test_an_answer_stands_until_there_is_another(searched):
    finals(searched, 1001)
    answer = Answer.of(searched.record)
    with pytest.raises(KeyboardInterrupt):
        list(searched.run_finals(4, lambda: True))
    assert Answer.of(searched.record) == answer
    finals(searched)
    assert len(searched.record.finals.shared(searched.record.finals.finalists, (1000, 1001, 1002))) == 3


def test_a_study_is_extended_although_all_runs_of_a_finalist_failed(searched):
    finals(searched)
    kept = searched.record.finals
    lost = next(trial for trial in kept.finalists if trial != kept.winner)
    failed = tuple(FailedRun(lost, seed, "disk full") for seed in kept.selection_seeds)
    others = tuple(run for run in kept.runs if run.trial != lost)
    record = replace(searched.record, finals=replace(kept, runs=others, failed=failed))
    assert Answer.of(record) is not None
    assert [trial.number for trial in finalists(record)] == [
        one for one in kept.ranked(kept.finalists, 1) if one != lost
    ]


def test_too_few_seeds_that_are_left_are_no_answer(searched):
    finals(searched, 1003, 1004, seeds=3)
    assert searched.record.finals.ended
    assert Answer.of(searched.record) is None
    finals(searched, seeds=3)
    assert Answer.of(searched.record).value.n == 3


def test_a_run_that_diverges_is_a_result(searched):
    class Diverging(Fragile):
        def train(self, *arguments):
            for evaluation in super().train(*arguments):
                yield replace(evaluation, failure=None)

    searched.executor = Diverging(searched.executor, *SEEDS)
    assert [one.failed for one in searched.run_finals(4) if one.failed] == []
    assert Answer.of(searched.record).value.mean == 1.0


def chosen(runs, failed=()):
    """Winner and reference of two finalists and two trials of the reference."""
    competing = Finals((0, 1), (2, 3), (1, 2), SEEDS, runs=tuple(runs), failed=tuple(failed))
    found = chosen_by_mean(competing, study_record())
    return found.winner, found.reference


def test_finalists_are_compared_over_the_seeds_that_both_have():
    reference = [FinalRun(trial, seed, 0.5, None) for trial in (2, 3) for seed in (1, 2)]
    better = [FinalRun(0, 1, 0.2, None), FinalRun(1, 1, 0.3, None), FinalRun(1, 2, 0.05, None)]
    assert chosen([*reference, *better]) == (0, 2), "the second one alone has had the easy seed"
    assert chosen([*reference, *better[1:]]) == (1, 2), "all runs of the first one failed"
    assert chosen([*reference, *better[:1], *better[2:]]) == (1, 2), "no seed is shared"
    assert chosen(better) == (None, None), "all runs of the reference failed"


def test_a_longer_run_that_fails_is_not_stored(searched):
    fragile = Fragile(searched.executor, 6)
    own = (searched.optuna_study, searched.record, fragile, [0, 3], 2, (5, 6))
    failed = [one.failed for one in extending(*own) if one.failed]
    assert failed == [FailedRun(0, 6, "disk full"), FailedRun(3, 6, "disk full")]
    kept = longer_runs(searched.optuna_study.user_attrs, 2)
    assert [(run.trial, run.seed) for run in kept] == [(0, 5), (3, 5)]
    fragile.seeds, fragile.trained = set(), []
    assert [one.failed for one in extending(*own) if one.failed] == []
    assert fragile.trained == [6, 6]


def confirming(study, *broken, seeds=SEEDS):
    """Confirm a benchmark's winner; returns the seeds trained, and the epochs at its end."""
    study.executor = Fragile(trainer(study.plan.objective.workload), *broken)
    *_, last = study.confirm(seeds)
    return study.executor.trained, last[0]


def test_a_winner_of_a_benchmark_is_confirmed_by_the_seeds_that_ended(searched, workload):
    assert confirming(searched, 1004) == ([*SEEDS], 4)
    kept, best = searched.record.confirmed, searched.record.best
    assert (kept.trial, kept.seeds, kept.failed) == (
        best.number,
        (1003, 1005, 1006),
        (FailedRun(best.number, 1004, "disk full"),),
    )
    assert confirming(searched) == ([1004], 1), "only the one that failed is trained again"
    kept = searched.record.confirmed
    assert (kept.seeds, kept.failed) == (SEEDS, ())
    assert list(kept.test) == confirm(WorkloadObjective(workload), trainer(workload), best.schedule, 1, SEEDS)
    assert list(searched.confirm(SEEDS)) == []


def test_a_winner_of_a_benchmark_is_not_confirmed_by_one_seed_that_is_left(searched):
    confirming(searched, 1003, 1004, seeds=SEEDS[:3])
    assert searched.record.confirmed is None
    with pytest.raises(InputError, match="3 runs in a row failed"):
        confirming(searched, *SEEDS)
    assert searched.record.confirmed is None


def test_values_of_an_earlier_winner_do_not_pass_for_those_of_the_best(searched):
    """Too few runs of the new best trial end, so the family has no values at all."""
    best = searched.record.best.number
    earlier = {"trial": best - 1 if best else 1, "seeds": list(SEEDS), "test": [0.1] * len(SEEDS)}
    for seeds, broken in [(SEEDS[:2], SEEDS[:1]), (SEEDS, SEEDS)]:  # the latter stops, as so many failed in a row
        searched.optuna_study.set_user_attr("confirmed", earlier)
        with suppress(InputError):
            confirming(searched, *broken, seeds=seeds)
        assert searched.record.confirmed is None
        assert ranking([searched.record]) == []
    confirming(searched)
    assert searched.record.confirmed.trial == best


def test_what_must_have_all_values_is_refused_if_a_run_fails():
    class Failing:
        def train(self, runs, stop, done):
            yield Evaluation(0, 1, 2, 1.0, 1.0, diverged=True, failure="disk full")
            yield Evaluation(1, 2, 2, 0.5, 0.5)

    with pytest.raises(InputError, match="a run failed: disk full"):
        confirm(None, Failing(), None, 1, [1, 2])
