"""What it costs to ask for a batch in a long study: seconds and memory, by sampler and number of stored trials."""

from __future__ import annotations

import math
import resource
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import FrameType

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial

from study.executors.in_process import InProcess
from study.objective import Objective
from study.search.bracket import Bracket
from study.search.configuration import Configuration
from study.search.sampler_study import place
from study.search.search import strategy_of
from study.storage.stored_trials import finished_trials
from study.storage.trial_record import Curve, Place, Seeds, TrialRecord
from study.storage.trial_row import trial_row

MEGABYTE = 2**20


@dataclass(frozen=True)
class Asking:
    """What a batch costs in a study that holds this many trials.

    preparing: seconds to set up a bracket. asking: seconds to suggest the batch. Both are CPU time, the least of some
    rounds. memory: megabytes that both added to the peak. failed: why there is no result; None if there is.
    """

    sampler: str
    trials: int
    batch: int
    preparing: float = math.nan
    asking: float = math.nan
    memory: float = math.nan
    failed: str | None = None


def ask_batches(
    objective: Objective, sampler: str, trials: int, most_seconds: int, most_memory: int, rounds: int
) -> Asking:
    """Set up a bracket and ask for a batch, in each round again; to be called in a process of its own.

    most_seconds: of CPU time for all rounds. most_memory: megabytes, which stay the limit of this process. If one is
    exceeded, the result says so.
    """
    import sklearn.gaussian_process  # noqa: F401  # what a sampler loads must not meet the limit

    configuration = Configuration(sampler=sampler)
    found = Asking(sampler, trials, configuration.trials_per_batch)
    earlier = made_up_trials(objective, configuration, trials)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    preparing: list[float] = []
    asking: list[float] = []
    limit(most_seconds, most_memory)
    try:
        for _ in range(rounds):
            began = time.process_time()
            bracket = bracket_after(objective, configuration, earlier)
            prepared = time.process_time()
            bracket.ask()
            preparing.append(prepared - began)
            asking.append(time.process_time() - prepared)
    except TimeoutError:
        if not asking:
            return replace(found, failed=f"no answer in {most_seconds} s")
    except (MemoryError, RuntimeError) as error:  # torch raises the latter
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return replace(found, failed=f"more than {most_memory:,} MB")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return replace(found, preparing=min(preparing), asking=min(asking), memory=memory)


def bracket_after(objective: Objective, configuration: Configuration, earlier: Sequence[FrozenTrial]) -> Bracket:
    """The bracket that follows these trials, which are those of whole brackets."""
    return Bracket(
        len(earlier) // configuration.trials_per_bracket,
        configuration.trials_per_bracket,
        optuna.create_study(direction=objective.metric.direction),
        objective,
        configuration,
        InProcess(objective, 1),
        strategy_of(configuration, objective),
        earlier,
    )


def limit(seconds: int, memory: int) -> None:
    """Raise TimeoutError after these seconds of CPU time, and an error of memory above these megabytes."""

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    resource.setrlimit(resource.RLIMIT_DATA, (memory * MEGABYTE, memory * MEGABYTE))


def seconds_to_read(objective: Objective, trials: int) -> tuple[float, float]:
    """Seconds in which a search reads this many trials from SQLite: when it starts, and for each further bracket."""
    rows = made_up_trials(objective, Configuration(), trials)
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/study.db"
        optuna.create_study(storage=storage, study_name="long").add_trials(rows)
        opened = optuna.load_study(storage=storage, study_name="long")
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            sorted(finished_trials(opened), key=place)
            seconds.append(time.perf_counter() - began)
    return seconds[0], seconds[1]


def made_up_trials(objective: Objective, configuration: Configuration, trials: int) -> list[FrozenTrial]:
    """Stored trials of random schedules, all pruned. Their error grows with the distance from the best peak_lr."""
    asked_from = optuna.create_study(sampler=RandomSampler(seed=0))
    rng = np.random.default_rng(0)
    first = configuration.budgets(objective.steps(1))[0]
    found = []
    for number in range(trials):
        trial = asked_from.ask()
        configuration.suggest(trial, objective.peak_lr)
        value = 0.3 + 0.1 * math.log10(trial.params["peak_lr"] / 0.1) ** 2 + 0.02 * rng.standard_normal()
        bracket, position = divmod(number, configuration.trials_per_bracket)
        record = TrialRecord(
            number=number,
            complete=False,
            value=value,
            params=trial.params,
            reported={first: value},
            place=Place(
                bracket, configuration.trials_per_bracket, position, position // configuration.trials_per_batch
            ),
            seeds=Seeds(0, 0, 0),
            torch_arguments={},
            epochs_used={first: float(first)},
            cohorts={first: configuration.trials_per_batch},
            engine="lockstep",
            too_large=(),
            best_epoch=float(first),
            diverged=False,
            audited_from=None,
            seconds=1.0,
            curve=Curve(objective.metric.name, (50, 100), (1.0, 0.5), (value, value), (0.1, 0.1), (0.9, 0.9)),
        )
        found.append(trial_row(record, trial.distributions, datetime.now(), {}))
        asked_from.tell(trial, value)
    return found
