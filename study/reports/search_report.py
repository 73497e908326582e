"""The report of one search: its winner, and all that the search has learnt on the way."""

from __future__ import annotations

from collections.abc import Sequence

import optuna

from search_spaces.export import Exported, torch_code
from study.analysis.importance import (
    FEWEST_FOR_IMPORTANCE,
    SPAN_HEADS,
    edge_warnings,
    first_horizon,
    importance,
    peak_spans,
    span_rows,
)
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.analysis.summary import FAMILY_HEADS, Tally, best_by_family, family_rows, no_winner, value_name
from study.reports.figures import importances, winners
from study.reports.markdown import code, escaped, shown, table
from study.reports.section import Section, environment, searched, setting, space_section
from study.reports.study_figures import curve_of, measure_of, peak_sensitivity, search_progress
from study.storage.records import finished_trials

MOST_CURVES = 5
"""Families whose best schedule is drawn."""


def search_sections(study: optuna.Study) -> list[Section]:
    """All parts, in order; for a study in any state."""
    return [
        answer(study),
        families(study),
        peaks(study),
        audit([study]),
        course(study),
        space_section([study]),
        environment([study], (study, best) if (best := Tally.of(study).best) else None),
        limits(study),
    ]


def answer(study: optuna.Study) -> Section:
    """The winner, its picture, and the code that builds it."""
    tally, attrs = Tally.of(study), study.user_attrs
    epochs = attrs["configuration"]["epochs"]
    spent = f"{tally.text}. {setting(study)}; full runs of {epochs} epochs; {searched(study)}."
    under_way = attrs.get("unfinished")
    if under_way:
        spent += f" Not at its end: {under_way} more trials have begun when this was written."
    if not tally.best:
        return Section("The answer", f"{no_winner(tally.trials)}\n\n{spent}")
    best = tally.best
    lines = torch_code(Exported.of(study, best))
    shares = ", ".join(f"`{name}` {value_of(value)}" for name, value in best.params.items() if name != "family")
    drawn = [trial for trial in best_by_family(study, tally.trials).values() if trial][:MOST_CURVES]
    figure = winners([curve_of(study, trial) for trial in drawn], measure_of(study))
    body = [
        f"**{escaped(best.params['family'])}**, trial {best.number}, with {value_name(study).replace('_', ' ')} "
        f"{best.value:.4f} ({escaped(attrs['metric']['unit'])}) on the validation rows it was chosen by: {shares}.",
        spent,
        shown("winners.svg", "The best schedule of each of the best families, and what its run found on validation"),
        "The winner in PyTorch, for a run of any length:",
        code(lines, "python"),
    ]
    return Section("The answer", "\n\n".join(body), {"winners.svg": figure})


def value_of(value: object) -> str:
    """A parameter's value, to read."""
    return f"{value:.3g}" if isinstance(value, float) else escaped(str(value))


def families(study: optuna.Study) -> Section:
    """How often each family was tried, and its best."""
    rows = [[f"`{name}`", *counts] for name, *counts in family_rows(study, Tally.of(study).trials)]
    heads = [*FAMILY_HEADS, f"best {value_name(study).replace('_', ' ')}"]
    warning = "A search gives families unequal budgets: this table does not compare them fairly, a benchmark does."
    return Section("The families", f"{table(heads, rows) if rows else 'No trial is finished yet.'}\n\n{warning}")


def peaks(study: optuna.Study) -> Section:
    """What decided: importance, the sensitivity to peak_lr, edges."""
    trials = Tally.of(study).trials
    shares, n = importance(study, trials)
    after = f"after {first_horizon(study)} epochs, the first at which all trials are compared"
    body = [f"Values {after}."]
    if shares:
        body += [shown("importance.svg", f"How much the values of {n} trials depend on each parameter")]
    else:
        body += [
            f"Which parameters mattered is told of {FEWEST_FOR_IMPORTANCE} comparable trials or more; here are {n}."
        ]
    body += [shown("peak_lr.svg", "How the value depends on peak_lr, family by family")]
    spans = peak_spans(study, trials)
    if spans:
        body += [
            "The better half of each family's trials: a narrow span must be tuned, a wide one forgives.",
            table(SPAN_HEADS, [[f"`{name}`", *cells] for name, *cells in span_rows(spans)]),
        ]
    edges = edge_warnings(study, trials)
    body += ["At an end of what was searched:\n\n" + "\n".join(f"- {escaped(line)}" for line in edges)] if edges else []
    figures = {"peak_lr.svg": peak_sensitivity([study])}
    return Section(
        "What decided", "\n\n".join(body), figures | ({"importance.svg": importances(shares, n)} if shares else {})
    )


def audit(studies: Sequence[optuna.Study]) -> Section:
    """How often pruning was wrong, where something was pruned, and that was looked at."""
    title = "Was pruning wrong?"
    if all(study.user_attrs["configuration"]["pruner"] == "none" for study in studies):
        return Section(title, "Nothing was pruned: every trial ran in full, unless it diverged.")
    found = {study.study_name: audit_rows(study, finished_trials(study)) for study in studies}
    rows = [[f"`{name}`", *cells] for own in found.values() for name, *cells in own]
    if not rows:
        return Section(title, "Not looked at: `--audit 0.1` lets a tenth of the pruned trials run on.")
    what = "Trials that would have been pruned but ran to their end, against those that pruning kept (exact interval)."
    return Section(title, f"{what}\n\n{table(AUDIT_HEADS, rows)}")


def course(study: optuna.Study) -> Section:
    """How the search went."""
    figure = search_progress({study.study_name: study})
    what = shown("progress.svg", "The best full run so far against the epochs trained")
    return Section("The course of the search", what, {"progress.svg": figure})


def limits(study: optuna.Study) -> Section:
    """What was not shown."""
    lines = [
        "The winner was chosen on validation rows, so its value there is better than elsewhere; the test rows were not "
        "touched.",
        "One training seed for all trials: what is better by less than seeds differ is not better. "
        "`benchmark.py` trains the best again with fresh seeds and judges on test.",
        "It holds for this data, model, optimizer, batch size and length of a run.",
    ]
    return Section("Limits", "\n".join(f"- {line}" for line in lines))
