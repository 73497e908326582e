"""Configuration: how schedules are searched, and how long a full run is.

The results of a study depend on it, so a study can only be opened again with an equal one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Annotated, Any, Self

from search_spaces import FAMILIES, NO_OVERRIDES, Ranges, check_families, space, suggest
from search_spaces.errors import InputError, require, require_at_least, unknown
from search_spaces.ranges import Float, Range, draw_parameter, searched_parameters
from search_spaces.schedule import Schedule
from search_spaces.space_file import BESIDES, SpaceFile, corners, read_space
from study.flags import RARE
from study.objective import FIRST_FRESH_SEED, Objective, Unit
from study.storage.record_format import GAUSSIAN_PROCESSES, STORED_NAMES, STORED_SAMPLERS, sampler_named

PRUNES_MIDWAY = ("median", "hyperband", "halving")
"""Optuna's pruners that end a run midway."""
PRUNERS = ("horizon", *PRUNES_MIDWAY, "none")
SAMPLERS = (*GAUSSIAN_PROCESSES, "tpe", "tpe-univariate", "tpe-group", "qmc", "random")
USUAL_EPOCHS = 20
LONGEST_RUN = 10_000_000
"""Steps of a run. More are taken for a mistake: the steps at which a run is evaluated are kept in memory."""


@dataclass(frozen=True)
class SearchOptions:
    """How schedules are searched, whatever the length of a full run."""

    families: tuple[str, ...] = tuple(FAMILIES)
    """Families of schedules to search; piecewise, schedule_free and greedy only if named."""
    space: str | None = None
    """FILE.toml of families and ranges (--print-space prints one), or a preset: all, classic, transformer,
    language-model, no-warm-up. Default: each family's own ranges."""
    search: tuple[str, ...] = ()
    """What to search besides the schedule: weight_decay, each trial with one of its own. Default: nothing."""
    pruner: str = "horizon"
    """horizon: trials compete as short complete runs; median, hyperband, halving: Optuna's; none: all run in full."""
    rung_fractions: Annotated[tuple[float, ...], RARE] = (0.1, 0.5)  # results/search/rungs.md
    """horizon: lengths of the short runs, as fractions of a full run."""
    least_steps: Annotated[int, RARE] = 100  # results/search/floors.md
    """horizon: fewest optimizer steps of a short run. Rungs longer than half a full run are dropped."""
    reduction: Annotated[int, RARE] = 5  # results/search/rungs.md
    """horizon: one trial in N is promoted at each rung."""
    trials_per_batch: Annotated[int, RARE] = 10  # results/search/batches.md
    """Trials suggested together; each batch learns from the earlier ones. Batches of 1 to 25 perform alike; 50 (all
    random) is worse."""
    trials_per_bracket: Annotated[int, RARE] = 50  # results/search/brackets.md
    """horizon: trials that compete for the longer runs."""
    sampler: str = "gp"  # results/search/samplers.md
    """gp: a Gaussian process, learns from at most 200 trials (the best half, a spread of the others); gp-optuna:
    Optuna's, slow beyond hundreds of trials; tpe, tpe-univariate, tpe-group, qmc (quasi-random) or random."""
    startup_trials: Annotated[int, RARE] = 20  # results/search/startup.md
    """Random trials before the sampler models anything."""
    audit: Annotated[float, RARE] = 0.0
    """Fraction of the pruned trials that run to the end anyway, to show how often pruning is wrong."""
    sampler_seed: Annotated[int, RARE] = 0
    """Seed of the sampler."""
    train_seed: Annotated[int, RARE] = 0
    """Seed of initialisation and row order, the same for all trials; below 1000."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "least_steps", "trials_per_batch", "trials_per_bracket")
        require_at_least(0, self, "sampler_seed", "train_seed")
        fresh = f"--train-seed must be below {FIRST_FRESH_SEED}: seeds from there on are reserved for confirming"
        require(self.train_seed < FIRST_FRESH_SEED, fresh, self.train_seed)
        require(
            all(0 < share < 1 for share in self.rung_fractions),
            "--rung-fractions must be above 0 and below 1",
            self.rung_fractions,
        )
        require_at_least(2, self, "reduction")
        object.__setattr__(self, "families", tuple(check_families(self.families)))
        if self.space:
            object.__setattr__(self, "families", self.narrowed())
        object.__setattr__(self, "search", tuple(dict.fromkeys(self.search)))
        for name in self.search:
            if name not in BESIDES:
                raise unknown("parameter", name, BESIDES, "--search")
        require_at_least(1, self, "startup_trials")
        require(0 <= self.audit <= 1, "--audit must be from 0 to 1", self.audit)
        if self.sampler not in SAMPLERS:
            raise unknown("sampler", self.sampler, SAMPLERS)
        if self.pruner not in PRUNERS:
            raise unknown("pruner", self.pruner, PRUNERS)

    @cached_property
    def space_file(self) -> SpaceFile:
        """The families and ranges of `--space`; without it, the families alone."""
        return read_space(self.space) if self.space else SpaceFile(self.families, {})

    def narrowed(self) -> tuple[str, ...]:
        """The families that `--families` and `--space` have in common; the former must be among the latter."""
        if set(self.families) == set(FAMILIES):
            return self.space_file.families
        for family in self.families:
            require(
                family in self.space_file.families, f"--families must be among those of --space {self.space}", family
            )
        return self.families

    def limited(self, families: tuple[str, ...], ranges: Ranges) -> Self:
        """The same over these families, with these domains in place of their own."""
        limited = replace(self, families=families)
        vars(limited)["space_file"] = SpaceFile(families, ranges)
        return limited

    @property
    def searches_besides(self) -> bool:
        """Whether something is searched besides the schedule: what `search` or the space file names."""
        return any(name in BESIDES for name in (*self.search, *self.space_file.ranges))

    def besides(self, objective: Objective) -> dict[str, Range]:
        """The ranges of what is searched besides the schedule, by name.

        Raises InputError if runs of the objective cannot be given it.
        """
        if not self.searches_besides:
            return {}
        _, low, high = objective.weight_decay
        found = {name: self.space_file.ranges.get(name, Float(low, high, log=True)) for name in BESIDES}
        return {name: one for full, domain in found.items() for name, one in searched_parameters(full, domain).items()}

    def suggest(self, trial: Any, peak_lr: tuple[float, float], besides: Ranges = NO_OVERRIDES) -> Schedule:
        """Draw a schedule from an Optuna trial, within the search space, and what is searched besides.

        peak_lr: the range of the peak. besides: as the method of this name returns it.
        """
        schedule = suggest(trial, self.families, peak_lr, self.space_file.ranges)
        for name, domain in besides.items():
            draw_parameter(trial, name, domain)
        return schedule

    @property
    def worker_obstacle(self) -> str | None:
        """Why runs cannot be trained side by side: a pruner that prunes midway sees them in the order of training."""
        if self.pruner not in PRUNES_MIDWAY:
            return None
        return f"--pruner {self.pruner} prunes runs midway, one after another: remove --workers"


UNPRUNED = SearchOptions(pruner="none")
"""A comparison of families gives each the same epochs; how many a pruned one takes depends on its trials."""


def check_confirm_seeds(seeds: int | None) -> None:
    """Raise InputError unless it is None or a number of fresh seeds: 0 for none, or enough for an interval."""
    whole = seeds is None or (isinstance(seeds, int) and (seeds == 0 or seeds >= 2))
    require(whole, "--confirm-seeds must be 0 (not at all) or at least 2", seeds)


MOST_LONGER_RUNS = 3


def check_longer_runs(runs: int, confirm_seeds: int) -> None:
    """Raise InputError if the number of runs at a longer budget, or of seeds to confirm the best one, is invalid."""
    require(isinstance(runs, int) and 0 <= runs <= MOST_LONGER_RUNS, f"--runs must be 0 to {MOST_LONGER_RUNS}", runs)
    check_confirm_seeds(confirm_seeds)
    if not runs:
        require(confirm_seeds == 0, "--runs 0 trains nothing: --confirm-seeds must be 0", confirm_seeds)


@dataclass(frozen=True)
class Configuration(SearchOptions):
    """How schedules are searched."""

    epochs: int = USUAL_EPOCHS
    """Epochs of a full run."""
    steps: int | None = None
    """Optimizer steps of a full run, instead of --epochs."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "epochs")
        if self.steps is not None:
            require_at_least(1, self, "steps")
            require(self.epochs == USUAL_EPOCHS, "give --epochs or --steps, not both", self.epochs)
        super().__post_init__()

    @property
    def unit(self) -> Unit:
        """What budgets count."""
        return "epochs" if self.steps is None else "steps"

    @property
    def budget(self) -> int:
        """Length of a full run, in that unit."""
        return self.epochs if self.steps is None else self.steps

    @classmethod
    def stored(cls, configuration: Mapping[str, Any]) -> Configuration:
        """The configuration of a study, from its stored values. The space file is not read again."""
        names = {field.name: STORED_NAMES.get(field.name, field.name) for field in fields(cls)}
        own: dict[str, Any] = {
            name: tuple(value) if isinstance(value := configuration[key], list) else value
            for name, key in names.items()
            if key in configuration and name != "space"
        }
        return cls(**own | {"sampler": sampler_named(own["sampler"])})

    def budgets(self, steps_per_epoch: int) -> list[int]:
        """Length of each run of a trial, ascending, the last one the full run."""
        fractions = self.rung_fractions if self.pruner == "horizon" else ()
        return budgets(fractions, self.budget, math.ceil(self.least_steps / steps_per_epoch))

    def bracket_size(self, steps_per_epoch: int) -> int:
        """Trials that are decided on together: a batch, if all runs are full ones."""
        return self.trials_per_bracket if len(self.budgets(steps_per_epoch)) > 1 else self.trials_per_batch

    def most_together(self, steps_per_epoch: int) -> int:
        """The most runs that are to be trained at a time: a batch, or those of a bracket that are promoted."""
        return max(self.trials_per_batch, self.bracket_size(steps_per_epoch) // self.reduction)

    def expected_epochs(self, steps_per_epoch: int) -> float:
        """The expected cost of a trial, if one in `reduction` is promoted at each rung and the audit has its share."""
        budgets = self.budgets(steps_per_epoch)
        kept = [math.pow(self.reduction, -rung) for rung in range(len(budgets))]
        audited = self.audit * (1 - kept[-1]) * self.budget
        return math.fsum(budget * share for budget, share in zip(budgets, kept, strict=True)) + audited

    def study_name(self, subject: str) -> str:
        """The name of the study unless one is given. subject: what is trained."""
        pruner = "" if self.pruner == "horizon" else f"-{self.pruner}"
        return f"{subject}-{self.budget}-{self.unit}{pruner}"

    def check(self, objective: Objective) -> None:
        """Raise InputError if the objective cannot be trained, or not with all schedules that may be drawn."""
        total_steps = objective.steps(self.budget)
        at_most = f"a run has {LONGEST_RUN:,} steps at most: lower --{self.unit}"
        require(total_steps <= LONGEST_RUN, at_most, total_steps)
        shortest = objective.steps(self.budgets(objective.steps(1))[0])
        schedules = []
        for family in self.families:
            for schedule in corners(family, objective.peak_lr, self.space_file.ranges):
                if isinstance(schedule, InputError):
                    raise schedule
                schedule.split(shortest)
                schedules.append(schedule)
        objective.check(schedules)

    def record(self, objective: Objective) -> dict[str, Any]:
        """Its part of a study's stored configuration, as plain values, with the part of the objective."""
        from search_spaces.distributions import range_to_json  # loads Optuna, which flags need not wait for

        ranges = space(self.families, objective.peak_lr, self.space_file.ranges) | self.besides(objective)
        own = {STORED_NAMES.get(name, name): value for name, value in asdict(self).items()}
        if not self.search:
            del own["search"]  # as in studies made before it could be given
        values = own | {
            "sampler": STORED_SAMPLERS.get(self.sampler, self.sampler),
            "metric": objective.metric.name,
            "direction": objective.metric.direction,
            "data": objective.fingerprint(),
            "horizons": self.budgets(objective.steps(1)),
            "device": objective.device.type,
            "space": {name: range_to_json(found) for name, found in ranges.items()},
        }
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain


def budgets(rung_fractions: Sequence[float], epochs: int, least_epochs: int) -> list[int]:
    """The epochs of each run of a trial, ascending, the last one the full run.

    A rung has at least `least_epochs`, and is left out if it would be longer than half the full run. So a short full
    run has fewer rungs, or none.

    >>> budgets([0.1, 0.25], 20, 2), budgets([0.1, 0.25], 5, 2), budgets([0.1, 0.25], 3, 2), budgets([], 20, 2)
    ([2, 5, 20], [2, 5], [3], [20])
    """
    rungs = {max(least_epochs, int(fraction * epochs)) for fraction in rung_fractions}
    return sorted({epochs, *(rung for rung in rungs if 2 * rung <= epochs)})
