"""The note of a study in optuna-dashboard, as Markdown: verdict, families, how to read them, commands, code."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from statistics import mean

from search_spaces.export import shown_code
from study.analysis.answer import recommended
from study.analysis.own_schedule import keeps_own_schedule
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.objective import length_in_words
from study.reports.family_table import family_heads, family_rows
from study.reports.markdown import code, escaped, table
from study.reports.measure import confirmed_measure
from study.reports.schedule_origin import exported
from study.reports.section import searched, setting
from study.reports.verdict import verdict_lines
from study.search.bracket import Bracket
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.url import storage_flag

SEARCHING = ("search.py", "benchmark.py")
"""Our scripts that continue a study if they are started again."""


def note(study: StudyRecord, storage: str, bracket: Bracket | None = None) -> str:
    """The note of a study in any state; bracket: the one that is being searched, if any."""
    best = recommended(study)
    coded = None if keeps_own_schedule(study) else best
    rows = [[f"`{name}`", *counts] for name, *counts in family_rows(study)]
    audited = audit_rows(study)
    parts = [
        f"# {escaped(study.name)}",
        verdict(study),
        *under_way(study, bracket),
        "## Families",
        table([escaped(head) for head in family_heads(study)], rows) if rows else "No trial is finished yet.",
        how_to_read(study),
        *([f"How often pruning was wrong (`--audit`):\n\n{table(AUDIT_HEADS, audited)}"] if audited else []),
        f"Setup: {setting(study)}; {searched(study)}.",
        "## Commands",
        code("\n".join(commands(study, best, storage)), "bash"),
        *(["## The schedule in PyTorch", code(shown_code(exported(study, coded)), "python")] if coded else []),
    ]
    return "\n\n".join(parts) + "\n"


def verdict(study: StudyRecord) -> str:
    """The verdict line by line, its first line in bold, and the test of a winner that was confirmed."""
    first, *others = map(escaped, verdict_lines(study))
    confirmed, best = study.confirmed, study.best
    if confirmed and best and confirmed.trial == best.number:
        found = confirmed_measure(study).text(mean(confirmed.test))
        others.insert(0, f"On test, over {len(confirmed.seeds)} fresh seeds: {found} on average.")
    return "\n\n".join([f"**{first}**", *(["\n".join(f"- {line}" for line in others)] if others else [])])


def under_way(study: StudyRecord, bracket: Bracket | None) -> list[str]:
    """What is being trained, if anything is."""
    if bracket is None or bracket.finished or not bracket.on_their_way:
        return []
    return [
        f"In progress: {bracket.tried} of the {bracket.size} trials of this bracket have started, "
        f"{bracket.epochs_trained:.0f} {study.settings.unit} so far. A trial appears here once it has ended."
    ]


def how_to_read(study: StudyRecord) -> str:
    """What the tables and the plots say, and what they do not."""
    full, first = (length_in_words(n, study.settings.unit) for n in (study.settings.epochs, study.first_budget))
    shown = (
        "`python scripts/dashboard.py` shows a trial's value only if it is that of a full run, so *History* and "
        "*Analytics* compare full runs"
    )
    if study.first_budget < study.settings.epochs:
        shown += (
            f"; choose *{escaped(study.value_name)} after {first}* as their objective to see all trials. "
            f"*Hyperparameter Importance* compares the runs of {first}"
        )
    failed = ", or the run failed (*outcome* says why)" if any(trial.failure for trial in study.trials) else ""
    lines = [
        f"*full runs*: trained for {full}; only these are ranked. Each has a picture and its curve as CSV among its "
        "artifacts (Trials).",
        f"*pruned*: stopped after a short run; not comparable with full runs. *diverged*: the loss blew up{failed}.",
        "*asked*, an attribute of each trial, is the order in which the trials were suggested; Optuna numbers them in "
        "the order in which they end.",
        f"{shown}. The plain `optuna-dashboard` command mixes runs of different lengths.",
        "The search gives families unequal budgets: it finds the best schedule, and does not compare families. "
        "`scripts/benchmark.py` does.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def commands(study: StudyRecord, best: TrialRecord | None, storage: str) -> list[str]:
    """Commands to type in the folder of the search: continue, report, reproduce and export the best, browse."""
    flag, name = f" {relative_paths(storage_flag(storage))}".rstrip(), shlex.quote(study.name)
    lines = continuing(study.sessions[-1].command)
    lines += [f"python scripts/report.py --study {shlex.quote(study.group)}{flag}"]
    if best:
        lines += [f"python scripts/reproduce.py --study {name} --trial {best.number}{flag}"]
    if best and not keeps_own_schedule(study):
        lines += [f"python scripts/export.py --study {name}{flag}"]
    return [*lines, f"python scripts/dashboard.py{flag}"]


def continuing(command: str) -> list[str]:
    """The command line that continues the search; none if a notebook or a program of the user's started it."""
    python, script, *arguments = shlex.split(command)
    name = Path(script).name
    if name not in SEARCHING:
        return []
    return [f"{relative_paths(shlex.join([python, f'scripts/{name}', *arguments]))}  # continues the search"]


def relative_paths(command: str) -> str:
    """A command whose files are named from the present directory: a note is no place for absolute paths.

    >>> relative_paths(f"search.py --space {Path.cwd()}/a.toml --storage sqlite:///{Path.cwd()}/b.db")
    'search.py --space a.toml --storage sqlite:///b.db'

    What --command is given stays as it is, or the study could not be continued with it.
    """
    words = shlex.split(command)
    own = {number for number, word in enumerate(words) if "--command" in (word.partition("=")[0], words[number - 1])}
    return shlex.join(word if number in own else relative_path(word) for number, word in enumerate(words))


def relative_path(word: str) -> str:
    """A word of a command, which may be a path, a URL with one, or a flag with one behind `=`."""
    found = re.fullmatch(r"(|sqlite:///|--[\w-]+=|--[\w-]+=sqlite:///)(/.*)", word)
    return found[1] + os.path.relpath(found[2]) if found else word
