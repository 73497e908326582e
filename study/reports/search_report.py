"""The report of one search: its winner, and all that the search has learnt on the way."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.export import torch_code
from study.analysis.edges import edge_warnings
from study.analysis.importance import FEWEST_FOR_IMPORTANCE, importance
from study.analysis.peak_lr import SPAN_HEADS, peak_spans, span_rows
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.analysis.summary import FAMILY_HEADS, Tally, best_by_family, family_rows
from study.reports.figures import draw_winners, importances
from study.reports.markdown import code, escaped, image, table
from study.reports.schedule_origin import exported
from study.reports.section import Section, environment, searched, setting, space_section
from study.reports.study_figures import curve_of, measure_of, peak_sensitivity, search_progress
from study.reports.verdict import no_winner
from study.storage.study_record import StudyRecord

MOST_CURVES = 5
"""Families whose best schedule is drawn."""


def search_sections(study: StudyRecord) -> list[Section]:
    """All parts, in order; for a study in any state."""
    return [
        winner_section(study),
        families_section(study),
        importance_section(study),
        audit_section([study]),
        progress_section(study),
        space_section([study]),
        environment([study], (study, study.best) if study.best else None),
        search_limits(),
    ]


def winner_section(study: StudyRecord) -> Section:
    """The winner, its picture, and the code that builds it."""
    tally = Tally.of(study)
    spent = f"{tally.text}. {setting(study)}; full runs of {study.settings.epochs} epochs; {searched(study)}."
    if study.unfinished:
        spent += f" Not at its end: {study.unfinished} more trials have begun when this was written."
    best = tally.best
    if not best:
        return Section("The answer", f"{no_winner(study)}\n\n{spent}")
    shares = ", ".join(f"`{name}` {value_of(value)}" for name, value in best.params.items() if name != "family")
    drawn = [trial for trial in best_by_family(study).values() if trial][:MOST_CURVES]
    figure = draw_winners([curve_of(study, trial) for trial in drawn], measure_of(study))
    body = [
        f"**{escaped(best.family)}**, trial {best.number}, with {study.value_name.replace('_', ' ')} "
        f"{best.value:.4f} ({escaped(study.metric.unit)}) on the validation rows it was chosen by: {shares}.",
        spent,
        image("winners.svg", "The best schedule of each of the best families, and what its run found on validation"),
        "The winner in PyTorch, for a run of any length:",
        code(torch_code(exported(study, best)), "python"),
    ]
    return Section("The answer", "\n\n".join(body), {"winners.svg": figure})


def value_of(value: object) -> str:
    """A parameter's value, to read."""
    return f"{value:.3g}" if isinstance(value, float) else escaped(str(value))


def families_section(study: StudyRecord) -> Section:
    """How often each family was tried, and its best."""
    rows = [[f"`{name}`", *counts] for name, *counts in family_rows(study)]
    heads = [*FAMILY_HEADS, f"best {study.value_name.replace('_', ' ')}"]
    warning = "A search gives families unequal budgets: this table does not compare them fairly, a benchmark does."
    return Section("The families", f"{table(heads, rows) if rows else 'No trial is finished yet.'}\n\n{warning}")


def importance_section(study: StudyRecord) -> Section:
    """What decided: importance, the sensitivity to peak_lr, edges."""
    shares, n = importance(study)
    who = "the first at which all trials are compared"
    if study.settings.pruner not in ("horizon", "none"):
        who = "which pruned trials did not come to"
    body = [f"Values after {study.first_budget} epochs, {who}."]
    if shares:
        body += [image("importance.svg", f"How much the values of {n} trials depend on each parameter")]
    else:
        body += [
            f"Which parameters mattered is told of {FEWEST_FOR_IMPORTANCE} comparable trials or more; here are {n}."
        ]
    body += [image("peak_lr.svg", "How the value depends on peak_lr, family by family")]
    spans = peak_spans(study)
    if spans:
        body += [
            "The better half of each family's trials: a narrow span must be tuned, a wide one forgives.",
            table(SPAN_HEADS, [[f"`{name}`", *cells] for name, *cells in span_rows(spans)]),
        ]
    edges = edge_warnings(study)
    body += ["At an end of what was searched:\n\n" + "\n".join(f"- {escaped(line)}" for line in edges)] if edges else []
    figures = {"peak_lr.svg": peak_sensitivity([study])}
    return Section(
        "What decided", "\n\n".join(body), figures | ({"importance.svg": importances(shares, n)} if shares else {})
    )


def audit_section(studies: Sequence[StudyRecord]) -> Section:
    """How often pruning was wrong, if something was pruned, and that was looked at."""
    title = "Was pruning wrong?"
    if all(study.settings.pruner == "none" for study in studies):
        return Section(title, "Nothing was pruned: every trial ran in full, unless it diverged.")
    rows = [[f"`{name}`", *cells] for study in studies for name, *cells in audit_rows(study)]
    if not rows:
        return Section(title, "Not looked at: `--audit 0.1` lets a tenth of the pruned trials run on.")
    what = "Trials that would have been pruned but ran to their end, against those that pruning kept (exact interval)."
    return Section(title, f"{what}\n\n{table(AUDIT_HEADS, rows)}")


def progress_section(study: StudyRecord) -> Section:
    """How the search went."""
    figure = search_progress({study.name: study})
    what = image("progress.svg", "The best full run so far against the epochs trained")
    return Section("The course of the search", what, {"progress.svg": figure})


def search_limits() -> Section:
    """What was not shown."""
    lines = [
        "The winner was chosen on validation rows, so its value there is better than elsewhere; the test rows were not "
        "touched.",
        "One training seed for all trials: what is better by less than seeds differ is not better. "
        "`benchmark.py` trains the best again with fresh seeds and judges on test.",
        "It holds for this data, model, optimizer, batch size and length of a run.",
    ]
    return Section("Limits", "\n".join(f"- {line}" for line in lines))
