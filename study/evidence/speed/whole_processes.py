"""Whole processes, from start to prompt: our search, and an unpruned Optuna study with the loop of PyTorch's tutorials.

As a script, `python -m study.evidence.speed.whole_processes TRIALS`, it is that study.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[3]
TUTORIAL = "Optuna study, tutorial loop"
BEFORE = "search.py as it was"
STAGES = {
    "until it says what is searched (imports, data)": ("Study ",),
    "timing the engines": ("Engine: ",),
    "searching": (", done", " trials | best"),
    "confirming": ("The schedule in PyTorch",),
}
"""What our process does, and what the line holds that ends it, now or in earlier versions; the verdict is the rest."""
REST = "verdict, code, end"


def raced_commands(trials: int, before: Path | None = None) -> dict[str, list[str]]:
    """The processes that are compared, by name. before: the checkout of an earlier version that takes part."""
    search = ["scripts/search.py", "--trials", str(trials)]
    earlier = {BEFORE: [str(before / "scripts/search.py"), *search[1:]]} if before else {}
    return {
        TUTORIAL: ["-m", "study.evidence.speed.whole_processes", str(trials)],
        **earlier,
        "search.py --confirm-seeds 0": [*search, "--confirm-seeds", "0"],
        "search.py": search,
    }


def timed_process(arguments: Sequence[str], root: Path = ROOT) -> tuple[float, dict[str, float]]:
    """(seconds from start to end, seconds of each of STAGES and of the rest), in a new folder.

    root: the checkout whose packages it imports.
    """
    with TemporaryDirectory() as folder:
        (Path(folder) / "results").mkdir()
        script = [str(ROOT / one) if one.startswith("scripts/") else one for one in arguments]
        began = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(root)}
        with subprocess.Popen(
            [sys.executable, "-u", *script], cwd=folder, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout
            lines = [(time.perf_counter() - began, line) for line in process.stdout]
        seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with exit code {process.returncode}")
    return seconds, stages_of(lines, seconds)


def stages_of(lines: Sequence[tuple[float, str]], end: float) -> dict[str, float]:
    """Seconds of each stage. lines: when each was printed, and what it says. end: of the process."""
    before, found = 0.0, {}
    for name, marks in STAGES.items():
        at = [moment for moment, line in lines if moment >= before and any(mark in line for mark in marks)]
        if at:
            found[name] = at[0] - before
            before = at[0]
    return {**found, REST: end - before}


def page(seconds: Mapping[str, Sequence[float]], stages: Mapping[str, Mapping[str, float]], trials: int) -> str:
    """The tables: each process with the least of its times, and where the seconds of ours went.

    stages: seconds of each stage, by process.
    """
    least = {name: min(times) for name, times in seconds.items()}
    rounds = len(next(iter(seconds.values())))
    rows = [
        f"| {name} | {time:.1f} | {', '.join(f'{one:.1f}' for one in seconds[name])} | {least[TUTORIAL] / time:.1f} |"
        for name, time in least.items()
    ]
    return "\n".join(
        [
            f"Whole processes, from start to prompt, {trials} trials of the default search, in turn, {rounds} rounds.",
            "",
            "| process | least, s | all, s | times as fast |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            "Where the seconds of their last runs went:",
            "",
            f"| stage | {' | '.join(stages)} |",
            f"|---|{'---:|' * len(stages)}",
            *(
                f"| {stage} | {' | '.join(shown(own.get(stage)) for own in stages.values())} |"
                for stage in (*STAGES, REST)
            ),
            "",
        ]
    )


def shown(seconds: float | None) -> str:
    """Seconds in a table; a dash if there is no such stage."""
    return "-" if seconds is None else f"{seconds:.1f}"


def run_tutorial_study() -> None:
    """An Optuna study that a reader of both tutorials would write."""
    import optuna

    from study.assembly import plan_search
    from study.evidence.speed.tutorial_loop import tutorial_study
    from study.search.configuration import Configuration
    from study.source import make_objective
    from study.workloads.options import DATA_ROOT, WorkloadOptions

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = make_objective(WorkloadOptions(), "cpu", DATA_ROOT)
    plan = plan_search(WorkloadOptions(), objective, Configuration(), None)
    print(tutorial_study(objective.workload, plan, int(sys.argv[1])).schedule)


if __name__ == "__main__":
    run_tutorial_study()
