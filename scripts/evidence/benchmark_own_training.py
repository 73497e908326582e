"""Measure what a search adds to a run of a user's own training, and whether it ranks schedules as a workload does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from search_spaces.errors import require_at_least
from study.cli import run_command, write

RUN_SECONDS = 10.0
"""The run that the added time is compared with."""


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    steps: int = 5000
    """Optimizer steps of the run whose added time is measured."""
    rounds: int = 5
    """Times that each is measured; the least counts."""
    schedules: int = 20
    """Schedules that are ranked."""
    epochs: int = 5
    """Length of the runs that rank them."""
    output: Path | None = None
    """File for the tables. Default: they are only printed."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds", "schedules", "epochs")
        require_at_least(100, self, "steps")


def main(options: Options) -> None:
    """Measure, print and write."""
    import optuna  # these load torch and Optuna: after the flags
    import torch

    from study.evidence.speed import own_training
    from study.reports.markdown import table

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        function = own_training.added_by_a_function(options.steps, options.rounds)
        script, after = own_training.added_by_a_script(options.steps, options.rounds, Path(folder))
        schedules = own_training.drawn_schedules(options.schedules)
        found = own_training.values_in_each_way(schedules, options.epochs, Path(folder))
    rows = [("function", function, 0.0), ("script", script, after)]
    heads = ["way", "added to its steps, s", f"% of {RUN_SECONDS:g} s", "from its end to the next run, s"]
    added = [[way, f"{s:.3f}", f"{100 * s / RUN_SECONDS:.2f}", f"{next_:.3f}"] for way, s, next_ in rows]
    order = {way: sorted(range(len(schedules)), key=lambda i, v=values: (v[i], i)) for way, values in found.items()}  # type: ignore[misc]
    equal = {way: sum(a == b for a, b in zip(values, found["workload"], strict=True)) for way, values in found.items()}
    same = [
        [way, str(equal[way]), "yes" if order[way] == order["workload"] else "no"] for way in ("function", "script")
    ]
    text = "\n\n".join(
        [
            f"A run of {options.steps} steps, evaluated {own_training.EVALUATIONS} times; least of {options.rounds}:",
            table(heads, added),
            f"{len(schedules)} schedules, runs of {options.epochs} epochs, beside the same workload:",
            table(["way", "equal values", "same ranking"], same),
        ]
    )
    print(text)
    if options.output:
        write(options.output, f"{text}\n".encode())


if __name__ == "__main__":
    run_command(Options, main)
