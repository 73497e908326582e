"""Check on a GPU what no CPU can show: equal results, memory that runs out, and speed. Takes some four minutes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from search_spaces.errors import require
from study.api import DATA_ROOT
from study.cli import run_command, write
from study.evidence.gpu.checks import FULL, SMALL, introduction, sections
from study.machine import choose_device

NO_GPU = "There is no GPU here that torch sees, so nothing was checked. (--device cpu tries the checks on the CPU.)"


@dataclass(frozen=True)
class Options:
    """Check this project on a GPU, and report in Markdown; without a GPU it says so and ends."""

    output: Path | None = None
    """File for the report, which is printed as well."""
    device: str = "cuda"
    """cuda; or cpu, to try the checks themselves, in small sizes, where there is no GPU."""
    data_root: Path = DATA_ROOT
    """Directory for data sets that are downloaded or made."""

    def __post_init__(self) -> None:
        require(self.device in ("cuda", "cpu"), "--device must be cuda or cpu", self.device)


def main(options: Options) -> None:
    """Print each section as it is ready, and keep what there is by then; exit with 1 if a check fails."""
    if options.device == "cuda" and not torch.cuda.is_available():
        print(NO_GPU)
        return
    device = choose_device(options.device)
    parts, problems = [], list[str]()

    def add(part: str) -> None:
        parts.append(part)
        print(part, flush=True)
        if options.output:
            write(options.output, "\n".join(parts).encode())

    add(introduction(device))
    for section in sections(FULL if device.type == "cuda" else SMALL, device, options.data_root):
        add(str(section))
        problems += section.problems
    if problems:
        sys.exit(1)


if __name__ == "__main__":
    run_command(Options, main)
