"""Check on a GPU what no CPU can show: equal results, memory that runs out, and speed.

Without a GPU it says so and ends. The report is Markdown.
"""

from __future__ import annotations

import study.early  # noqa: F401

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from study.cli import run_command, write
from study.workloads.options import DATA_ROOT

NO_GPU = "There is no GPU here that torch sees, so nothing was checked. (--device cpu tries the checks on the CPU.)"


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    output: Path | None = None
    """File for the report, which is printed as well."""
    device: Literal["cuda", "cpu"] = "cuda"
    """cuda; or cpu, to try the checks themselves in small sizes without a GPU."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""


def main(options: Options) -> None:
    """Print each section when it is ready, and write the report so far; exit with 1 if a check fails."""
    import torch  # these load torch and Optuna: after the flags

    from study.evidence.gpu.checks import FULL, SMALL, introduction, sections
    from study.machine import choose_device

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
