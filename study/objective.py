"""The shared interfaces: an objective trains runs, an executor decides where, a search decides which.

An objective runs a schedule for a budget with a seed and yields evaluations. It may be our own training loop over a
workload, or anything else that can train. Neither the search nor the executor knows how training is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args, runtime_checkable

from search_spaces.errors import require
from search_spaces.schedule import Schedule

if TYPE_CHECKING:
    import torch

FIRST_FRESH_SEED = 1000
"""The first `train_seed` that confirms a schedule. Searches use smaller ones, so no schedule was chosen by it."""

FRACTION_OF_ROWS = "fraction of rows"
"""The unit of a metric that counts rows, such as the misclassified ones, and divides by all rows."""

Unit = Literal["epochs", "steps"]
"""What budgets count: passes over the training rows, or optimizer steps."""
DIRECTIONS = Literal["minimize", "maximize"]
"""Which values of a metric are the better ones: small or large."""
Stop = Callable[[int], bool]
"""Whether to stop the run of this index."""


def length_in_words(budget: float, unit: Unit) -> str:
    """A budget with its unit.

    >>> length_in_words(1, "epochs"), length_in_words(2.5, "epochs"), length_in_words(2_000_000, "steps")
    ('1 epoch', '2.5 epochs', '2000000 steps')
    """
    return f"{budget:{'g' if budget % 1 else '.0f'}} {unit if budget != 1 else unit.removesuffix('s')}"


def duration(seconds: float) -> str:
    """A time, to read.

    >>> duration(7.83), duration(200), duration(7500)
    ('8 s', '3 min 20 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def never(run: int) -> bool:
    """Stop no run."""
    return False


@dataclass(frozen=True)
class Metric:
    """What a run is evaluated by.

    name: as in records and reports, with `val_` or `test_` before it. unit: of the number, for axes, empty if it
    is not known; FRACTION_OF_ROWS for an error rate or an accuracy, which is then shown in percent and tested as a
    proportion.
    worst: the finite value of a diverged run; no other run is recorded as worse.
    measure: of a workload only: (outputs, targets) of some rows -> a number for each row, (rows,); the metric is their
    mean. whole: instead of measure, (outputs, targets) of all rows of a split -> one number, such as F1 or AUC; runs
    are then trained one by one.
    Raises InputError for another direction, or a worst value that is not finite.
    """

    name: str
    direction: DIRECTIONS
    unit: str
    worst: float
    measure: Callable[[Any, Any], Any] | None = None
    whole: Callable[[Any, Any], Any] | None = None

    def __post_init__(self) -> None:
        require(isinstance(self.name, str) and bool(self.name), "the name of a Metric must be text", self.name)
        valid = self.direction in get_args(DIRECTIONS)
        require(valid, f"direction of the metric {self.name!r} must be minimize or maximize", self.direction)
        number = isinstance(self.worst, Real) and math.isfinite(self.worst)
        require(number, f"worst of the metric {self.name!r} must be a finite number", self.worst)
        if not isinstance(self.worst, int | float):  # such as a float32 of numpy, which JSON does not know
            object.__setattr__(self, "worst", float(self.worst))

    @property
    def sign(self) -> int:
        """1 or -1: times this, a smaller value is the better one."""
        return 1 if self.direction == "minimize" else -1

    @property
    def counts_rows(self) -> bool:
        """Whether a value is a count of rows over all rows: an error rate, or an accuracy."""
        return self.unit == FRACTION_OF_ROWS

    def bounded(self, value: float) -> float:
        """The value, or the worst value if it is worse than that or NaN."""
        return value if self.sign * value < self.sign * self.worst else self.worst


@dataclass(frozen=True)
class Run:
    """One training from scratch to the end of its budget: plain values, all that its evaluations depend on.

    budget: epochs or optimizer steps; the whole schedule is fitted into them. train_seed: of initialisation, order of
    rows and dropout.
    evaluations: how often to evaluate, if the schedule does not itself say how often it observes.
    test: whether the last evaluation also uses the test rows.
    weight_decay: of the parameter group that has most of it, the others keep their ratio to it; None for the
    optimizer's own.
    """

    schedule: Schedule
    budget: int
    train_seed: int
    evaluations: int
    test: bool = False
    weight_decay: float | None = None


class WeightDecay(NamedTuple):
    """The weight decay of runs. own: what the optimizer has. low, high: where it is searched, log scale."""

    own: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """The result of one evaluation of a run, on the validation rows.

    run: its index among the runs given. step: steps done, of total_steps. loss and metric: means over the rows; a
    diverged run has the metric's worst value and a loss of inf. lr and momentum: what the optimizer held at the last
    step; momentum is beta1 in Adam, and None if the optimizer has neither. cohort: runs that were trained together, 1
    in the plain loop. too_large: sizes of larger cohorts that were tried with this run and did not fit into memory.
    test_metric: None unless the run has `test`. raw_metric: at the end of a run whose weights are averaged, which the
    other values are of, the metric of those that are not; otherwise None. failure: why the training failed; the run
    counts as diverged then.
    """

    run: int
    step: int
    total_steps: int
    loss: float
    metric: float
    lr: float = math.nan
    momentum: float | None = None
    diverged: bool = False
    cohort: int = 1
    too_large: tuple[int, ...] = ()
    test_metric: float | None = None
    raw_metric: float | None = None
    failure: str | None = None

    @property
    def last(self) -> bool:
        """Whether the run ends here."""
        return self.diverged or self.step == self.total_steps


@dataclass(frozen=True)
class Engine:
    """How runs are trained. Results are equal to the last bit for equal engines and threads, on one machine.

    cohort: the most runs trained together in lockstep; 1 is the plain loop, run by run.
    workers: processes of one thread each; 0 is this process.
    threads: that torch trains with in this process; None leaves torch as many as it has.
    """

    cohort: int = 1
    workers: int = 0
    threads: int | None = None

    @property
    def name(self) -> str:
        """As at the command line."""
        return "loop" if self.cohort == 1 else "lockstep"

    def __str__(self) -> str:
        how = self.name if self.cohort == 1 else f"lockstep of {self.cohort}"
        if self.workers:
            return f"{how} in {self.workers} worker{'s' * (self.workers > 1)}"
        return how + (" on one thread" if self.threads == 1 else "")


class Objective(Protocol):
    """What is trained.

    A run is a pure function of (schedule, budget, train_seed): training it again anywhere gives the same evaluations,
    to the last bit on one type of device and in a cohort of the same runs.
    """

    @property
    def name(self) -> str:
        """For people."""

    @property
    def metric(self) -> Metric:
        """What runs are evaluated by."""

    @property
    def peak_lr(self) -> tuple[float, float]:
        """(lowest, highest): the range that the peak is searched in, log scale."""

    @property
    def device(self) -> torch.device:
        """Where runs are trained."""

    @property
    def resident(self) -> bool:
        """Whether its data is in memory: only then can runs be trained as one stacked model."""

    @property
    def can_be_timed(self) -> bool:
        """Whether a few steps can be trained to time them, at no cost worth naming."""

    @property
    def seconds(self) -> tuple[float, float] | None:
        """Seconds of a step of one run, and of a run before its first step, if earlier runs have shown them."""

    @property
    def about(self) -> str:
        """What is worth knowing before a search: how the data was read, or what a first run found."""

    @property
    def mixes_seeds(self) -> bool:
        """Whether runs of different `train_seed` may share a cohort."""

    @property
    def weight_decay(self) -> WeightDecay:
        """The weight decay of its optimizer; raises InputError if a run cannot be given another one."""

    def steps(self, budget: int) -> int:
        """Optimizer steps of a run with this budget."""

    def fingerprint(self) -> str:
        """Equal for equal data: a study can only be opened again with equal data."""

    def attributes(self) -> dict[str, Any]:
        """Its part of a study's records besides the configuration, as plain values."""

    def check(self, schedules: Sequence[Schedule]) -> None:
        """Raise InputError if it cannot be trained at all, or not with one of these schedules."""

    def fitted(self, schedule: Schedule, budget: int) -> Schedule:
        """The schedule that a run of this budget uses: one that observes gets the number of evaluations."""

    def schedule_obstacle(self, schedule: Schedule) -> str | None:
        """Why this schedule cannot be trained; None if it can. A family with such a one is not searched."""

    def lockstep_obstacle(self) -> str | None:
        """Why runs cannot be trained as one stacked model; None if they can."""

    def process_obstacle(self) -> str | None:
        """Why runs cannot be trained in other processes, and what to do; None if they can."""

    def largest_cohort(self) -> int:
        """How many runs fit into the free memory together."""

    def changes(self, stored: Mapping[str, Any] | None) -> list[str]:
        """What differs here from the record `made_of` in its attributes, by name."""

    def code(self) -> Mapping[str, str]:
        """A digest of each file that is run for it, and is not a module, by name."""

    def elsewhere(self) -> Objective:
        """The same for other processes: with its data in main memory, and the same `device`."""

    def at(self, device: torch.device) -> Objective:
        """The same, trained by this process on this device; raises InputError if its data cannot be read here."""

    def train(self, runs: Sequence[Run], stop: Stop) -> Iterator[Evaluation]:
        """Train runs of one budget as one cohort; yields each evaluation, the last of each run at its end.

        stop: called before every step, and after every few evaluated rows; True stops the run of that index.
        Torch's global random state is the same afterwards as before.
        """


class Executor(Protocol):
    """Where cohorts run: in this process, in workers here or elsewhere, or in a table of recorded runs."""

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """Train the runs that are not `done`; yields each evaluation, the last of each run at its end.

        A cohort is trained as a whole unless all of its runs are done, so that it is the same cohort after a restart. A
        cohort that does not fit into memory is halved; its evaluations name the sizes that were too large.
        """


@runtime_checkable
class PatientExecutor(Executor, Protocol):
    """An executor that can train several things at the same time, as far as the caller looks after all of them."""

    cohort: int

    def train_patiently(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation | None]:
        """As `train`; yields None several times a second while it waits."""

    def beside(self) -> PatientExecutor:
        """Another one, whose runs are trained at the same time."""
