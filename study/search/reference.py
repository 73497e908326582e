"""The reference: the schedule that a sensible person would use, which every search tunes beside what it finds.

Only its peak is tuned, among the start-up trials: first a few peaks, evenly in log over the searched range, then those
halfway between the best of these and its neighbours; its weight decay is the optimizer's own. The rungs promote the
best of them whatever the other trials do, so one of them runs in full.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces import EVERY_FAMILY, domains_of
from search_spaces.errors import InputError, require, unknown
from search_spaces.ranges import Choice, Domain, Either, Float
from search_spaces.schedule import Schedule
from search_spaces.schedule_file import Given, read_file
from study.objective import Objective
from study.search.configuration import Configuration

USUAL = "cosine"
"""The reference of a new study, unless another one is named: a cosine to 0."""
NO_REFERENCE = "none"
WARMUP = 0.05
"""Fraction of the run in which a reference named by its family warms up, unless it starts with a rise of its own."""
PEAKS = 6
"""Peaks that are tried first, if the range of `peak_lr` has room for more than one."""


@dataclass(frozen=True)
class Reference:
    """What is tried of it.

    name: as given: a family or a file. searched: whether it lies within the search space; only then does the sampler
    learn from its trials. params: of the first trials, in the order in which they are tried. refines: whether peaks
    between these may be tried too; not if the peak is a choice.
    """

    name: str
    searched: bool
    params: tuple[Mapping[str, Any], ...]
    refines: bool = True

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Reference | None:
        """From the stored configuration of a study."""
        if not stored:
            return None
        return cls(stored["name"], stored["searched"], tuple(stored["params"]), stored.get("refines", True))

    @property
    def record(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"params": [dict(params) for params in self.params]}


@dataclass(frozen=True)
class PlannedTrial:
    """A trial whose parameters are given. outside: whether they lie outside the search space."""

    params: Mapping[str, Any]
    is_reference: bool = False
    outside: bool = False


def planned_batch(
    places: Iterable[int],
    known: Sequence[Mapping[str, Any]],
    reference: Reference | None,
    tried: Sequence[tuple[Mapping[str, Any], float]],
) -> list[PlannedTrial | None]:
    """The planned trial for each place of a batch among all trials of the study; None if the sampler is to suggest it.

    known: tried first. Two in three of the next trials are the first ones of the reference, so that a search of very
    few trials tries something else too. tried: parameters and value of the reference's trials before this
    batch, lower is better; if they hold all first ones, this batch begins with those that refine the peak.
    """
    planned = {place: PlannedTrial(params) for place, params in enumerate(known)}
    if reference is None:
        return [planned.get(place) for place in places]

    def own(params: Mapping[str, Any]) -> PlannedTrial:
        return PlannedTrial(params, is_reference=True, outside=not reference.searched)

    planned |= {len(known) + (3 * number + 2) // 2: own(one) for number, one in enumerate(reference.params)}
    first, again = tried[: len(reference.params)], tried[len(reference.params) :]
    may_refine = reference.refines and len(first) == len(reference.params)
    refining = refined(first)[len(again) :] if may_refine else []
    left = iter(refining)
    return [planned.get(place) or next(map(own, left), None) for place in places]


def refined(tried: Sequence[tuple[Mapping[str, Any], float]]) -> list[Mapping[str, Any]]:
    """Parameters with the peaks halfway, in log, between the best one and its neighbours. tried: see planned_batch.

    >>> refined([({"peak_lr": 0.01}, 0.5), ({"peak_lr": 1.0}, 0.3), ({"peak_lr": 100.0}, 0.9)])
    [{'peak_lr': 0.1}, {'peak_lr': 10.0}]
    """
    ordered = sorted(tried, key=lambda one: float(one[0]["peak_lr"]))
    values = [value for _, value in ordered]
    best = values.index(min(values))
    beside = [ordered[index][0] for index in (best - 1, best + 1) if 0 <= index < len(ordered)]
    params = ordered[best][0]
    return [{**params, "peak_lr": math.sqrt(params["peak_lr"] * other["peak_lr"])} for other in beside]


def make_reference(name: str, configuration: Configuration, objective: Objective) -> Reference:
    """The reference of this name, with the peaks to try; a study in which it is trained has this configuration.

    Raises InputError if the name is neither a family nor a file with one schedule, or that schedule cannot be trained.
    """
    schedule = read_reference(name)
    if obstacle := objective.schedule_obstacle(schedule):
        raise InputError(f"{objective.name} cannot be trained with --reference {name}: {obstacle}")
    objective.check([schedule])
    schedule.split(objective.steps(configuration.budgets(objective.steps(1))[0]))
    peak_range = configuration.space_file.ranges.get("peak_lr", Float(*objective.peak_lr, log=True))
    besides = configuration.besides(objective)
    weight_decay = objective.weight_decay.own if besides else None
    suggest_here = partial(configuration.suggest, peak_lr=objective.peak_lr, besides=besides)
    tried = [replace(schedule, peak_lr=peak_lr) for peak_lr in peaks(peak_range)]
    within = [params for one in tried if (params := params_within(one, suggest_here, weight_decay))]
    searched = len(within) == len(tried)
    refines = isinstance(peak_range, Float) and len(tried) > 1
    outside = [params_of(one, weight_decay) for one in tried]
    return Reference(name, searched, tuple(within if searched else outside), refines)


def read_reference(name: str) -> Schedule:
    """The schedule of a family's name, with its usual parameters and warm-up, or of a JSON file."""
    if name in EVERY_FAMILY:
        family = EVERY_FAMILY[name]
        return family(peak_lr=1.0) if family.has_own_warmup else family(peak_lr=1.0, warmup_fraction=WARMUP)
    if Path(name).suffix != ".json":
        raise unknown("reference", name, [*EVERY_FAMILY, NO_REFERENCE, "FILE.json"])
    found = list(read_file(name, "--reference takes a family or a JSON file"))
    require(len(found) == 1, f"--reference {name} must contain one schedule", len(found))
    [(where, written)] = found
    try:
        given = Given.of(written)
        if given.weight_decay is not None:
            raise InputError(
                "a reference has the optimizer's own weight decay: remove weight_decay, or set it by --weight-decay"
            )
        family = EVERY_FAMILY[given.family]
        names = {*family.shared_space(), *family.space, *family.on_request}
        for key in given.parameters:
            if key not in names:
                raise unknown("parameter", key, names)
        return family(peak_lr=given.peak_lr, **given.parameters)
    except (InputError, TypeError) as error:
        raise InputError(f"{where}: {error}") from error


def peaks(domain: Domain) -> list[float]:
    """The peaks to try: the middles of equal parts of the range, in log, the one nearest to its middle first.

    >>> [round(peak, 3) for peak in peaks(Float(0.01, 1.0, log=True))][:3]
    [0.068, 0.147, 0.032]
    """
    match domain:
        case Float(low, high) if low < high:
            shares = (np.arange(PEAKS) + 0.5) / PEAKS
            from_the_middle = np.argsort(np.abs(shares - 0.5), kind="stable")
            return [float(low * (high / low) ** share) for share in shares[from_the_middle]]
        case Choice(options):
            return [float(peak) for peak in options]
        case Either(value, otherwise):
            return [value, *peaks(otherwise)]
    return [float(domain.low)]


def params_within(
    schedule: Schedule, suggest_here: Callable[[Any], Schedule], weight_decay: float | None = None
) -> dict[str, Any] | None:
    """The trial parameters from which `suggest_here` draws this schedule; None if it lies outside the search space.

    weight_decay: to be drawn besides, if it is searched.
    """
    own = (*schedule.space, *schedule.on_request)
    values = {name: getattr(schedule, name) for name in (*schedule.shared_space(), *own)}
    given = Given(schedule.family, schedule.peak_lr, values, weight_decay)
    try:
        return given.params if suggest_here(given) == schedule else None
    except InputError:
        return None


def params_of(schedule: Schedule, weight_decay: float | None = None) -> dict[str, Any]:
    """Trial parameters of the schedule, whatever is searched: `from_params` makes it of them.

    weight_decay: of its runs, if that is searched.
    """
    requested = {name: domain for name, domain in schedule.on_request.items() if name in schedule.effective()}
    ranges = {f"{schedule.family}.{name}": domain for name, domain in requested.items()}
    names = domains_of(type(schedule), (1.0, 1.0), ranges)
    own = {} if weight_decay is None else {"weight_decay": weight_decay}
    return {"family": schedule.family} | {name: getattr(schedule, name.rpartition(".")[2]) for name in names} | own
