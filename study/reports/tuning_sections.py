"""The report of a benchmark, continued: what its searches say of tuning, of peak_lr, and of their own luck."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from study.analysis.edges import edge_warnings
from study.analysis.family_results import family_of
from study.analysis.importance import importance
from study.analysis.ranking import variance_split
from study.analysis.statistics import best_of_k
from study.reports.figures import tuning_curves
from study.reports.markdown import escaped, image, table
from study.reports.section import Section
from study.reports.study_figures import measure_of, peak_sensitivity
from study.storage.study_record import StudyRecord


def tuning_section(budgets: dict[int, list[StudyRecord]]) -> Section:
    """What the best of k trials is worth, at each budget."""
    body = ["What the best of k full runs is worth on validation, k of those that ran to their end drawn at random."]
    figures = {}
    for epochs, studies in budgets.items():
        values = {}
        for study in studies:
            if own := [trial.value for trial in study.complete]:
                values[family_of(study)] = best_of_k(own, study.metric.sign)
        name = f"tuning-{epochs}.svg"
        figures[name] = tuning_curves(values, measure_of(studies[0]))
        body += [image(name, f"Expected best validation value against the number of full runs, {epochs} epochs")]
    return Section("How much tuning pays", "\n\n".join(body), figures)


def peak_lr_section(budgets: dict[int, list[StudyRecord]]) -> Section:
    """The sensitivity to peak_lr, how much it decides in each family, and edges."""
    body, figures, rows = [], {}, []
    for epochs, studies in budgets.items():
        name = f"peak_lr-{epochs}.svg"
        figures[name] = peak_sensitivity(studies)
        body += [image(name, f"How the value depends on peak_lr, family by family, {epochs} epochs")]
        for study in studies:
            shares, n = importance(study)
            decided = [f"{shares[name]:.0%}" if name in shares else "-" for name in ("peak_lr", "warmup_fraction")]
            rows += [[f"`{family_of(study)}`", str(epochs), str(n), *decided]] if shares else []
    if rows:
        body += [
            "How the values of a family's trials are shared out among the two parameters that families have in common:",
            table(["family", "epochs", "trials", "peak_lr", "warmup\\_fraction"], rows),
        ]
    lines = [
        f"- `{family_of(study)}`, {epochs} epochs: {escaped(line)}"
        for epochs, studies in budgets.items()
        for study in studies
        for line in edge_warnings(study)
    ]
    body += ["At an end of what was searched:", "\n".join(lines)] if lines else []
    return Section("Sensitivity to peak_lr", "\n\n".join(body), figures)


def variance_section(studies: Sequence[StudyRecord]) -> Section:
    """How much of a result is the luck of the search, how much that of the training seed."""
    repeats: dict[tuple[int, str], list[Sequence[float]]] = {}
    for study in studies:
        if study.confirmed:
            repeats.setdefault((study.settings.epochs, family_of(study)), []).append(study.confirmed.test)
    rows = []
    for (epochs, family), values in repeats.items():
        lengths = {len(row) for row in values}
        if len(values) > 1 and len(lengths) == 1 and min(lengths) > 1:
            search_sd, seed_sd = variance_split(values)
            means = ", ".join(f"{mean(row):.4f}" for row in values)
            rows.append([f"`{family}`", str(epochs), str(len(values)), f"{search_sd:.4f}", f"{seed_sd:.4f}", means])
    if not rows:
        return Section("Luck", "Not split: `--search-seeds 5` repeats every search, to tell its luck from the seeds'.")
    heads = ["family", "epochs", "searches", "sd of the search", "sd of a seed", "means of the searches"]
    return Section(
        "Luck", "Each search repeated, its winner judged over fresh seeds of its own.\n\n" + table(heads, rows)
    )
