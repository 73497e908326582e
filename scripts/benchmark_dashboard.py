"""Measure what the dashboard costs a study, and how soon a browser shows a long one; take the README's picture of it.

Needs the extra `browser`, and Chromium: `pip install -e '.[browser]' && apt-get install chromium`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import optuna

from search_spaces.errors import require_at_least
from study.address import make_folder
from study.command import DATA_ROOT, run_command
from study.configuration import Configuration
from study.dashboards.browser import browser_page
from study.dashboards.speed_of_dashboard import Cost, picture, ready_seconds, study_cost
from study.markdown import table
from study.records import best_trial, finished_trials
from study.storage import read_studies

PAGES = {"": "the study, its figures", "/note": "its note", "/trials?numbers={best}": "a trial, its picture"}


@dataclass(frozen=True)
class Options:
    """Measure what the dashboard costs a study, and how soon a browser shows it."""

    rounds: int = 10
    """How often a default study is searched with what the dashboard shows and without, in turn."""
    trials: int = 50
    """Trials of each of those."""
    long_study: int = 1000
    """Trials of the study, drawn at random, that a browser opens, beside one of `trials`."""
    repeats: int = 3
    """How often the browser opens each page."""
    output: Path = Path("results")
    """Folder for dashboard.md and dashboard.png."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds", "trials", "long_study", "repeats")


def main(options: Options) -> None:
    """Measure, print, and write."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with browser_page():
        pass  # say at once where there is none
    configuration = Configuration()
    workload = configuration.make_workload(options.data_root)
    make_folder(options.output)
    with tempfile.TemporaryDirectory() as name:
        pairs = []
        for number in range(options.rounds):
            seed = replace(configuration, sampler_seed=number)
            pairs.append(
                tuple(
                    study_cost(workload, seed, options.trials, Path(name) / f"{number}-{shown}.db", shown)
                    for shown in ((False, True) if number % 2 else (True, False))
                )[:: 1 if number % 2 else -1]
            )
            print(line(pairs[-1]), flush=True)
        long = Path(name) / "long.db"
        study_cost(workload, replace(configuration, sampler="random"), options.long_study, long, shown=True)
        sizes = {options.trials: Path(name) / "0-True.db", options.long_study: long}
        ready = {size: opened(f"sqlite:///{database}", options.repeats) for size, database in sizes.items()}
        image = picture(f"sqlite:///{sizes[options.trials]}")
    report = f"{cost_told(pairs, options.trials)}\n\n{ready_table(ready, options.repeats)}\n"
    print(report)
    (options.output / "dashboard.md").write_text(report)
    (options.output / "dashboard.png").write_bytes(image)


def opened(storage: str, repeats: int) -> dict[str, list[float]]:
    """Seconds until each page of the study there is ready."""
    (optuna_study,) = read_studies(storage, Configuration().study_name)
    best = best_trial(optuna_study, finished_trials(optuna_study))
    assert best is not None
    return ready_seconds(storage, best.number, repeats)


def line(pair: Sequence[Cost]) -> str:
    """One round."""
    without, shown = pair
    return (
        f"without {without.wall:.2f} s ({without.processor:.2f} s of processor), with {shown.wall:.2f} s "
        f"({shown.processor:.2f} s), of which it took {shown.shown_wall:.3f} s ({shown.shown_processor:.3f} s)"
    )


def cost_told(pairs: Sequence[Sequence[Cost]], trials: int) -> str:
    """What all rounds say."""
    found = {
        "of its processor time": [shown.shown_processor / shown.processor for _, shown in pairs],
        "of its wall time": [shown.shown_wall / shown.wall for _, shown in pairs],
        "processor time": [shown.processor / without.processor - 1 for without, shown in pairs],
        "wall time": [shown.wall / without.wall - 1 for without, shown in pairs],
    }
    own, own_wall, processor, wall = (
        f"{median(values):{sign}.1%} [{min(values):{sign}.1%}, {max(values):{sign}.1%}] {name}"
        for sign, (name, values) in zip("--++", found.items(), strict=True)
    )
    return (
        f"What the dashboard shows costs a study of {trials} trials {own} and {own_wall}, by clocks around that code; "
        f"median [least, most] of {len(pairs)} rounds. The same searches with it against without, in turn, with all "
        f"that else differs from search to search: {processor}, {wall}."
    )


def ready_table(ready: dict[int, dict[str, list[float]]], repeats: int) -> str:
    """Seconds until each page is ready, by the number of trials."""
    heads = ["page", *(f"{trials} trials" for trials in ready)]
    rows = [[PAGES[path], *(f"{median(own[path]):.1f} s" for own in ready.values())] for path in PAGES]
    told = f"Until a page is ready in headless Chromium, a new browser each time, median of {repeats}:"
    return f"{told}\n\n{table(heads, rows)}"


if __name__ == "__main__":
    run_command(Options, main)
