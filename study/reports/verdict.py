"""The verdict of a search in words: plain lines for the console, the note and the report."""

from __future__ import annotations

from study.analysis.answer import Answer
from study.analysis.cost import Cost
from study.analysis.edges import edges
from study.analysis.importance import FEWEST_FOR_IMPORTANCE, importance
from study.analysis.own_schedule import keeps_own_schedule
from study.analysis.verdict import Verdict
from study.objective import Unit, duration, length_in_words
from study.reports.answer import answer_in_words
from study.reports.averaging import averaging_lines
from study.reports.decay_interaction import interaction_lines
from study.reports.failed_runs import failure_lines
from study.reports.measure import validation_measure
from study.reports.schedule_words import given_in_words, trained_in_words, trial_in_words
from study.storage.study_record import StudyRecord

MOST_NAMED = 3
"""Tied trials that a line names; the others are counted."""


def verdict_lines(study: StudyRecord) -> list[str]:
    """The verdict on a study in any state, without markup; a line for each part.

    The answer comes first, if it is confirmed; then winner, ties, runs that failed while it was being confirmed,
    averaged weights, importance, how peak and weight decay interact, edges and cost of the search.
    """
    verdict, answer = Verdict.of(study), Answer.of(study)
    return [
        *(answer_lines(study, answer) if answer else []),
        *(winner_lines(study, verdict, answer is not None) if verdict.winner or answer is None else []),
        *(tie_lines(study, verdict) if answer is None else []),
        *failure_lines(study),
        *averaging_lines(study),
        *([importance_line(study), *interaction_lines(study)] if verdict.winner else []),
        *edge_lines(study),
        *([cost_line(verdict.cost, study.settings.unit)] if study.trials else []),
    ]


def answer_lines(study: StudyRecord, answer: Answer) -> list[str]:
    """The answer, and the whole schedule that it recommends, or what to give a script that keeps its own."""
    chosen = answer.recommended
    whole = f"Schedule: {trained_in_words(study, chosen)} (trial {chosen.number})"
    return [answer_in_words(study, answer), given_in_words(study, chosen) if keeps_own_schedule(study) else whole]


def winner_lines(study: StudyRecord, verdict: Verdict, confirmed: bool = False) -> list[str]:
    """The winner of the search in words and its value, or why no trial has won.

    confirmed: whether it follows the answer, which names what to use.
    """
    random = (
        f" Random so far: the {study.settings.sampler} sampler starts after {study.settings.startup_trials} "
        "start-up trials."
        if verdict.random_so_far
        else ""
    )
    best = verdict.winner
    if best is None:
        return [no_winner(study) + random]
    after = length_in_words(study.settings.epochs, study.settings.unit)
    found = f"validation {study.metric.name} {value_in_words(study, best.value)}"
    if confirmed:
        within = " within the search space" if len(study.searched) < len(study.complete) else ""
        which = trial_in_words(study, best)
        return [f"Best single run{within}: {which}, {found} (optimistic: selected on it).{random}"]
    return [
        f"Winner: {trained_in_words(study, best)}",
        *([given_in_words(study, best)] if keeps_own_schedule(study) else []),
        f"Trial {best.number}: {found} after {after} (optimistic: selected on it).{random}",
    ]


def no_winner(study: StudyRecord) -> str:
    """Why no trial has won, and what to do."""
    trials = study.trials
    if not trials or not all(trial.diverged for trial in trials):
        return "No winner yet: no trial has finished a full run."
    every = f"all {len(trials)} trials" if len(trials) > 1 else "the only trial"
    lowest = min(trial.peak_lr for trial in trials)
    return (
        f"No winner: {every} diverged, with a peak_lr of {lowest:.3g} or more. Check whether the data, the loss or the "
        f"metric {study.metric.name!r} is NaN or infinite; if all are sound, lower peak_lr in a --space FILE.toml "
        "(--print-space prints one)."
    )


def tie_lines(study: StudyRecord, verdict: Verdict) -> list[str]:
    """What is statistically tied with the winner, and whether a repeat of the search may end otherwise."""
    if verdict.winner is None:
        return []
    others = verdict.full_runs - 1
    full_runs = "the only other full run" if others == 1 else f"the other {others} full runs"
    tied_trials = verdict.tied[:MOST_NAMED]
    named = [f"{trial_in_words(study, trial)} {value_in_words(study, trial.value)}" for trial in tied_trials]
    more = len(verdict.tied) - len(named)
    tied = ", ".join(named) + (f" and {more} more" if more else "")
    if others == 0:
        return ["No other trial finished a full run, so nothing is compared with it."]
    if not verdict.testable:
        equal = f" Equal: {tied}." if tied else ""
        return [f"Ties: inconclusive, one run each; {full_runs} may be as good.{equal}"]
    if not tied:
        worse = "is" if others == 1 else "are"
        return [f"Ties: none; {full_runs} {worse} significantly worse on validation."]
    count = full_runs if others == 1 else f"{len(verdict.tied)} of {full_runs}"
    lines = [f"Statistically tied with it: {tied} ({count})."]
    if any(trial.family != verdict.winner.family for trial in verdict.tied):
        lines += ["Another number of threads or another executor may rank tied schedules differently."]
    return lines


def importance_line(study: StudyRecord) -> str:
    """The importance of each parameter that all families share, or why it is not known."""
    shares, n = importance(study)
    if n < FEWEST_FOR_IMPORTANCE:
        return f"Parameter importance needs at least {FEWEST_FOR_IMPORTANCE} comparable runs; this study has {n}."
    if not shares:
        return f"Parameter importance: unknown, all {n} comparable runs have the same value."
    names = {"warmup_fraction": "warm-up", "weight_decay": "weight decay"}
    found = ", ".join(f"{names.get(name, name)} {100 * share:.0f} %" for name, share in shares.items())
    return f"Parameter importance: {found} ({n} {study.first_budget}-{study.settings.one} runs)"


def edge_lines(study: StudyRecord) -> list[str]:
    """A line on all parameters at the edge of the search range, if there are any."""
    found = ", ".join(f"{edge.name} ({edge.end})" for edge in edges(study))
    return [f"At the edge of the search range: {found}; consider widening it."] if found else []


def cost_line(cost: Cost, unit: Unit) -> str:
    """What the search has cost."""
    compared = f"{100 * cost.saved:.0f} % saved"
    if cost.saved < 0:
        compared = f"{-100 * cost.saved:.0f} % more than without short runs"
    wall = cost.wall_seconds
    took = f"{duration(cost.training_seconds)} of training" if wall is None else duration(wall)
    trials = f"{cost.trials} trial{'s' * (cost.trials != 1)}"
    trained = length_in_words(round(cost.epochs), unit)
    return f"Cost: {trials}, {trained} = {cost.full_runs:.3g} full runs ({compared}), {took}"


def value_in_words(study: StudyRecord, value: float) -> str:
    """A value of the study's metric: a share of rows in percent, other metrics without their unit."""
    return validation_measure(study).number(value) + " %" * study.metric.counts_rows
