"""What other finals of the same search would have chosen: more finalists, or other peaks of those that lead.

A short run favours high peaks and fast decay, and one validation run owes much to chance: these spend further full runs
on the one, on the other, or on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import mean

from search_spaces.schedule import Schedule
from study.objective import Executor, Objective, Run
from study.search.confirm import LOOKS
from study.storage.study_record import StudyRecord

FACTORS = (0.5, 0.5**0.5, 2**0.5)
"""Of the peak: more of the lower ones, since a full run prefers lower peaks than the short run that chose it."""
MOST_FINALISTS = 10
"""Finalists that are all trained in full, with every seed that chooses: the usual ones, then those that led."""
LEADERS = 3
"""Of the finalists, those whose peaks are varied."""


def other_finals(
    record: StudyRecord, objective: Objective, executor: Executor
) -> Iterator[tuple[str, float, Schedule]]:
    """(how the winner is chosen, full runs that this takes beside the search, the winner) for each way.

    record: of a search whose finals have ended. All choose by the mean over the seeds with which the finals chose.
    """
    finals = record.finals
    assert finals is not None
    seeds = finals.selection_seeds
    few = [record.trial(one).schedule for one in finals.finalists]
    chosen_among = finals.finalists if len(few) > 1 else ()
    trained = {record.trial(one).schedule: finals.mean_validation(one) for one in chosen_among}

    def means(schedules: Sequence[Schedule]) -> dict[Schedule, float]:
        """The mean validation value of each, trained unless it is known already."""
        missing = [one for one in schedules if one not in trained]
        runs = [Run(one, record.settings.epochs, seed, LOOKS) for one in missing for seed in seeds]
        ended = {found.run: found.metric for found in executor.train(runs) if found.last}
        for place, one in enumerate(missing):
            trained[one] = mean(ended[place * len(seeds) + index] for index in range(len(seeds)))
        return {one: trained[one] for one in schedules}

    def ranked(values: dict[Schedule, float]) -> list[Schedule]:
        return sorted(values, key=lambda one: record.metric.sign * values[one])

    def with_other_peaks(leaders: Sequence[Schedule]) -> list[Schedule]:
        return [replace(one, peak_lr=one.peak_lr * factor) for one in leaders for factor in (1.0, *FACTORS)]

    many = list(dict.fromkeys([*few, *leading(record)]))[:MOST_FINALISTS]
    ways: dict[str, Callable[[], list[Schedule]]] = {
        "and other peaks of the winner": lambda: [*few, *with_other_peaks(ranked(means(few))[:1])],
        "and other peaks of three": lambda: [*few, *with_other_peaks(ranked(means(few))[:LEADERS])],
        f"of {MOST_FINALISTS}": lambda: many,
        f"of {MOST_FINALISTS}, and other peaks of three": lambda: [
            *many, *with_other_peaks(ranked(means(many))[:LEADERS]),
        ],
    }  # fmt: skip
    for way, candidates in ways.items():
        values = means(list(dict.fromkeys(candidates())))
        yield f"finals {way}", float(len(values) * len(seeds)), ranked(values)[0]


def leading(record: StudyRecord) -> list[Schedule]:
    """Schedules of the trials that led in the longest short run that was trained, best first."""
    own = [trial for trial in record.trials if not trial.is_reference and not trial.diverged]
    short = [budget for budget in record.settings.budgets[:-1] if any(budget in trial.reported for trial in own)]
    there = [trial for trial in own if short and short[-1] in trial.reported]
    there.sort(key=lambda trial: record.metric.sign * trial.reported[short[-1]])
    return [trial.schedule for trial in there[:MOST_FINALISTS]]
