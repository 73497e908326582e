"""What a stored trial costs, and opening a study, in SQLite and on a PostgreSQL server of this machine, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import Any

import optuna
import torch
from optuna.trial import FrozenTrial

from study.evidence.speed.asking import made_up_trials
from study.objective import Objective
from study.reports.markdown import table
from study.search.configuration import Configuration
from study.storage.provenance import provenance
from study.storage.quiet import quiet_optuna
from study.storage.studies import open_study, stored_attributes

STORED = 20
"""Trials that are stored in each round."""
STUDY = "measured"


@dataclass(frozen=True)
class Measurement:
    """One round. trials: in the study before it. storing: seconds per stored trial. opening: seconds."""

    storage: str
    trials: int
    storing: float
    opening: float


def measure_storages(
    objective: Objective,
    attributes: Mapping[str, Any],
    storages: Mapping[str, str],
    sizes: Sequence[int],
    rounds: int,
    announce: Callable[[str], None] = lambda line: None,
) -> Iterator[Measurement]:
    """Fill one study in each storage, and measure at each size, the storages in turns within each round.

    attributes: of the study, besides its configuration. storages: the URL of each, by its name. sizes: numbers of
    trials, ascending; the study has a few more after each.
    """
    held, configuration = dict.fromkeys(storages, 0), Configuration().record(objective)
    with quiet_optuna():
        made_up = made_up_trials(objective, Configuration(), max(sizes) + len(sizes) * rounds * STORED)
        left = {name: iter(made_up) for name in storages}
        for size in sizes:
            for name, url in storages.items():
                announce(f"{name}: filling a study up to {size:,} trials")
                with opened_study(url, configuration, attributes, provenance(torch.device("cpu"))) as optuna_study:
                    while held[name] < size:
                        optuna_study.add_trial(next(left[name]))
                        held[name] += 1
            for _ in range(rounds):
                for name, url in storages.items():
                    rows = [next(left[name]) for _ in range(STORED)]
                    storing, opening = one_round(url, configuration, attributes, rows)
                    yield Measurement(name, size, storing, opening)
                    held[name] += STORED


def opened_study(
    url: str, configuration: Mapping[str, Any], attributes: Mapping[str, Any], session: Mapping[str, Any]
) -> AbstractContextManager[optuna.Study]:
    """The study, as its owner opens it: a context."""
    return open_study(url, STUDY, dict(configuration), dict(attributes), dict(session))


def one_round(
    url: str, configuration: Mapping[str, Any], attributes: Mapping[str, Any], rows: Sequence[FrozenTrial]
) -> tuple[float, float]:
    """(seconds per stored trial, seconds to open the study with its trials, as a search does that is resumed)."""
    session = provenance(torch.device("cpu"))
    began = time.perf_counter()
    stored_attributes(url, STUDY)
    with opened_study(url, configuration, attributes, session) as optuna_study:
        optuna_study.get_trials(deepcopy=False)
        opened = time.perf_counter()
        for row in rows:
            optuna_study.add_trial(row)
        return (time.perf_counter() - opened) / len(rows), opened - began


def page_of_storages(measured: Sequence[Measurement], load: tuple[float, float], server: str) -> str:
    """Markdown. load: of the machine, when it began and when it ended. server: its version."""
    names = list(dict.fromkeys(one.storage for one in measured))
    sizes = list(dict.fromkeys(one.trials for one in measured))
    rounds = len(measured) // len(names) // len(sizes)
    heads = ["trials in the study", *(f"ms per stored trial, {name}" for name in names)]
    heads += [f"seconds to open, {name}" for name in names]
    lines = []
    for size in sizes:
        own = [[one for one in measured if (one.storage, one.trials) == (name, size)] for name in names]
        stored = [spread([1000 * one.storing for one in group], 1) for group in own]
        opened = [spread([one.opening for one in group], 2) for group in own]
        lines.append([f"{size:,}", *stored, *opened])
    about = (
        f"Median [minimum, maximum] of {rounds} rounds, in each of which every storage had its turn. *Stored*: "
        f"{STORED} trials, each in one transaction. *Open*: what a search does before it trains, with the trials read; "
        f"without imports and data. SQLite and {server} were on the same disk, and wrote each transaction to it; "
        f"there was no network between. Load of the machine: {load[0]:.1f} at the beginning, {load[1]:.1f} at the end."
    )
    return f"{about}\n\n{table(heads, lines)}\n"


def spread(values: Sequence[float], digits: int) -> str:
    """Median, minimum and maximum.

    >>> spread([3.0, 1.0, 2.0], 1)
    '2.0 [1.0, 3.0]'
    """
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"
