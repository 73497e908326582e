"""The report of a benchmark, continued: what its searches say of tuning, of peak_lr, and of search variance."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from study.analysis.edges import edge_warnings
from study.analysis.family_results import family_of
from study.analysis.importance import importance
from study.analysis.ranking import variance_split
from study.analysis.statistics import best_of_k
from study.objective import length_in_words
from study.reports.figures import tuning_curves
from study.reports.markdown import bullets, escaped, image, table
from study.reports.measure import confirmed_measure, validation_measure
from study.reports.section import Section
from study.reports.study_figures import peak_sensitivity, peaks_of
from study.reports.svg import FEWEST_DOTS
from study.storage.study_record import StudyRecord


def tuning_section(budgets: dict[int, list[StudyRecord]]) -> Section | None:
    """The expected best of k trials, at each budget; nothing if no family has enough full runs."""
    body, figures = [], {}
    for epochs, studies in budgets.items():
        full_runs = {family_of(study): [trial.value for trial in study.complete] for study in studies}
        sign = studies[0].metric.sign
        values = {family: best_of_k(own, sign) for family, own in full_runs.items() if len(own) >= FEWEST_DOTS}
        if values:
            name = f"tuning-{epochs}.svg"
            figures[name] = tuning_curves(values, validation_measure(studies[0]))
            length = length_in_words(epochs, studies[0].settings.unit)
            body += [image(name, f"Expected best validation value against the number of full runs, {length}")]
    what = "The best validation value to expect of k full runs, drawn at random from those of the family."
    return Section("Tuning curves", "\n\n".join([what, *body]), figures) if body else None


def sensitivity_by_budget(budgets: dict[int, list[StudyRecord]]) -> Section | None:
    """How the value depends on peak_lr, its importance in each family, and edges."""
    body, figures, rows = [], {}, []
    unit = next(iter(budgets.values()))[0].settings.unit
    for epochs, studies in budgets.items():
        name = f"peak_lr-{epochs}.svg"
        if peaks_of(studies):
            figures[name] = peak_sensitivity(studies)
            length = length_in_words(epochs, unit)
            body += [image(name, f"The value against peak_lr, by family, {length}")]
        for study in studies:
            shares, n = importance(study)
            found = [
                f"{100 * shares[name]:.0f} %" if name in shares else "-" for name in ("peak_lr", "warmup_fraction")
            ]
            rows += [[f"`{family_of(study)}`", str(epochs), str(n), *found]] if shares else []
    if rows:
        body += [
            "The importance of the two parameters that families have in common, within each family:",
            table(["family", unit, "trials", "peak_lr", "warmup\\_fraction"], rows),
        ]
    lines = [
        f"`{family_of(study)}`, {length_in_words(epochs, unit)}: {escaped(line)}"
        for epochs, studies in budgets.items()
        for study in studies
        for line in edge_warnings(study)
    ]
    body += ["At the edge of the search range:", bullets(lines)] if lines else []
    return Section("Sensitivity to peak_lr", "\n\n".join(body), figures) if body else None


def variance_section(studies: Sequence[StudyRecord]) -> Section:
    """How much of a result's variation comes from the search, and how much from the training seed."""
    repeats: dict[tuple[int, str], list[Sequence[float]]] = {}
    for study in studies:
        if study.confirmed:
            repeats.setdefault((study.settings.epochs, family_of(study)), []).append(study.confirmed.test)
    measure, rows = confirmed_measure(studies[0]), []
    for (epochs, family), values in repeats.items():
        lengths = {len(row) for row in values}
        if len(values) > 1 and len(lengths) == 1 and min(lengths) > 1:
            deviations = map(measure.number, variance_split(values))
            means = ", ".join(measure.number(mean(row)) for row in values)
            rows.append([f"`{family}`", str(epochs), str(len(values)), *deviations, means])
    if not rows:
        missing = "Not available: run with `--search-seeds 5` to separate search variance from seed variance."
        return Section("Search variance", missing)
    heads = [
        "family",
        studies[0].settings.unit,
        "searches",
        "sd between searches",
        "sd between seeds",
        "means of the searches",
    ]
    what = (
        "Each search was repeated and its winner confirmed over fresh seeds of its own; the values are "
        f"{escaped(measure.axis)}, the standard deviations in the same unit."
    )
    return Section("Search variance", f"{what}\n\n{table(heads, rows)}")
