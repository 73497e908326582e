"""The answer of a search in two sentences, for the console, the note and the report."""

from __future__ import annotations

import math

from study.analysis.answer import Answer
from study.analysis.own_schedule import keeps_own_schedule
from study.analysis.statistics import Interval
from study.reports.measure import Measure, confirmed_measure, validation_measure
from study.reports.schedule_words import family_in_words
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

SAME_ON_EVERY_SEED = "Every seed gave the same value, so the interval says nothing: does the training use its seed?"


def answer_in_words(study: StudyRecord, answer: Answer) -> str:
    """Which schedule to use, how good it is, how it compares, and what that has cost."""
    measure = confirmed_measure(study) if answer.on_test else validation_measure(study)
    chosen, seeds = answer.recommended, answer.value.n
    of = f" of {seeds + answer.left_out}" * bool(answer.left_out)
    over = f"over {seeds}{of} seed{'s' * (seeds != 1)}"
    rows = "test" if answer.on_test else "validation"
    value = f"{rows} {study.metric.name} {value_with_interval(measure, answer.value)} {over}"
    end = comparison(study, answer, measure)
    own = " with your script's own schedule" if keeps_own_schedule(study) else ""
    found = f"Use {named(study, chosen)}{own}: {value}{end}."
    cost = f"The search cost {answer.full_runs:.3g} full runs, confirming {answer.confirming}."
    return " ".join([found, *([SAME_ON_EVERY_SEED] if answer.same_on_every_seed else []), cost])


def comparison(study: StudyRecord, answer: Answer, measure: Measure) -> str:
    """How the recommended schedule compares with the other one, and what these seeds can show."""
    gain, other = answer.gain, answer.other
    if gain is None or other is None:
        return ""
    found = "the reference" if other.is_reference else "the best found"
    if not math.isfinite(gain.low):
        return f"; {found} ({named(study, other)}) cannot be compared with it by one seed"
    smallest = with_unit(points(measure, answer, answer.smallest_gain), measure)
    shows = f" ({gain.n} seeds can show {smallest})" if answer.smallest_gain else ""
    if answer.inconclusive:
        than = "worse" if gain.mean > 0 else "better"
        by = with_unit(points(measure, answer, abs(gain.mean)), measure)
        return f"; {found} ({named(study, other)}) is {by} {than} with these seeds, which is inconclusive{shows}"
    if answer.tied:
        return f"; {found} ({named(study, other)}) is statistically tied with it{shows}"
    if answer.recommended.is_reference:
        return f"; {found} ({named(study, other)}) is {difference(measure, answer, gain)} worse{shows}"
    decay = "" if other.weight_decay is None else f", and weight decay {other.weight_decay:.2g}, which was not tuned"
    which = "the reference" if keeps_own_schedule(study) else family_in_words(other.family)
    than = f"{which} at its best peak, {other.peak_lr:.2g}{decay}"
    return f", {difference(measure, answer, gain)} better than {than}{shows}"


def best_against_reference(study: StudyRecord, answer: Answer) -> str | None:
    """What both found over the same seeds, in numbers; None without a comparison."""
    if answer.other is None or answer.other_value is None or answer.gain is None or not math.isfinite(answer.gain.low):
        return None
    measure = confirmed_measure(study) if answer.on_test else validation_measure(study)
    both = [(answer.recommended, answer.value), (answer.other, answer.other_value)]
    reference, found = sorted(both, key=lambda one: not one[0].is_reference)
    values = f"{measure.text(found[1].mean)} against {measure.text(reference[1].mean)}"
    mean, low, high, n = answer.gain
    gain = answer.gain if reference[0] is answer.other else Interval(-mean, -high, -low, n)
    paired = f"{difference(measure, answer, gain)} better, paired by {n} seeds"
    both_named = f"The best found ({named(study, found[0])}) against the reference ({named(study, reference[0])})"
    return f"{both_named}: {values}, {paired}."


def named(study: StudyRecord, trial: TrialRecord) -> str:
    """A schedule by its family and peak, and its weight decay, if searched; all parameters are on another line.

    If a script kept its own schedule, by the peak alone.
    """
    decay = "" if trial.weight_decay is None else f", weight decay {trial.weight_decay:.2g}"
    family = "" if keeps_own_schedule(study) else f"{family_in_words(trial.family)}, "
    return f"{family}peak {trial.peak_lr:.2g}{decay}"


def value_with_interval(measure: Measure, value: Interval) -> str:
    """A mean with its unit, and its interval, if it has one."""
    mean, low, high, _ = value
    ends = f" [{measure.number(low)}, {measure.number(high)}]" if math.isfinite(low) else ""
    return f"{measure.text(mean)}{ends}"


def difference(measure: Measure, answer: Answer, gain: Interval) -> str:
    """The gain with its unit and interval."""
    mean, low, high = (points(measure, answer, value) for value in gain[:3])
    return f"{with_unit(mean, measure)} [{low}, {high}]"


def with_unit(difference: str, measure: Measure) -> str:
    """A difference with its unit, if it has one; shares of rows differ by points."""
    return f"{difference} {'points' if measure.scale == 100 else measure.shown_unit}".rstrip()


def points(measure: Measure, answer: Answer, value: float) -> str:
    """A difference, with as many digits as the value that it belongs to."""
    return f"{measure.scale * value:{measure.digits(answer.value.mean)}}"
