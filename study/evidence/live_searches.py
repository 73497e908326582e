"""The search as it is by default, beside what people do without it, at equal cost, with every run trained.

For each sampler seed: a default search with its finals; an unpruned search, searches with Optuna's pruners, and grids
over the peak of one family, each of which may train as much. What each would use is evaluated by its test metric over
the same fresh seeds, which choose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from search_spaces.schedule import Schedule
from study.analysis.answer import recommended
from study.analysis.cost import Cost
from study.analysis.statistics import t_interval
from study.evidence.answers import in_points
from study.evidence.fresh_seeds import trainer
from study.evidence.more_finals import other_finals
from study.evidence.one_family import tuned_by_gaussian_process, tuned_by_grid
from study.evidence.searched_study import objective_of, searched_study
from study.evidence.searches.arms import NONE, OPTUNA, STOCK
from study.evidence.searches.evaluated_search import watch
from study.objective import FIRST_FRESH_SEED, Evaluation, Executor, Run, Stop, never
from study.search.configuration import Configuration
from study.search.confirm import confirm
from study.search.finals import SEEDS
from study.search.reference import NO_REFERENCE
from study.storage.quiet import quiet_optuna
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions

DEFAULT = "default search, its answer"
PEOPLE = ("cosine", "linear", "rex")
"""Families that people take."""
PRUNERS = ("median", "hyperband")
"""Optuna's, whose trials run one after another."""
FIRST_EVALUATING_SEED = FIRST_FRESH_SEED + 100
"""Above those that choose or confirm in a study."""
FIRST_PERSON_SEED = 10_000
"""People train with seeds of their own, PERSON_SEEDS for each repeat."""
PERSON_SEEDS = 1000


@dataclass(frozen=True)
class LiveResult:
    """What an arm would use. full_runs: that it cost. test: mean test metric over fresh seeds, a fraction."""

    arm: str
    search_seed: int
    full_runs: float
    test: float
    family: str
    peak_lr: float


def live_results(
    what: WorkloadOptions,
    search: Configuration,
    trials: int,
    seeds: int,
    also: Collection[str],
    search_seed: int,
    data_root: Path,
) -> list[LiveResult]:
    """Search in every way with this seed and evaluate.

    seeds: fresh ones. also: further arms, by the names of benchmark_live.py.
    """
    objective, configuration = objective_of(what, data_root), replace(search, sampler_seed=search_seed)
    evaluating = range(FIRST_EVALUATING_SEED, FIRST_EVALUATING_SEED + seeds)
    found: list[LiveResult] = []

    def keep(arm: str, cost: float, schedule: Schedule) -> None:
        test = mean(confirm(objective, trainer(objective, seeds), schedule, configuration.epochs, evaluating))
        found.append(LiveResult(arm, search_seed, cost, test, schedule.family, schedule.peak_lr))

    for arm, cost, schedule in default_search(what, objective, configuration, trials, "finals" in also):
        keep(arm, cost, schedule)
    total = next(one.full_runs for one in found if one.arm == DEFAULT)
    unpruned = {"unpruned search": NONE} if "unpruned" in also else {}
    for name, changes in (unpruned | {"Optuna, no pruning": NONE | OPTUNA}).items():
        keep(name, *unpruned_search(what, objective, replace(configuration, **changes), round(total)))
    for name in PRUNERS if "pruners" in also else ():
        keep(f"Optuna, {name}", *stock_search(objective, replace(configuration, **STOCK[name]), trials, total))
    ways: dict[str, Callable[..., Schedule]] = {"grid of peaks": tuned_by_grid}
    if "process" in also:
        ways["Gaussian process over the peak"] = tuned_by_gaussian_process
    for way, tune in ways.items():
        for family in PEOPLE:
            own = FIRST_PERSON_SEED + PERSON_SEEDS * search_seed
            executor = Counted(trainer(objective, configuration.trials_per_batch))
            schedule = tune(objective, executor, family, configuration.epochs, round(total), own)
            keep(f"{family}, {way}", executor.runs, schedule)
    return found


class Counted:
    """An executor that counts the runs that it is given."""

    def __init__(self, executor: Executor) -> None:
        self.executor, self.runs = executor, 0

    def train(
        self, runs: Sequence[Run], stop: Stop = never, done: Collection[int] = frozenset()
    ) -> Iterator[Evaluation]:
        """As the executor does."""
        self.runs += len(runs)
        return self.executor.train(runs, stop, done)


def default_search(
    what: WorkloadOptions, objective: WorkloadObjective, configuration: Configuration, trials: int, more_finals: bool
) -> Iterator[tuple[str, float, Schedule]]:
    """(arm, full runs that it cost, schedule) of the best single run, of other finals' winners, and of the answer."""
    with searched_study(what, objective, configuration, trials) as study:
        for _ in study.run_finals(SEEDS):
            pass
        record = study.record
    finals, best, answer = record.finals, record.best, recommended(record)
    assert finals is not None
    assert finals.winner is not None
    assert best is not None
    assert answer is not None
    cost = Cost.of(record).full_runs
    choosing = sum(run.seed in finals.selection_seeds for run in finals.runs)
    yield "default search, best single run", cost, best.schedule
    yield "default search, winner of its finals", cost + choosing, record.trial(finals.winner).schedule
    yield DEFAULT, cost + len(finals.runs), answer.schedule
    executor = trainer(objective, configuration.trials_per_batch)
    for way, runs, schedule in other_finals(record, objective, executor) if more_finals else ():
        yield f"default search, {way}", cost + runs, schedule


def unpruned_search(
    what: WorkloadOptions, objective: WorkloadObjective, configuration: Configuration, trials: int
) -> tuple[float, Schedule]:
    """(full runs, the best single one of these)."""
    with searched_study(what, objective, configuration, trials, NO_REFERENCE) as study:
        record = study.record
    assert record.best is not None
    return Cost.of(record).full_runs, record.best.schedule


def stock_search(
    objective: WorkloadObjective, configuration: Configuration, trials: int, full_runs: float
) -> tuple[float, Schedule]:
    """(full runs, what a search of Optuna's would return) after this many trials, once it has trained as much."""
    with quiet_optuna():
        trajectory, _ = watch(objective, configuration, trainer(objective, 1), trials, full_runs * configuration.epochs)
    best = trajectory.incumbents(objective.metric.sign)[-1]
    return trajectory.epochs / configuration.epochs, best.schedule


def live_page(rows: Sequence[LiveResult], what: str, seeds: int) -> str:
    """Each arm's test error and its paired difference to the default search's answer, over the search seeds."""
    arms = list(dict.fromkeys(row.arm for row in rows))
    tests = {arm: {row.search_seed: row.test for row in rows if row.arm == arm} for arm in arms}
    default = tests[DEFAULT]
    people = [arm for arm in arms if arm.split(",")[0] in PEOPLE]
    best_grid = min((arm for arm in people if arm.endswith("grid of peaks")), key=lambda arm: mean(tests[arm].values()))

    def line(arm: str) -> str:
        own = tests[arm]
        runs = mean(row.full_runs for row in rows if row.arm == arm)
        error = f"{100 * mean(own.values()):.2f}"
        if len(own) > 1:
            error += f" ± {100 * stdev(own.values()) / len(own) ** 0.5:.2f}"
        ahead = "-" if arm == DEFAULT else in_points(t_interval([own[seed] - default[seed] for seed in own]))
        return f"| {arm} | {len(own)} | {runs:.1f} | {error} | {ahead} |"

    lines = [
        f"{len(default)} searches on {what}, and repeats of other ways, n of each. Test error of what each would use,",
        f"over the same {seeds} fresh seeds: mean ± standard error. An arm may train as much as a default search with",
        f"its finals. The best of the grids: {best_grid.split(',')[0]}.",
        "",
        "| arm | n | full runs | test error, % | behind the default search's answer, points [95 % interval] |",
        "|---|---:|---:|---:|---:|",
        *map(line, arms),
        "",
    ]
    return "\n".join(lines)
