"""The finals: what a search found is trained again with fresh seeds, since one validation run owes much to chance.

First on validation: the full runs, and the best schedule of another family among the shorter ones, of which the best
mean is the winner; and the best two peaks of the reference, of which one is chosen in the same way. Then the winner and
the reference, with the same further seeds, once on test. Nothing is chosen on the test rows, nor by the runs that are
reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import optuna

from study.objective import FIRST_FRESH_SEED, Executor, Objective, Run, Stop, never
from study.search.confirm import LOOKS, training_missing
from study.storage.finals import FailedRun, FinalRun, Finals
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

MOST_FULL_RUNS = 4
"""Of more full runs only the best ones are finalists."""
MOST_REFERENCES = 2
"""Peaks of the reference of which one is chosen."""
SELECTION_SEEDS, SEEDS = 3, 8
"""How many seeds choose the winner, and how many confirm it."""
LONG_RUN = 60.0
"""Seconds of a full run from which on the number of seeds depends on what the search has cost."""
FEWEST_SEEDS = 3
"""With fewer seeds the interval of a difference is too wide to say anything."""


class FinalsProgress(NamedTuple):
    """Full runs that have ended, of all that are expected; `trained` counts the unfinished ones by their share.

    failed: the run that has just failed, if one has.
    """

    trained: float
    total: int
    failed: FailedRun | None = None


def run_finals(
    optuna_study: optuna.Study, objective: Objective, executor: Executor, seeds: int | None = None, stop: Stop = never
) -> Iterator[FinalsProgress]:
    """Train what is missing of the finals of a study, and store each run when it ends; yields after each evaluation.

    seeds: how many confirm the winner; None fits them to what the search has cost. A run that fails counts for nothing,
    and is trained again by the next start. Raises KeyboardInterrupt if the runs were stopped, and InputError if several
    in a row failed. Does nothing if no trial of the study can compete.
    """
    study = StudyRecord.of(optuna_study)
    finals = finals_of(study, seeds)
    nothing_to_do = study.finals and study.finals.done and same_plan(study.finals, finals)
    if nothing_to_do or not (finals.finalists or finals.references):
        return
    if study.finals and same_plan(study.finals, finals):  # its answer stands until there is another
        finals = replace(finals, winner=study.finals.winner, reference=study.finals.reference)

    def keep(now: Finals) -> None:
        optuna_study.set_user_attr("finals", now.record)

    def train(trials: Sequence[int], seeds: Sequence[int], before: int, test: bool) -> Iterator[FinalsProgress]:
        """Train these trials with these seeds; `finals` then holds their runs too. before: runs that came first."""
        nonlocal finals
        places = [(trial, seed) for trial in trials for seed in seeds]
        budget = study.settings.epochs
        for trained, run in training_again(executor, study, places, budget, test, finals.runs, stop):
            if run:
                finals = finals.after(run)
                keep(finals)
            failed = run if isinstance(run, FailedRun) else None
            yield FinalsProgress(before + trained, all_runs(finals), failed)

    keep(finals)
    yield from train(finals.competing, finals.selection_seeds, 0, test=False)
    finals = chosen_by_mean(finals, study)
    keep(finals)
    yield from train(finals.chosen, finals.seeds, len(finals.competing) * len(finals.selection_seeds), test=True)


def training_again(
    executor: Executor,
    study: StudyRecord,
    places: Sequence[tuple[int, int]],
    budget: int,
    test: bool,
    kept: Sequence[FinalRun],
    stop: Stop,
) -> Iterator[tuple[float, FinalRun | FailedRun | None]]:
    """Train the schedules of trials once more, unless that run is kept; yields after each evaluation.

    places: trial and seed of each run. Yields how many runs are trained, and the run that has ended or failed; raises
    what `training_missing` does.
    """
    own = [(study.trial(trial), seed) for trial, seed in places]
    runs = [Run(trial.schedule, budget, seed, LOOKS, test, trial.weight_decay) for trial, seed in own]
    ended = {(run.trial, run.seed) for run in kept}
    done = {index for index, place in enumerate(places) if place in ended}
    for trained, last in training_missing(executor, runs, done, stop):
        if last and last.failure:
            yield trained, FailedRun(*places[last.run], last.failure)
        elif last:
            yield trained, FinalRun(*places[last.run], last.metric, last.test_metric, last.raw_metric)
        else:
            yield trained, None


def same_plan(one: Finals, other: Finals) -> bool:
    """Whether the same trials compete, over the same seeds."""
    before: dict[str, Any] = {"runs": (), "failed": (), "winner": None, "reference": None}
    return replace(one, **before) == replace(other, **before)


def finals_of(study: StudyRecord, seeds: int | None) -> Finals:
    """The finals that a study should have, with the runs that it already has."""
    own = [trial for trial in study.trials if not trial.is_reference and not trial.diverged]
    full_runs = study.ranked([trial for trial in own if trial.complete])[:MOST_FULL_RUNS]
    others = best_of_another_family(study, own, full_runs)
    finalists = tuple(trial.number for trial in [*full_runs, *others])
    references = tuple(trial.number for trial in best_peaks(study))
    selecting, confirming = how_many_seeds(study, finalists, references, seeds)
    first = FIRST_FRESH_SEED + SELECTION_SEEDS
    return Finals(
        finalists,
        references,
        tuple(range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + selecting)),
        tuple(range(first, first + confirming)),
        runs=study.finals.runs if study.finals else (),
        trials=len(study.trials),
        failed=study.finals.failed if study.finals else (),
    )


def best_peaks(study: StudyRecord) -> list[TrialRecord]:
    """The trials of the reference that came furthest, the best first."""
    own = [trial for trial in study.trials if trial.is_reference and not trial.diverged]
    longest = [max(trial.reported) for trial in own]
    ordered = sorted(zip(longest, own, strict=True), key=lambda one: (-one[0], study.metric.sign * one[1].value))
    return [trial for _, trial in ordered[:MOST_REFERENCES]]


def best_of_another_family(
    study: StudyRecord, own: Sequence[TrialRecord], full_runs: Sequence[TrialRecord]
) -> list[TrialRecord]:
    """The best trial that is not of the best full run's family, at the longest rung that one has reached, if any.

    Nothing if that trial is among the full runs already.
    """
    family = full_runs[0].family if full_runs else None
    for budget in reversed(study.settings.budgets):
        there = [trial for trial in own if budget in trial.reported and trial.family != family]
        if there:
            best = min(there, key=lambda trial: (study.metric.sign * trial.reported[budget], trial.number))
            return [] if best in full_runs else [best]
    return []


def chosen_by_mean(finals: Finals, study: StudyRecord) -> Finals:
    """The finals with winner and reference: the best of each group by its mean validation value, the first of equals.

    The runs that choose them must have ended. Without either, if all runs of a group failed.
    """
    groups = (finals.finalists, finals.references)
    ranked = [finals.ranked(group, study.metric.sign) if len(group) > 1 else group for group in groups]
    if any(group and not left for group, left in zip(groups, ranked, strict=True)):
        return finals
    winner, reference = (next(iter(left), None) for left in ranked)
    return replace(finals, winner=winner, reference=reference)


def how_many_seeds(
    study: StudyRecord, finalists: Sequence[int], references: Sequence[int], given: int | None
) -> tuple[int, int]:
    """(that choose winner and reference, that confirm them). given: the latter, if the user has set it.

    If a run takes more than LONG_RUN seconds, the finals cost about as much as the search, but no seeds fewer than
    FEWEST_SEEDS confirm.
    """
    if given is not None:
        return min(SELECTION_SEEDS, given), given
    cost = sum(trial.epochs_spent for trial in study.trials) / study.settings.epochs
    if sum(trial.seconds for trial in study.trials) <= LONG_RUN * cost:
        return SELECTION_SEEDS, SEEDS
    left = cost - sum(len(group) for group in (finalists, references) if len(group) > 1)
    return 1, min(SEEDS, max(FEWEST_SEEDS, int(left / (bool(finalists) + bool(references)))))


def most_runs(trials: int, reference: bool, seeds: int) -> int:
    """The most runs that the finals of a search of this many trials can have, with this many seeds to confirm."""
    competing = min(trials, MOST_FULL_RUNS + 1) + reference * MOST_REFERENCES
    return competing * min(SELECTION_SEEDS, seeds) + (1 + reference) * seeds


def all_runs(finals: Finals) -> int:
    """How many runs the finals have, if they are not stopped."""
    groups = [group for group in (finals.finalists, finals.references) if group]
    return len(finals.competing) * len(finals.selection_seeds) + len(groups) * len(finals.seeds)
