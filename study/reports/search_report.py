"""The report of one search: its verdict, what that rests on, and what was not shown."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.export import shown_code
from study.analysis.answer import Answer, recommended
from study.analysis.edges import edge_warnings
from study.analysis.importance import importance
from study.analysis.own_schedule import keeps_own_schedule
from study.analysis.peak_lr import SPAN_HEADS, peak_spans, span_rows
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.analysis.worth import last_improvement
from study.objective import length_in_words
from study.reports.answer import best_against_reference
from study.reports.decay_interaction_section import interaction_section
from study.reports.failed_runs import why_it_failed
from study.reports.family_table import family_heads, family_rows
from study.reports.figures import importances
from study.reports.markdown import bullets, code, escaped, image, table
from study.reports.run_lengths import drift_in_words
from study.reports.schedule_origin import exported
from study.reports.schedule_words import family_of_study
from study.reports.section import Section, environment, searched, setting, space_section
from study.reports.study_figures import peak_sensitivity, peaks_of, search_progress
from study.reports.svg import FEWEST_DOTS
from study.reports.verdict import verdict_lines
from study.reports.winner_figure import winner_figure
from study.storage.checks import enumerated
from study.storage.study_record import StudyRecord


def search_sections(study: StudyRecord) -> list[Section]:
    """The parts that this study has something to say in, in order; for a study in any state."""
    sections = [
        verdict_section(study),
        worth_section(study),
        search_limits(study),
        code_section(study),
        families_section(study),
        failures_section(study),
        importance_section(study),
        sensitivity_section(study),
        interaction_section(study),
        audit_section([study]),
        progress_section(study),
        space_section([study]),
        environment([study], (study, study.best) if study.best else None),
    ]
    return [section for section in sections if section]


def verdict_section(study: StudyRecord) -> Section:
    """The verdict, what was searched, and the winner's picture, unless a script kept its own schedule."""
    first, *others = map(escaped, verdict_lines(study))
    full = length_in_words(study.settings.epochs, study.settings.unit)
    what = f"{setting(study)}; full runs of {full}; {searched(study)}."
    if study.unfinished:
        what += f" In progress: {study.unfinished} further trials had started when this report was written."
    body = [f"**{first}**", *([bullets(others)] if others else []), what]
    if keeps_own_schedule(study) or not recommended(study):
        return Section("Verdict", "\n\n".join(body))
    caption = "The winner's learning rate, beside the best of the next families and the control"
    body.insert(2, image("winner.svg", caption))
    return Section("Verdict", "\n\n".join(body), {"winner.svg": winner_figure(study)})


def worth_section(study: StudyRecord) -> Section | None:
    """Whether the schedule matters here, by numbers of the study itself; nothing if there are too few trials."""
    shares, n = importance(study)
    improved = last_improvement(study)
    if not shares or improved is None:
        return None
    answer, first = Answer.of(study), length_in_words(study.first_budget, study.settings.unit)
    lines = [
        *([compared] if answer and (compared := best_against_reference(study, answer)) else []),
        f"Of the variance among {n} runs of {first}, `peak_lr` accounts for "
        f"{100 * shares['peak_lr']:.0f} % and the family for {100 * shares['family']:.0f} %.",
        f"The best value after {first} last improved with trial {improved.trial}, when the search had cost "
        f"{improved.full_runs:.2g} full runs; the last run of that length ended at {improved.of:.2g}.",
    ]
    return Section("Does the schedule matter here?", bullets(lines))


def search_limits(study: StudyRecord) -> Section:
    """What the search does not show."""
    unconfirmed = (
        "The winner was chosen by its validation value, so expect a slightly worse one. The test rows were not used."
    )
    confirmed = (
        "The answer is a mean over fresh training seeds, on one split of the data. Only the peak of the reference was "
        "tuned. The values of the search itself are optimistic, because trials were chosen by them."
    )
    lines = [
        confirmed if Answer.of(study) else unconfirmed,
        "All trials share one training seed: differences smaller than the seed-to-seed variation are not meaningful. "
        "`benchmark.py` retrains the best schedule of each family with fresh seeds and evaluates it on test.",
        "A run and a shorter run are not comparable, and a pruned trial might have won: `--audit 0.1` measures how "
        "often.",
        f"The verdict holds for this data, model, optimizer, batch size and number of {study.settings.unit}.",
    ]
    lines += [
        f"From trial {one.trials} on, something else was trained: {escaped(enumerated(one.changes))} had changed."
        for one in study.accepted
        if one.trials
    ]
    return Section("Limits", bullets(lines))


def code_section(study: StudyRecord) -> Section | None:
    """The code that builds the schedule to use; none if a script kept its own."""
    chosen = None if keeps_own_schedule(study) else recommended(study)
    return Section("The schedule in PyTorch", code(shown_code(exported(study, chosen)), "python")) if chosen else None


def families_section(study: StudyRecord) -> Section | None:
    """How often each family was tried, and how far its best trial came."""
    if not study.trials:
        return None
    heads = [escaped(head) for head in family_heads(study)]
    rows = [[f"`{family}`", *cells] for family, *cells in family_rows(study)]
    note = "A search gives families unequal budgets, so this table does not compare them fairly; a benchmark does."
    return Section("Families", f"{table(heads, rows)}\n\n{note}")


def failures_section(study: StudyRecord) -> Section | None:
    """The trials whose training failed, and why; nothing if none did."""
    failed = [(trial, why_it_failed(trial.failure)) for trial in study.trials if trial.failure]
    rows = [[str(trial.number), f"`{trial.family}`", f"{trial.peak_lr:.3g}", escaped(why)] for trial, why in failed]
    what = "The training of these trials failed; they count as diverged."
    return Section("Failed runs", f"{what}\n\n{table(['trial', 'family', 'peak_lr', 'why'], rows)}") if rows else None


def compared_at(study: StudyRecord) -> str:
    """At which length of a run trials are compared."""
    pruned_before = study.settings.pruner not in ("horizon", "none")
    which = "Pruned trials did not get that far." if pruned_before else "All trials are compared at this length."
    return f"Values after {length_in_words(study.first_budget, study.settings.unit)}. {which}"


def importance_section(study: StudyRecord) -> Section | None:
    """How much the values depend on each parameter; nothing if there are too few trials."""
    shares, n = importance(study)
    if not shares:
        return None
    body = [compared_at(study), image("importance.svg", f"How much the values of {n} trials depend on each parameter")]
    figure = importances(shares, n, f"{study.first_budget}-{study.settings.one}")
    return Section("Parameter importance", "\n\n".join(body), {"importance.svg": figure})


def sensitivity_section(study: StudyRecord) -> Section | None:
    """How the value depends on peak_lr, how finely it must be tuned, and edges of the search space."""
    body, figures = [], {}
    if peaks_of([study]):
        figures["peak_lr.svg"] = peak_sensitivity([study])
        body += [compared_at(study), image("peak_lr.svg", "The value against peak_lr, by family")]
    if spans := peak_spans(study):
        body += [
            "The peak_lr of the better half of each family's trials. A narrow range needs careful tuning, a wide one "
            "is forgiving.",
            table(SPAN_HEADS, [[f"`{family_of_study(study, name)}`", *cells] for name, *cells in span_rows(spans)]),
        ]
    if drift := drift_in_words(study):
        body += [f"How the best peak moved with the length of the run: {escaped(drift)}."]
    if edges := edge_warnings(study):
        body += ["At the edge of the search range:", bullets(map(escaped, edges))]
    return Section("Sensitivity to peak_lr", "\n\n".join(body), figures) if body else None


def audit_section(studies: Sequence[StudyRecord]) -> Section | None:
    """How often pruning was wrong; nothing if that was not audited."""
    rows = [[f"`{name}`", *cells] for study in studies for name, *cells in audit_rows(study)]
    if not rows:
        return None
    what = "Trials that pruning would have ended but that ran in full, against those it kept (exact interval)."
    return Section("Pruning audit", f"{what}\n\n{table(AUDIT_HEADS, rows)}")


def progress_section(study: StudyRecord) -> Section | None:
    """How the search went; nothing if there are too few full runs."""
    if len(study.complete) < FEWEST_DOTS:
        return None
    what = image("progress.svg", f"The best full run so far against the {study.settings.unit} trained")
    return Section("Progress", what, {"progress.svg": search_progress(study)})
