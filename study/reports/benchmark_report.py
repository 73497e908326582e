"""The report of a benchmark: which family is best at each budget, and how certain that is."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.export import shown_code
from study.analysis.family_results import by_budget, chosen, confirmed, family_of, ranking
from study.analysis.own_schedule import keeps_own_schedule
from study.analysis.ranking import LEVEL, RULE, Standing, seeds_needed
from study.objective import length_in_words
from study.reports.failed_runs import comparison_failures, why_unknown
from study.reports.families_figure import draw_families
from study.reports.figures import draw_winners
from study.reports.markdown import bullets, code, escaped, image, table
from study.reports.measure import Measure, confirmed_measure, validation_measure
from study.reports.schedule_origin import exported
from study.reports.search_report import audit_section
from study.reports.section import Section, environment, searched, setting, space_section
from study.reports.study_figures import curve_of
from study.reports.tuning_sections import sensitivity_by_budget, tuning_section, variance_section
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

CONTROL = "constant"
MOST_CURVES = 5
"""Families whose schedules are drawn."""


def benchmark_sections(studies: Sequence[StudyRecord]) -> list[Section]:
    """The parts that these studies have something to say in, in order; for a benchmark in any state."""
    ranked = {epochs: ranking(own) for epochs, own in by_budget(studies).items()}
    budgets = {epochs: best_families_first(own, ranked[epochs]) for epochs, own in by_budget(studies).items()}
    sections = [
        answer_section(budgets, ranked),
        Section("The rule, written before the results", RULE.strip()),
        benchmark_limits(len(studies) > sum(map(len, budgets.values()))),
        *(budget_section(epochs, own, ranked[epochs]) for epochs, own in budgets.items()),
        variance_section(studies),
        tuning_section(budgets),
        sensitivity_by_budget(budgets),
        audit_section(studies),
        schedules_section(budgets, ranked),
        space_section(studies),
        environment(studies, overall_winner(budgets, ranked)),
    ]
    return [section for section in sections if section]


def best_families_first(studies: Sequence[StudyRecord], found: Sequence[Standing]) -> list[StudyRecord]:
    """The studies of one budget in the order of their families' result; those without one come last."""
    places = {one.name: place for place, one in enumerate(found)}
    return sorted(studies, key=lambda study: places.get(family_of(study), len(places)))


def answer_section(budgets: dict[int, list[StudyRecord]], ranked: dict[int, list[Standing]]) -> Section:
    """The best family at each budget, its ties, and the pictures."""
    some = next(iter(budgets.values()))[0]
    measure, unit = confirmed_measure(some), some.settings.unit
    body = [
        f"{setting(some)}. Means over {n_of(ranked)} fresh seeds.",
        bullets(
            f"**{length_in_words(epochs, unit)}**: {answer(budgets[epochs], found, measure)}."
            for epochs, found in ranked.items()
        ),
    ]
    lost = {length_in_words(epochs, unit): comparison_failures(own) for epochs, own in budgets.items()}
    body += [f"Runs of {length}: {escaped(line)}" for length, own in lost.items() for line in own]
    figures = {}
    values = {length_in_words(epochs, unit): confirmed(own) for epochs, own in budgets.items() if ranked[epochs]}
    if values:
        figures["families.svg"] = draw_families(values, measure, CONTROL)
        body += [image("families.svg", "Test values of each family's best schedule over fresh seeds")]
    for epochs, studies in budgets.items():
        drawn = [curve_of(study, trial) for study in studies if (trial := chosen(study)) and trial.curve]
        if drawn and ranked[epochs]:
            figures[f"winners-{epochs}.svg"] = draw_winners(drawn[:MOST_CURVES], validation_measure(some))
            what = f"The best schedules of the best families at {length_in_words(epochs, unit)}, and their runs"
            body += [image(f"winners-{epochs}.svg", what)]
    return Section("The answer", "\n\n".join(body), figures)


def answer(studies: Sequence[StudyRecord], found: Sequence[Standing], measure: Measure) -> str:
    """The best family of one budget, what is statistically tied with it, and how far ahead of the control it is."""
    if not found:
        return f"unknown, {why_unknown(studies)}"
    best, *others = found
    tied = [f"`{one.name}`" for one in others if one.tied_with_best]
    parts = [f"`{best.name}`, {escaped(measure.name)} {escaped(measure.text(best.mean.mean))}"]
    if others:
        parts += [f"statistically tied with it: {', '.join(tied) or 'none'}"]
    needed = seeds_needed(max(1, len(others)))
    if best.n < needed:
        parts += [f"with fewer than {needed} seeds no difference among {len(found)} families can be significant"]
    if best.to_control and best.p_control is not None and best.name != CONTROL:
        points = " points" if measure.scale == 100 else ""
        gap = f"{measure.number(abs(best.to_control.mean))}{points} better than `{CONTROL}`"
        parts += [gap if best.p_control < LEVEL else f"inconclusive against `{CONTROL}`"]
    return "; ".join(parts)


def overall_winner(
    budgets: dict[int, list[StudyRecord]], ranked: dict[int, list[Standing]]
) -> tuple[StudyRecord, TrialRecord] | None:
    """The study and the trial of the best family at the longest budget; None if nothing is confirmed there."""
    longest = max(budgets)
    study = budgets[longest][0]
    best = chosen(study)
    return (study, best) if best and ranked[longest] else None


def n_of(ranked: dict[int, list[Standing]]) -> str:
    """The numbers of fresh seeds."""
    return ", ".join(dict.fromkeys(str(found[0].n) for found in ranked.values() if found)) or "no"


def budget_section(epochs: int, studies: Sequence[StudyRecord], found: Sequence[Standing]) -> Section:
    """The tables of one budget."""
    tested, validated = confirmed_measure(studies[0]), validation_measure(studies[0])
    heads = ["family", "n", f"mean {escaped(tested.axis)}", "to the best", "p", "to constant", "p"]
    heads += ["beats constant", "verdict"]
    rows = [
        [
            f"`{one.name}`",
            str(one.n),
            tested.interval(one.mean),
            "-" if one is found[0] else tested.interval(one.to_best, "+"),
            "-" if one is found[0] else p_value(one.p_best),
            tested.interval(one.to_control, "+") if one.to_control and one.name != CONTROL else "-",
            p_value(one.p_control) if one.p_control is not None and one.name != CONTROL else "-",
            f"{100 * one.improvement:.0f} %" if one.improvement is not None and one.name != CONTROL else "-",
            "best" if one is found[0] else "tied" if one.tied_with_best else "worse",
        ]
        for one in found
    ]
    costs = []
    for study in studies:
        numbers = [len(study.trials), sum(trial.diverged for trial in study.trials)]
        spent = f"{sum(trial.epochs_spent for trial in study.trials):.0f}"
        seconds = f"{sum(trial.seconds for trial in study.trials):.1f}"
        best = validated.number(study.best.value) if study.best else "-"
        costs.append([f"`{family_of(study)}`", *map(str, numbers), spent, seconds, best])
    trained = f"{studies[0].settings.unit} trained"
    cost_heads = ["family", "trials", "diverged", trained, "seconds", f"best {escaped(validated.axis)}"]
    what = (
        f"{searched(studies[0])[:1].upper()}{searched(studies[0])[1:]}. *To the best*, *to constant*: paired "
        "differences [95 % interval], with p-values corrected by Holm's method. *Beats constant*: the chance that a "
        "run is better than a run of the control with another seed."
    )
    body = [
        what,
        table(heads, rows) if rows else f"The best family is unknown: {why_unknown(studies)}.",
        "The cost of tuning, and the best value it found:",
        table(cost_heads, costs),
    ]
    return Section(length_in_words(epochs, studies[0].settings.unit).capitalize(), "\n\n".join(body))


def schedules_section(budgets: dict[int, list[StudyRecord]], ranked: dict[int, list[Standing]]) -> Section | None:
    """Every confirmed schedule, and the best ones as code; nothing if there is no full run."""
    rows, blocks = [], []
    unit = next(iter(budgets.values()))[0].settings.unit
    for epochs, studies in budgets.items():
        for study in studies:
            if best := chosen(study):
                values = [
                    f"{n} {v:.3g}" if isinstance(v, float) else f"{n} {v}"
                    for n, v in best.params.items()
                    if n != "family"
                ]
                rows.append([f"`{family_of(study)}`", str(epochs), escaped(", ".join(values))])
        best = chosen(studies[0])
        if ranked[epochs] and best and not keeps_own_schedule(studies[0]):
            lines = shown_code(exported(studies[0], best))
            blocks += [f"The best at {length_in_words(epochs, unit)}:", code(lines, "python")]
    body = [table(["family", unit, "parameters"], rows), *blocks]
    return Section("The schedules", "\n\n".join(body)) if rows else None


def benchmark_limits(repeated: bool) -> Section:
    """What the benchmark does not show; repeated: whether each search was repeated."""
    lines = [
        "The answer holds for this data, model, optimizer, batch size, these budgets and the ranges searched.",
        "Every family had the same number of trials; the more parameters it has, the less well these tune it.",
        "The schedules were chosen on validation with one training seed. The test rows were used once, by fresh seeds.",
        "If the best values are at the edge of a range (below), the range may have held the family back.",
    ]
    if not repeated:
        lines += [
            "Each family was searched once. Another search finds another schedule and may rank the families "
            "differently; `--search-seeds 5` measures by how much."
        ]
    return Section("Limits", bullets(lines))


def p_value(p: float) -> str:
    """A p-value, to three digits."""
    return f"{p:.3g}"
