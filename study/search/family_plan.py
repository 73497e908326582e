"""The benchmark of families: one study for each family and budget, whose best schedule is confirmed on fresh seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

import optuna

from search_spaces import from_params
from study.executors.choice import Engine, EngineOptions, agree
from study.reports.dashboard.dashboard import Dashboard
from study.search.configuration import Configuration
from study.search.confirm import FIRST_FRESH_SEED, confirming
from study.search.plan import Plan
from study.search.search import search
from study.storage.records import best_trial, finished_trials
from study.storage.studies import open_study
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Part:
    """One study of a benchmark: a family with a budget, and one seed of the sampler.

    name: of the study. seeds: the fresh ones that judge it, the same for all families, others for a repeated search.
    """

    name: str
    configuration: Configuration
    seeds: list[int]

    @property
    def family(self) -> str:
        """The one that is tuned."""
        return self.configuration.families[0]


@dataclass(frozen=True)
class Progress:
    """Where a part of a benchmark is.

    epochs: trained by this start. best: on validation. test: the mean over the fresh seeds, once confirmed.
    """

    engine: Engine
    epochs: float
    best: float | None = None
    test: float | None = None


def parts(plan: Plan, budgets: Sequence[int], search_seeds: int, confirm_seeds: int, group: str) -> list[Part]:
    """Every study of the benchmark, budget by budget, so that a family is never ahead of the others by much."""
    shared = asdict(plan)
    found = []
    for epochs in budgets:
        for repeat in range(search_seeds):
            first = FIRST_FRESH_SEED + repeat * confirm_seeds
            seeds = list(range(first, first + confirm_seeds))
            sampler_seed = plan.sampler_seed + repeat
            for family in plan.families:
                values = shared | {"families": (family,), "sampler_seed": sampler_seed, "epochs": epochs}
                repeated = f"-search-{sampler_seed}" if repeat else ""
                found.append(Part(f"{group}-{epochs}-epochs-{family}{repeated}", Configuration(**values), seeds))
    return found


def benchmark(
    part: Part,
    workload: Workload,
    trials: int,
    storage: str,
    group: str,
    asked: EngineOptions,
    chosen: EngineOptions,
    session: dict[str, Any],
    interrupted: Callable[[], bool] = lambda: False,
) -> Iterator[Progress]:
    """Tune the family, then train its best schedule again with fresh seeds and judge it on test; goes on where it was.

    The study keeps `confirmed`: the trial, the seeds, and the test metric of each. asked: how the user wants runs to be
    trained. chosen: what that came to for the studies before, which a new study shares.
    """
    attributes = {"group": group, **workload.attributes()}
    resolved = part.configuration.resolved(workload)
    with (
        open_study(storage, part.name, resolved, attributes, session) as optuna_study,
        Dashboard(optuna_study, storage) as dashboard,
    ):
        engine_options = asked if "engine" in optuna_study.user_attrs else chosen
        engine, _ = agree(optuna_study, engine_options, workload, part.configuration)
        epochs = 0.0
        attach = dashboard.attach
        for generation in search(optuna_study, workload, part.configuration, engine, trials, interrupted, attach):
            dashboard.update(generation)
            now = generation.epochs_trained - generation.epochs_loaded
            yield Progress(engine, epochs + now, best_value(optuna_study))
            epochs += now if generation.finished else 0.0
        best = best_trial(optuna_study, finished_trials(optuna_study))
        if best is None:
            yield Progress(engine, epochs)
            return
        kept = optuna_study.user_attrs.get("confirmed", {})
        if (kept.get("trial"), kept.get("seeds")) != (best.number, part.seeds):
            schedule, full, cohort = from_params(best.params), part.configuration.epochs, engine.cohort
            for trained, test in confirming(workload, schedule, full, part.seeds, cohort, lambda _: interrupted()):
                kept = {"trial": best.number, "seeds": part.seeds, "test": test}
                yield Progress(engine, epochs + trained, best.value)
            if interrupted():
                raise KeyboardInterrupt
            optuna_study.set_user_attr("confirmed", kept)
            epochs += len(part.seeds) * full
        yield Progress(engine, epochs, best.value, mean(kept["test"]))


def best_value(optuna_study: optuna.Study) -> float | None:
    """Of the trials that ran to their end."""
    best = best_trial(optuna_study, finished_trials(optuna_study))
    return best.value if best else None
