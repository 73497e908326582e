"""Compare families of schedules fairly: each is tuned with the same number of trials, then judged on test.

python scripts/benchmark.py --epochs 5 20 80          # three budgets; run it again to go on where it was stopped
python scripts/report.py --study NAME                 # the report; benchmark.py prints the name
"""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import optuna
import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from search_spaces.errors import require, require_at_least
from study.cli import DATA_ROOT, choose_device, interruption, run_command
from study.executors.choice import EngineOptions
from study.search.family_plan import Part, benchmark, parts
from study.search.plan import Plan
from study.storage.provenance import provenance
from study.storage.url import DEFAULT_STORAGE, shown, storage_flag

UNPRUNED = Plan(pruner="none")
"""A comparison of families gives each the same epochs; pruned ones take what their trials happen to be worth."""


@dataclass(frozen=True)
class Options:
    """Compare families of schedules: one study per family and budget, the best of each judged on test."""

    engine: Annotated[EngineOptions, tyro.conf.OmitArgPrefixes]
    """How runs are trained."""
    plan: Annotated[Plan, tyro.conf.OmitArgPrefixes] = UNPRUNED
    """The workload, the families, and how each is searched: every trial in full, unless a --pruner is named."""
    epochs: tuple[int, ...] = (20,)
    """Budgets: lengths of a full run."""
    trials_per_family: int = 50
    """Trials that tune each family, at each budget."""
    confirm_seeds: int = 16
    """Fresh training seeds that judge the best schedule of each family."""
    search_seeds: int = 1
    """How often the whole search is repeated, to tell what depends on its luck."""
    name: str | None = None
    """Of the benchmark. None: made of dataset, model and optimizer."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the studies."""
    device: str = "auto"
    """auto (CUDA where there is one), cpu or cuda."""
    data_root: Path = DATA_ROOT
    """Folder of the data sets that are not made on the spot."""

    def __post_init__(self) -> None:
        require(len(self.epochs) >= 1, "--epochs needs at least one budget", self.epochs)
        require(all(epochs >= 1 for epochs in self.epochs), "--epochs must be at least 1", self.epochs)
        require_at_least(1, self, "trials_per_family", "confirm_seeds", "search_seeds")

    @property
    def group(self) -> str:
        """The name of the benchmark."""
        return self.name or f"benchmark-{self.plan.subject}"

    def expected_epochs(self, part: Part, steps_per_epoch: int) -> float:
        """What a part costs."""
        tuning = self.trials_per_family * part.configuration.expected_epochs(steps_per_epoch)
        return tuning + self.confirm_seeds * part.configuration.epochs


def main(options: Options) -> None:
    """Tune and confirm every part, telling how long it will take."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    device = choose_device(options.device)
    todo = parts(options.plan, options.epochs, options.search_seeds, options.confirm_seeds, options.group)
    workload = options.plan.load_workload(options.data_root).to(device)
    for part in todo:
        part.configuration.check(workload)
    expected = [options.expected_epochs(part, workload.steps_per_epoch) for part in todo]
    budgets = ", ".join(map(str, options.epochs))
    console.print(
        f"Benchmark {options.group!r}: {len(todo)} studies, {budgets} epochs, kept in {shown(options.storage)}"
    )
    began, trained = time.monotonic(), 0.0
    columns = BarColumn(), TextColumn("{task.description}")
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    chosen = options.engine
    session = provenance(device)
    with interruption() as interrupted, bar:
        task = bar.add_task("", total=sum(expected))
        for number, part in enumerate(todo):
            progress = None
            arguments = (options.trials_per_family, options.storage, options.group, options.engine, chosen)
            for progress in benchmark(part, workload, *arguments, session, interrupted):
                done = sum(expected[:number]) + min(progress.epochs, expected[number])
                left = time_left(began, trained + progress.epochs, sum(expected) - done)
                name = f"{part.family}, {part.configuration.epochs} epochs"
                bar.update(task, completed=done, description=f"{number + 1}/{len(todo)} {name} | {left}")
            assert progress is not None
            trained += progress.epochs
            chosen = progress.engine.options  # once, for all
            found = "all trials diverged"
            if progress.test is not None:
                found = f"val {progress.best:.4f}, test {progress.test:.4f}"
            left = time_left(began, trained, sum(expected[number + 1 :]))
            console.print(f"{number + 1}/{len(todo)} {name} | {found} | {left}")
    where = f"--study {shlex.quote(options.group)}{storage_flag(options.storage)}"
    console.print(f"\nThe report: python scripts/report.py {where}")


def time_left(began: float, trained: float, left: float) -> str:
    """An estimate from the epochs that this start has trained."""
    if not trained:
        return "time left unknown"
    minutes, seconds = divmod(round(left * (time.monotonic() - began) / trained), 60)
    return f"{minutes}:{seconds:02d} left"


if __name__ == "__main__":
    run_command(Options, main)
