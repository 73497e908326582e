"""Time `Schedule.rates` beside `Schedule.simulate`, for every family."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.errors import require_at_least
from study.cli import run_command


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    total_steps: int = 1000
    """Optimizer steps of the run."""
    rounds: int = 5
    """Times that each method is timed; the shortest time counts."""

    def __post_init__(self) -> None:
        require_at_least(3, self, "total_steps")
        require_at_least(1, self, "rounds")


def main(options: Options) -> None:
    """Time and print."""
    from study.evidence.speed.rates import table_of_curves, time_curves  # loads torch: after the flags

    print(table_of_curves(time_curves(options.total_steps, options.rounds)))


if __name__ == "__main__":
    run_command(Options, main)
