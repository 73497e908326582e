"""Section: a part of a report, in Markdown, and the pieces that reports share."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from study.reports.markdown import code, escaped, table
from study.storage.records import enqueued


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it. figures: by file name, SVG; each is shown where the body names it."""

    title: str
    body: str
    figures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def markdown(self) -> str:
        """As a part of report.md."""
        return f"## {self.title}\n\n{self.body}"


def environment(studies: Sequence[optuna.Study], winner: tuple[optuna.Study, FrozenTrial] | None) -> Section:
    """What the studies were made with: machine, versions, commits, and the commands; winner: the trial to reproduce."""
    sessions = [session for study in studies for session in study.user_attrs["sessions"]]

    def every(name: str) -> str:
        return ", ".join(dict.fromkeys(escaped(str(session[name])) for session in sessions))

    versions = {f"{name} {version}": None for session in sessions for name, version in session["versions"].items()}
    engines = {engine_of(study): None for study in studies}
    rows = [
        ["device", every("device")],
        ["threads", every("threads")],
        ["engine", ", ".join(engines)],
        ["platform", every("platform")],
        ["Python", every("python")],
        ["packages", escaped(", ".join(versions))],
        ["commit", every("commit")],
    ]
    commands = dict.fromkeys(session["command"] for session in sessions)
    body = [table(["", ""], rows), "Made by", code("\n".join(commands))]
    if winner:
        study, trial = winner
        again = f"python scripts/reproduce.py --study {shlex.quote(study.study_name)} --trial {trial.number}"
        body += ["The winner, as any other trial, is trained again by", code(again)]
    return Section("Environment and commands", "\n\n".join(body))


def engine_of(study: optuna.Study) -> str:
    """How the study's runs were trained."""
    stored = study.user_attrs.get("engine", {"cohort": 1, "workers": 0})
    cohort, workers = stored["cohort"], stored["workers"]
    how = "loop" if cohort == 1 else f"lockstep of {cohort}"
    return how + (f" in {workers} worker{'s' * (workers > 1)}" if workers else "")


def setting(study: optuna.Study) -> str:
    """What was trained, in a sentence."""
    attrs = study.user_attrs
    c: dict[str, Any] = attrs["configuration"]
    return (
        f"{escaped(c['dataset'])}, model {escaped(c['model'])}, optimizer {escaped(c['optimizer'])} "
        f"(weight decay {c['weight_decay']:g}), batches of {c['batch_size']}, "
        f"{attrs['steps_per_epoch']} updates an epoch"
    )


def searched(study: optuna.Study) -> str:
    """How it was searched, in a sentence."""
    c: dict[str, Any] = study.user_attrs["configuration"]
    rungs = " and ".join(map(str, c["horizons"][:-1]))
    pruned = f"tried as complete runs of {rungs} epochs, one in {c['reduction']} going on" if rungs else "never pruned"
    if c["pruner"] not in ("horizon", "none"):
        pruned = f"pruned by Optuna's {c['pruner']}"
    known = len(enqueued(study))
    begun = f", the first {known} of them schedules that it was given" if known else ""
    return f"sampler {c['sampler']}, trials {pruned}{begun}"


def space_section(studies: Sequence[optuna.Study]) -> Section:
    """The search space: every parameter and its range."""
    space: dict[str, Any] = {}
    for study in studies:
        for name, domain in study.user_attrs["configuration"]["space"].items():
            space.setdefault(name, domain)
    families = dict.fromkeys(name for s in studies for name in s.user_attrs["configuration"]["families"])
    rows = [["`family`", ", ".join(families)]]
    rows += [[f"`{name}`", range_of(domain)] for name, domain in space.items() if name != "family"]
    return Section("The search space", table(["parameter", "range"], rows))


def range_of(domain: Mapping[str, Any]) -> str:
    """A stored distribution, in words."""
    a = domain["attributes"]
    if "choices" in a:
        return ", ".join(escaped(str(choice)) for choice in a["choices"])
    if a["low"] == a["high"]:
        return f"{a['low']:g}"
    return f"{a['low']:g} to {a['high']:g}" + (", log scale" if a.get("log") else "")
