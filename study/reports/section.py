"""Section: a part of a report, in Markdown, and the sections and sentences that reports share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from search_spaces.ranges import Choice, Float, Range, is_fixed
from study.analysis.own_schedule import known_length
from study.reports.markdown import code, escaped, table
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


@dataclass(frozen=True)
class Section:
    """A heading and its body, in Markdown. figures: SVG by file name; the body names each of them."""

    title: str
    body: str
    figures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def markdown(self) -> str:
        """As a part of report.md."""
        return f"## {self.title}\n\n{self.body}"


def environment(studies: Sequence[StudyRecord], winner: tuple[StudyRecord, TrialRecord] | None) -> Section:
    """What the studies were made with: machine, versions, commits and commands; winner: the trial to reproduce."""
    sessions = [session for study in studies for session in study.sessions]
    rows = [
        ["device", listed(session.device for session in sessions)],
        ["threads", listed(session.threads for session in sessions)],
        ["engine", ", ".join(dict.fromkeys(str(study.engine) for study in studies))],
        ["platform", listed(session.platform for session in sessions)],
        ["Python", listed(session.python for session in sessions)],
        ["packages", listed(f"{name} {version}" for one in sessions for name, version in one.versions.items())],
        ["commit", listed(session.commit for session in sessions)],
    ]
    commands = dict.fromkeys(without_folders(session.command) for session in sessions)
    body = [table(["", ""], rows), "Made by:", code("\n".join(commands))]
    if winner:
        study, trial = winner
        again = f"python scripts/reproduce.py --study {shlex.quote(study.name)} --trial {trial.number}"
        body += ["Train the winner again, or any other trial:", code(again)]
    return Section("Environment and commands", "\n\n".join(body))


def listed(values: Iterable[object]) -> str:
    """Each value once, in order, as Markdown."""
    return ", ".join(escaped(value) for value in dict.fromkeys(map(str, values)))


def without_folders(command: str) -> str:
    """A command without the folders of absolute paths, which only the machine that it ran on has.

    >>> without_folders("search.py --storage sqlite:////home/me/s.db --dataset '/data/my table.csv' --space a/b.toml")
    "search.py --storage sqlite:///s.db --dataset 'my table.csv' --space a/b.toml"
    """
    return shlex.join(map(without_folder, shlex.split(command)))


def without_folder(argument: str) -> str:
    """The last part of an absolute path, or of one in an SQLite URL or behind a flag; anything else unchanged."""
    return re.sub(r"^(\w+:///|[\w-]*=)?/.*/", r"\1", argument)


def setting(study: StudyRecord) -> str:
    """What was trained, in a sentence."""
    s = study.settings
    seen = s.unit == "epochs" and known_length(study)[1] == "steps"
    steps = f", {study.steps_per_epoch} steps an epoch" if seen else ""
    if s.own_training:
        return escaped(s.own_training) + steps
    found = s.space.get("weight_decay")
    decay = f"{s.weight_decay:g}" if found is None else range_in_words(found) if is_fixed(found) else "searched"
    return (
        f"{escaped(without_folder(s.dataset))}, model {escaped(s.model)}, optimizer {escaped(s.optimizer)} "
        f"(weight decay {decay}), batches of {s.batch_size}{steps}"
    )


def searched(study: StudyRecord) -> str:
    """How it was searched, in a sentence."""
    s = study.settings
    rungs = " and ".join(map(str, s.budgets[:-1]))
    tried = f"tried as complete runs of {rungs} {s.unit if rungs != '1' else s.one}, one in {s.reduction} promoted"
    pruned = tried if rungs else "never pruned"
    if s.pruner not in ("horizon", "none"):
        pruned = f"pruned by Optuna's {s.pruner}"
    known = len(s.enqueued)
    begun = f", the first {known} with given schedules" if known else ""
    return f"sampler {s.sampler}, trials {pruned}{begun}"


def space_section(studies: Sequence[StudyRecord]) -> Section:
    """The search space: every parameter and its range."""
    space: dict[str, Range] = {}
    for study in studies:
        for name, domain in study.settings.space.items():
            space.setdefault(name, domain)
    families = dict.fromkeys(name for study in studies for name in study.settings.families)
    rows = [["`family`", ", ".join(families)]]
    rows += [[f"`{name}`", range_in_words(domain)] for name, domain in space.items() if name != "family"]
    return Section("Search space", table(["parameter", "range"], rows))


def range_in_words(searched: Range) -> str:
    """A range, in words."""
    if isinstance(searched, Choice):
        return ", ".join(escaped(str(option)) for option in searched.options)
    if searched.low == searched.high:
        return f"{searched.low:g}"
    log = isinstance(searched, Float) and searched.log
    return f"{searched.low:g} to {searched.high:g}" + (", log scale" if log else "")
