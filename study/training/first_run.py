"""The first runs of a user's training: short ones that tell what only a run can tell, and find what goes wrong.

They come before the study, which is then made with what they found and keeps it: started again, it begins at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from typing import Any

from search_spaces.errors import InputError
from search_spaces.metric_values import metric_name, value_on
from search_spaces.schedule import Schedule
from search_spaces.step_watch import Left
from search_spaces.watched import Begun, middle_of, schedule_with
from study.objective import Unit, duration, length_in_words
from study.training.declaration import Declaration
from study.training.trainer import Died, Reported, RunRequest, Trainer

EVALUATE = "report a validation value, at its end at least"
WRONG_LENGTH = 0.1
"""A run whose length differs by more than this share from that of the first run, for its budget, is refused."""
FIRST_STEPS = 100
"""Length of a first run if budgets count steps; if they count epochs it is one."""
ASSUMED_STEPS = 100
"""Steps of an epoch of a script that does not say: enough for short runs of one epoch."""
WORSE = 1.0
"""Unless --worst is given, a diverged run gets the worst value of the first runs plus this many times its size. One of
the first runs hardly trains, because its peak is at the low end of the range."""


@dataclass(frozen=True)
class FirstRunResult:
    """What the first runs found: what a study keeps of them.

    metric: its name. steps, evaluations: for each epoch or step of a budget. slowest: the most seconds of one of these;
    infinite in studies made before it was kept. peak_lr: the range to search. worst: the value of a diverged run. seen:
    whether the optimizer is seen, so that its rates are checked and a schedule can observe the evaluations. notes: for
    people. seconds: of an optimizer step, and of a run before its first step, each the shortest; None if not kept.
    momentum: whether a schedule can cycle the optimizer's; None in studies made before it was kept.
    """

    metric: str
    steps: int
    evaluations: float
    peak_lr: tuple[float, float]
    worst: float
    seen: bool
    optimizer_code: str
    notes: tuple[str, ...] = ()
    slowest: float = field(default=math.inf, compare=False)
    seconds: tuple[float, float] | None = field(default=None, compare=False)
    momentum: bool | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> FirstRunResult:
        """What `plain` made, as stored."""
        pairs = {name: tuple(stored[name]) for name in ("peak_lr", "notes", "seconds") if stored.get(name) is not None}
        known = {one.name: stored[one.name] for one in fields(cls) if one.name in stored}  # older ones hold more
        return cls(**{**known, **pairs})


def first_runs(
    trainer: Trainer,
    declared: Declaration,
    unit: Unit,
    budget: int,
    announce: Callable[[str], None] = lambda line: None,
) -> FirstRunResult:
    """Train a few short runs: with a peak in the middle of its range, at its low end, another seed, and a longer one.

    budget: of a full run. announce: is given lines for people, since the runs may take a while.
    Raises InputError for what would make a search worthless: no evaluations, no metric, one that is not a number or
    always the same, a schedule that is not used or does not arrive, a length that is not used.
    """
    length = min(budget, 1 if unit == "epochs" else FIRST_STEPS)
    longer = min(budget, 2 * length)
    runs = 3 + (longer > length)
    took: list[tuple[float, float]] = []  # seconds from the first step on, and before it

    def request(schedule: Schedule | None, seed: int = 0, length: int = length) -> RunRequest:
        exact = seed == 0  # checking takes time, so the run with the other seed shows how fast it trains
        return RunRequest(schedule, length, unit, seed, declared.metric, declared.sign, exact=exact)

    def train(schedule: Schedule | None, seed: int = 0) -> tuple[list[Reported], list[float]]:
        began = time.time()
        found = evaluations_of_run(trainer, request(schedule, seed))
        first_step = found[0][-1].begun.time if found[0][-1].begun else began
        took.append((max(0.0, time.time() - first_step), max(0.0, first_step - began)))
        return found

    announce(f"Checking your training in {runs} short runs, the first of {length_in_words(length, unit)} ...")
    reported, middle = train(schedule_with(middle_of(declared.peak_lr)) if declared.peak_lr else None)
    first = sum(took[0])
    announce(f"  the first took {duration(first)}: about {duration((runs - 1) * first)} to go")
    begun, metric = reported[-1].begun, metric_name(reported[-1].noted.values, declared.metric)
    steps, seen = steps_of(begun, unit, length), begun is not None and begun.optimizer_code is not None
    peak_lr = declared.peak_lr or usual_range(begun)
    usual = schedule_with(middle_of(peak_lr))
    _, low = train(schedule_with(peak_lr[0]))
    if low == middle:
        raise InputError(unmoved(metric, middle, peak_lr, seen))
    _, other = train(usual, seed=1)
    notes = [f"note: its steps are not seen: an epoch counts as {steps}"] if begun is None and unit == "epochs" else []
    if other == middle:
        notes.append("note: runs with different seeds give the same values, so the seed is not used")
    if longer > length:
        again, values = evaluations_of_run(trainer, request(usual, length=longer), most=1 if begun else None)
        if again[-1].begun:
            check_steps(again[-1].begun.total_steps, steps * longer, longer, unit, trainer.name)
        elif values == middle:
            notes.append(alike(trainer.name, metric, values, length, longer, unit))
    training, start = map(min, zip(*took, strict=True))
    return FirstRunResult(
        metric=metric,
        steps=steps,
        evaluations=len(middle) / length,
        peak_lr=peak_lr,
        worst=declared.worst if declared.worst is not None else worse_than(middle + low, declared.sign),
        seen=seen,
        optimizer_code=(begun and begun.optimizer_code) or "your_optimizer(lr={lr})",
        notes=(f"First run: {trainer.shown(request(usual))}", said_of(reported, length, unit, metric), *notes),
        slowest=max(map(sum, took)) / length,
        seconds=(training / (steps * length), start),
        momentum=begun is not None and begun.momentum,
    )


def check_steps(found: int, expected: int, budget: int, unit: Unit, name: str) -> None:
    """Raise InputError if the steps that a schedule is built for do not follow the budget."""
    if abs(found - expected) > max(1.0, WRONG_LENGTH * expected):
        raise InputError(
            f"a run of {length_in_words(budget, unit)} should have about {expected} steps, but its schedule is built "
            f"for {found}: does {name} use {unit}?"
        )


def alike(name: str, metric: str, values: list[float], length: int, longer: int, unit: Unit) -> str:
    """What is wrong if a longer run gives the same values. One value may be the same by chance, so that is a note."""
    short, long = length_in_words(length, unit), length_in_words(longer, unit)
    same = f"runs of {short} and {long} give the same {metric}, {first_numbers(values)}: does {name} use its {unit}?"
    if len(values) > 1:
        raise InputError(same)
    return f"note: {same}"


def unmoved(metric: str, values: list[float], peak_lr: tuple[float, float], seen: bool) -> str:
    """What is wrong if a run at the low end of the range gives the same values as one in its middle."""
    low, middle = peak_lr[0], middle_of(peak_lr)
    same = f"peaks {low:.3g} and {middle:.3g} give the same {metric}, {first_numbers(values)}"
    if seen:
        return f"the metric {metric!r} is constant: {same}. Is it measured after training, on enough rows?"
    return f"the schedule does not reach your optimizer: {same}. Give each step the rate of the schedule"


def evaluations_of_run(
    trainer: Trainer, request: RunRequest, most: int | None = None
) -> tuple[list[Reported], list[float]]:
    """Every evaluation of a run, and its metric; raises InputError without an evaluation, or if one is not a number.

    most: ends the run after as many.
    """
    what = f"the first run ({length_in_words(request.budget, request.unit)})"
    try:
        with closing(trainer.run(request, lambda: False)) as run:
            reported = list(islice(run, most))
    except Died as error:
        raise InputError(f"{what} of {trainer.name} failed: {error}") from error
    except Left as error:  # nobody asked it to
        raise InputError(f"{what} of {trainer.name} was left") from error
    if not reported:
        raise InputError(f"{what} of {trainer.name} made no evaluation: {EVALUATE}")
    metric = metric_name(reported[-1].noted.values, request.metric)
    found = [value_on("val", one.noted.values, metric) for one in reported]
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        raise InputError(f"the metric {metric!r} is missing in an evaluation of {what}: give it in each")
    for value in values:
        if not math.isfinite(value):
            at = f" at peak_lr {request.schedule.peak_lr:.3g}" if request.schedule else ""
            raise InputError(f"the metric {metric!r} is {value} in {what}{at}: lower --peak-lr, or look for a mistake")
    return reported, values


def steps_of(begun: Begun | None, unit: Unit, length: int) -> int:
    """Optimizer steps for each epoch or step of a budget."""
    if unit == "epochs":
        return max(1, round(begun.total_steps / length)) if begun else ASSUMED_STEPS
    if begun is not None and begun.total_steps != length:
        raise InputError(
            f"a run of {length} steps was asked for, but its schedule is built for {begun.total_steps}: does the "
            "training use its number of steps?"
        )
    return 1


def usual_range(begun: Begun | None) -> tuple[float, float]:
    """The usual range of the optimizer that was seen."""
    assert begun is not None
    assert begun.peak_lr is not None
    return begun.peak_lr


def worse_than(values: list[float], sign: int) -> float:
    """A finite value that is worse than all of these."""
    worst = max(values, key=lambda value: sign * value)
    return worst + sign * (WORSE * abs(worst) or 1.0)


def first_numbers(values: list[float]) -> str:
    """The numbers, as far as they are worth reading."""
    return ", ".join(f"{value:.6g}" for value in values[:3]) + (", ..." if len(values) > 3 else "")


def said_of(reported: list[Reported], length: int, unit: Unit, metric: str) -> str:
    """A line on the first run."""
    begun, last = reported[-1].begun, reported[-1].noted
    took = length_in_words(length, unit)
    if begun and unit == "epochs":
        took += f" of {begun.total_steps} steps"
    name = f"val_{metric}" if f"val_{metric}" in last.values else metric
    rates = f", lr {begun.first_lr:.3g} to {begun.last_lr:.3g}" if begun else ""
    return f"  {took}, {name} {last.values[name]:.4g}{rates}"
