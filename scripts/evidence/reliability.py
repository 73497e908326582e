"""Kill searches, benchmarks and reports at random moments, damage databases, and search with many processes at once.

Examples:
    python scripts/evidence/reliability.py --kills 20 --damaged 50    # some minutes
    python scripts/evidence/reliability.py --kills 500 --processes 4  # hours
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from search_spaces.errors import require_at_least
from study.cli import run_command
from study.storage.url import make_folder


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    kills: int = 500
    """Starts of searches and benchmarks that are killed while they run."""
    reports: int = 40
    """Reports that are killed."""
    damaged: int = 300
    """Databases that are damaged; three commands are given each."""
    searches: int = 8
    """Searches in one database at the same time."""
    processes: int = 1
    """Studies that are killed, reports and damaged databases at a time."""
    seed: int = 0
    """Seed of all that is random here."""
    output: Path = Path("results")
    """Folder for reliability.md and reliability.json."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "kills", "reports", "damaged", "searches", "processes")
        require_at_least(0, self, "seed")


def main(options: Options) -> None:
    """Run one storm after the other, print how it goes, and write the page."""
    import torch  # these load it: after the flags

    from study.evidence.reliability.commands import heed_interrupts
    from study.evidence.reliability.damage import damaged_databases
    from study.evidence.reliability.kills import kill_storm, killed_reports
    from study.evidence.reliability.page import reliability_page
    from study.evidence.reliability.together import search_together
    from study.storage.provenance import provenance
    from study.storage.whole_files import write_whole

    heed_interrupts()
    seeded = (options.seed, options.processes)
    make_folder(options.output)
    output = options.output.resolve()
    with TemporaryDirectory() as name:
        folders = [Path(name, one) for one in ("kills", "reports", "damage", "together")]
        for folder in folders:
            folder.mkdir()
        together = search_together(folders[3], options.searches)
        print(together, flush=True)
        resumed = []
        for one in kill_storm(folders[0], options.kills, options.seed, processes=options.processes):
            resumed.append(one)
            running = sum(kill.was_running for study in resumed for kill in study.kills)
            print(f"{running} kills. {one.setup}: {len(one.kills)} starts, {one.problem or 'equal'}", flush=True)
        reports = list(killed_reports(folders[1], options.reports, *seeded))
        os.chdir(folders[2])  # reports and code of the damaged studies are written there
        cases = list(damaged_databases(folders[2], options.damaged, *seeded))
    text = reliability_page(resumed, reports, cases, together)
    kept = {
        "made": provenance(torch.device("cpu")),
        "resumed": [one._asdict() for one in resumed],
        "reports": reports,
        "damaged": [case._replace(said=case.said[-300:]) for case in cases if case.kind not in ("the same result",)],
        "together": together,
    }
    write_whole(
        output, {"reliability.json": (json.dumps(kept, indent=1) + "\n").encode(), "reliability.md": text.encode()}
    )
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
