"""The report of a benchmark: which family is best at each budget, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.export import torch_code
from study.analysis.family_results import by_budget, chosen, confirmed, family_of, ranking
from study.analysis.ranking import RULE, Standing, seeds_needed
from study.reports.families_figure import draw_families
from study.reports.figures import Measure, draw_winners
from study.reports.markdown import code, escaped, image, table
from study.reports.schedule_origin import exported
from study.reports.search_report import audit_section
from study.reports.section import Section, environment, searched, setting, space_section
from study.reports.study_figures import curve_of, measure_of
from study.reports.tuning_sections import peak_lr_section, tuning_section, variance_section
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

MOST_CURVES = 5
"""Families whose schedules are drawn."""


def benchmark_sections(studies: Sequence[StudyRecord]) -> list[Section]:
    """All parts, in order; for a benchmark in any state."""
    budgets = by_budget(studies)
    ranked = {epochs: ranking(own) for epochs, own in budgets.items()}
    return [
        answer_section(budgets, ranked),
        Section("The rule, written before the results", RULE.strip()),
        tuning_section(budgets),
        peak_lr_section(budgets),
        audit_section(studies),
        *(budget_section(epochs, own, ranked[epochs]) for epochs, own in budgets.items()),
        variance_section(studies),
        schedules_section(budgets),
        space_section(studies),
        environment(studies, overall_winner(budgets, ranked)),
        benchmark_limits(len(studies) > sum(map(len, budgets.values()))),
    ]


def answer_section(budgets: dict[int, list[StudyRecord]], ranked: dict[int, list[Standing]]) -> Section:
    """The best family at each budget, its ties, and the picture."""
    some = next(iter(budgets.values()))[0]
    metric = escaped(some.metric.name)
    lines = []
    for epochs, found in ranked.items():
        if not found:
            lines.append(f"- **{epochs} epochs**: nothing is confirmed yet.")
            continue
        best, *others = found
        ties = [f"`{one.name}`" for one in others if one.tied_with_best]
        said = f"tied with {', '.join(ties)}" if ties else "better than every other" if others else "the only one"
        needed = seeds_needed(max(1, len(others)))
        if best.n < needed:
            said += f" ({needed} seeds are the fewest that could tell {len(found)} families apart)"
        control = ""
        if best.to_control and best.p_control is not None and best.name != "constant":
            gap = f"{best.to_control:+.4f}"
            control = f"; against `constant` {gap}, p = {p_value(best.p_control)}"
        lines.append(f"- **{epochs} epochs**: `{best.name}`, test {metric} {best.mean:.4f}, {said}{control}.")
    body = [f"{setting(some)}. Means over {n_of(ranked)} fresh seeds with 95 % intervals.", "\n".join(lines)]
    figures = {
        "families.svg": draw_families({f"{e} epochs": confirmed(own) for e, own in budgets.items()}, test_measure(some))
    }
    body += [image("families.svg", "Test values of each family's best schedule over fresh seeds")]
    for epochs, found in ranked.items():
        studies = {family_of(study): study for study in budgets[epochs]}
        best_studies = [studies[name] for name in family_names(found[:MOST_CURVES])]
        drawn = [curve_of(study, trial) for study in best_studies if (trial := chosen(study))]
        if drawn:
            figures[f"winners-{epochs}.svg"] = draw_winners(drawn, measure_of(some))
            what = f"The best schedules of the best families at {epochs} epochs, and their runs"
            body += [image(f"winners-{epochs}.svg", what)]
    return Section("The answer", "\n\n".join(body), figures)


def overall_winner(
    budgets: dict[int, list[StudyRecord]], ranked: dict[int, list[Standing]]
) -> tuple[StudyRecord, TrialRecord] | None:
    """The study and the trial of the best family at the longest budget; None if nothing is confirmed there."""
    longest = max(budgets)
    for study in budgets[longest]:
        best = chosen(study)
        if best and family_of(study) in family_names(ranked[longest][:1]):
            return study, best
    return None


def family_names(found: Sequence[Standing]) -> list[str]:
    """The families, in order."""
    return [one.name for one in found]


def test_measure(study: StudyRecord) -> Measure:
    """What schedules are evaluated by on test."""
    return Measure(f"test_{study.metric.name}", study.metric.unit, study.metric.direction == "maximize")


def n_of(ranked: dict[int, list[Standing]]) -> str:
    """How many fresh seeds."""
    return ", ".join(dict.fromkeys(str(found[0].n) for found in ranked.values() if found)) or "no"


def budget_section(epochs: int, studies: Sequence[StudyRecord], found: Sequence[Standing]) -> Section:
    """The table of one budget."""
    heads = ["family", "n", "mean", "to the best", "p", "to constant", "p", "beats constant", "verdict"]
    rows = [
        [
            f"`{one.name}`",
            str(one.n),
            f"{one.mean:.4f}",
            "-" if one is found[0] else f"{one.to_best:+.4f}",
            "-" if one is found[0] else p_value(one.p_best),
            f"{one.to_control:+.4f}" if one.to_control and one.name != "constant" else "-",
            p_value(one.p_control) if one.p_control is not None and one.name != "constant" else "-",
            f"{one.improvement:.0%}" if one.improvement is not None and one.name != "constant" else "-",
            "best" if one is found[0] else "tied" if one.tied_with_best else "worse",
        ]
        for one in found
    ]
    cost = ["family", "trials", "diverged", "epochs trained", "seconds", "best on validation"]
    costs = []
    for study in studies:
        numbers = [len(study.trials), sum(trial.diverged for trial in study.trials)]
        spent = f"{sum(trial.epochs_spent for trial in study.trials):.0f}"
        seconds = f"{sum(trial.seconds for trial in study.trials):.1f}"
        best = f"{study.best.value:.4f}" if study.best else "-"
        costs.append([f"`{family_of(study)}`", *map(str, numbers), spent, seconds, best])
    said = (
        f"{searched(studies[0])}. *to the best*, *to constant*: paired differences; p is corrected by Holm's method; "
        "*beats constant*: the chance that a run is better than a run of the control with another seed."
    )
    body = [
        said,
        table(heads, rows) if rows else "Nothing is confirmed yet.",
        "What it cost to tune:",
        table(cost, costs),
    ]
    return Section(f"{epochs} epochs", "\n\n".join(body))


def schedules_section(budgets: dict[int, list[StudyRecord]]) -> Section:
    """Every confirmed schedule, and the best one as code."""
    rows, blocks = [], []
    for epochs, studies in budgets.items():
        for study in studies:
            best = chosen(study)
            if best:
                values = [
                    f"{n} {v:.3g}" if isinstance(v, float) else f"{n} {v}"
                    for n, v in best.params.items()
                    if n != "family"
                ]
                rows.append([f"`{family_of(study)}`", str(epochs), escaped(", ".join(values))])
        found = ranking(studies)
        if found:
            study = next(s for s in studies if family_of(s) == found[0].name)
            best = chosen(study)
            assert best is not None
            lines = torch_code(exported(study, best))
            blocks += [f"The best at {epochs} epochs, for a run of any length:", code(lines, "python")]
    body = [table(["family", "epochs", "parameters"], rows) if rows else "None yet.", *blocks]
    return Section("The schedules", "\n\n".join(body))


def benchmark_limits(repeated: bool) -> Section:
    """What was not shown; repeated: whether each search was repeated."""
    lines = [
        "It holds for this data, model, optimizer, batch size and these budgets, and for the ranges searched.",
        "Every family had the same number of trials; one with more parameters is tuned less well by them.",
        "The schedules were chosen with one training seed on validation; the test rows were used once, by fresh seeds.",
        "Where the best lie at an end of a range (above), the range may have held the family back.",
    ]
    if not repeated:
        lines += [
            "Each family was searched once. Another search finds another schedule, and may rank them otherwise: "
            "`--search-seeds 5` tells by how much."
        ]
    return Section("Limits", "\n".join(f"- {line}" for line in lines))


def p_value(p: float) -> str:
    """To three digits."""
    return f"{p:.3g}"
