"""Check that our models land on the published accuracies of MNIST-1D, at one fixed, sensible schedule.

Prints published and measured test accuracy; exits with 1 if one is more than three points away.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from search_spaces import Cosine
from search_spaces.errors import require
from study.command import DATA_ROOT, run_command
from study.statistics import mean_interval
from study.training.confirm import FIRST_FRESH_SEED, confirm
from study.workloads.workload import named_workload

PUBLISHED = {"mlp": (68.0, 20), "cnn": (94.0, 60)}
"""Model: test accuracy in per cent (Greydanus & Kobak 2024, table 1), and the epochs we give it."""
SCHEDULE = Cosine(peak_lr=0.2, warmup_fraction=0.05)
MARGIN = 3.0
"""Points that measured and published may lie apart."""


@dataclass(frozen=True)
class Options:
    """Compare the models' test accuracy on MNIST-1D with the published ones."""

    seeds: int = 3
    """Training seeds to average over."""

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "--seeds must be at least 1", self.seeds)


def main(options: Options) -> None:
    """Train each model and print the comparison."""
    table = Table("model", "epochs", "published", "measured", "apart")
    failed = False
    for model, (published, epochs) in PUBLISHED.items():
        workload = named_workload("mnist1d", model, "sgd", 64, None, 0, DATA_ROOT)
        errors = confirm(workload, SCHEDULE, epochs, range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + options.seeds))
        measured = mean_interval([100 * (1 - error) for error in errors]).mean
        failed |= abs(measured - published) > MARGIN
        table.add_row(model, str(epochs), f"{published:.1f} %", f"{measured:.1f} %", f"{measured - published:+.1f}")
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Test accuracy on MNIST-1D, mean of {options.seeds} seeds: SGD, {SCHEDULE}")
    console.print(table)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    run_command(Options, main)
