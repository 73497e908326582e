"""The report of a benchmark, continued: what its searches say of tuning, of peak_lr, and of their own luck."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import optuna
from optuna.trial import TrialState

from study.analysis.family_results import epochs_of, family_of
from study.analysis.importance import edge_warnings, importance
from study.analysis.ranking import variance_split
from study.analysis.statistics import best_of_k
from study.reports.figures import tuning_curves
from study.reports.markdown import escaped, shown, table
from study.reports.section import Section
from study.reports.study_figures import measure_of, peak_sensitivity
from study.storage.records import better_first, finished_trials


def tuning(budgets: dict[int, list[optuna.Study]]) -> Section:
    """What the best of k trials is worth, at each budget."""
    body = ["What the best of k full runs is worth on validation, k of those that ran to their end drawn at random."]
    figures = {}
    for epochs, studies in budgets.items():
        values = {}
        for study in studies:
            own = [t.value for t in finished_trials(study) if t.state == TrialState.COMPLETE and t.value is not None]
            if own:
                values[family_of(study)] = best_of_k(own, better_first(study))
        name = f"tuning-{epochs}.svg"
        figures[name] = tuning_curves(values, measure_of(studies[0]))
        body += [shown(name, f"Expected best validation value against the number of full runs, {epochs} epochs")]
    return Section("How much tuning pays", "\n\n".join(body), figures)


def peaks(budgets: dict[int, list[optuna.Study]]) -> Section:
    """The sensitivity to peak_lr, how much it decides in each family, and edges."""
    body, figures, rows = [], {}, []
    for epochs, studies in budgets.items():
        name = f"peak_lr-{epochs}.svg"
        figures[name] = peak_sensitivity(studies)
        body += [shown(name, f"How the value depends on peak_lr, family by family, {epochs} epochs")]
        for study in studies:
            shares, n = importance(study, finished_trials(study))
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
        for line in edge_warnings(study, finished_trials(study))
    ]
    body += ["At an end of what was searched:", "\n".join(lines)] if lines else []
    return Section("Sensitivity to peak_lr", "\n\n".join(body), figures)


def luck(studies: Sequence[optuna.Study]) -> Section:
    """How much of a result is the luck of the search, how much that of the training seed."""
    repeats: dict[tuple[int, str], list[list[float]]] = {}
    for study in studies:
        if "confirmed" in study.user_attrs:
            key = epochs_of(study), family_of(study)
            repeats.setdefault(key, []).append(study.user_attrs["confirmed"]["test"])
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
