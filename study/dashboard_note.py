"""The note of a study in optuna-dashboard: the answer so far, how to read it, and what to type next, as Markdown."""

from __future__ import annotations

import shlex
from statistics import mean

import optuna

from search_spaces import from_params
from study.export import torch_code
from study.insight import edge_warnings
from study.report_section import code, escaped, searched, setting, table
from study.search import Generation
from study.storage import dashboard_command, storage_flag
from study.summary import FAMILY_HEADS, Tally, family_rows, value_name


def note(optuna_study: optuna.Study, storage: str, generation: Generation | None = None) -> str:
    """The note of a study in any state; generation: the one that is on its way, where one is."""
    tally = Tally.of(optuna_study)
    rows = [[f"`{name}`", *counts] for name, *counts in family_rows(optuna_study, tally.trials)]
    heads = [*FAMILY_HEADS, f"best {escaped(value_name(optuna_study))}"]
    parts = [
        f"# {escaped(optuna_study.study_name)}",
        *answer(optuna_study, tally),
        course(optuna_study, tally, generation),
        "## The families",
        table(heads, rows) if rows else "No trial is finished yet.",
        how_to_read(optuna_study),
        *(f"- At an end of what was searched: {escaped(line)}" for line in edge_warnings(optuna_study, tally.trials)),
        "## What to type",
        code("\n".join(commands(optuna_study, storage, tally)), "bash"),
    ]
    return "\n\n".join(parts) + "\n"


def answer(optuna_study: optuna.Study, tally: Tally) -> list[str]:
    """The best trial and its code, and its test where it was confirmed."""
    best, attrs = tally.best, optuna_study.user_attrs
    if best is None:
        return ["**No answer yet**: no trial has run to its end."]
    total_steps = attrs["configuration"]["epochs"] * attrs["steps_per_epoch"]
    found = (
        f"**The answer so far: {escaped(best.params['family'])}**, trial {best.number}, with "
        f"{escaped(value_name(optuna_study))} {best.value:.4f} ({escaped(attrs['metric']['unit'])}). "
        f"In PyTorch, for a run of {total_steps} updates:"
    )
    lines = code(torch_code(from_params(best.params), total_steps, attrs["optimizer_code"]), "python")
    confirmed = attrs.get("confirmed", {})
    if confirmed.get("trial") != best.number:
        return [found, lines]
    judged = f"On test, over {len(confirmed['seeds'])} fresh seeds: {mean(confirmed['test']):.4f} on average."
    return [found, lines, judged]


def course(optuna_study: optuna.Study, tally: Tally, generation: Generation | None) -> str:
    """How far the search is, and of what."""
    now = ""
    if generation is not None and not generation.finished and generation.on_their_way:
        now = (
            f" On their way: {generation.tried} more trials of a generation of {generation.size}, with "
            f"{generation.epochs_trained:.0f} epochs so far; a trial is shown once it has ended."
        )
    return (
        f"{len(tally.trials)} trials, {tally.spent:.0f} epochs trained, {tally.saved:.0%} saved.{now} "
        f"{setting(optuna_study)}; {searched(optuna_study)}."
    )


def how_to_read(optuna_study: optuna.Study) -> str:
    """What the table and the figures say, and what not."""
    epochs = optuna_study.user_attrs["configuration"]["epochs"]
    lines = [
        f"*finished*: trained for all {epochs} epochs; only these are ranked. Each has a picture and its curve as CSV "
        "among its artifacts (Trial List).",
        "*pruned*: left after a shorter run, whose values are no match for those of full runs; *diverged*: the loss "
        "was no longer finite.",
        "A search gives families unequal budgets: it finds the best schedule, and does not compare families. "
        "`scripts/benchmark.py` does.",
        "The winner was chosen on validation rows, so its value there is better than elsewhere.",
        "The figures are below the charts of the first page: lr and learning curves of the best trials, the best of "
        "each family against the epochs trained, and all trials by `peak_lr`.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def commands(optuna_study: optuna.Study, storage: str, tally: Tally) -> list[str]:
    """Go on, report, train the best again, browse."""
    attrs, flag = optuna_study.user_attrs, storage_flag(storage)
    lines = [f"{attrs['sessions'][-1]['command']}  # goes on where it was stopped"]
    lines += [f"python scripts/report.py --study {shlex.quote(attrs['group'])}{flag}"]
    if tally.best:
        name = shlex.quote(optuna_study.study_name)
        lines += [f"python scripts/reproduce.py --study {name} --trial {tally.best.number}{flag}"]
    return [*lines, dashboard_command(storage)]
