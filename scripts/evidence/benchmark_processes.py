"""Time whole processes from start to prompt: our search beside an unpruned Optuna study with the tutorials' loop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from search_spaces.errors import require, require_at_least
from study.cli import run_command
from study.storage.url import make_folder


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    trials: int = 50
    """Trials of each."""
    rounds: int = 2
    """Times that each is run, in turn; the least counts."""
    before: Path | None = None
    """Checkout of an earlier version, whose search.py takes part."""
    output: Path = Path("results/speed")
    """Folder for processes.md and processes.json."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "trials", "rounds")
        if self.before:
            what = "--before must be a folder with scripts/search.py"
            require((self.before / "scripts/search.py").is_file(), what, self.before)


def main(options: Options) -> None:
    """Run them in turn, print the tables and write them."""
    import torch  # these load it: after the flags

    from study.evidence.speed.whole_processes import BEFORE, ROOT, TUTORIAL, page, raced_commands, timed_process
    from study.storage.provenance import provenance

    before = options.before and options.before.resolve()
    commands = raced_commands(options.trials, before)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    stages: dict[str, dict[str, float]] = {}
    for _ in range(options.rounds):
        for name, arguments in commands.items():
            took, of_stages = timed_process(arguments, before if before and name == BEFORE else ROOT)
            seconds[name].append(took)
            stages |= {name: of_stages} if name != TUTORIAL else {}
            print(f"{name}: {took:.1f} s", flush=True)
    text = page(seconds, stages, options.trials)
    make_folder(options.output)
    (options.output / "processes.md").write_text(text)
    made = {"seconds": seconds, "made": provenance(torch.device("cpu"))}
    (options.output / "processes.json").write_text(json.dumps(made, indent=2) + "\n")
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
