"""Write defaults.md, beside this file, from the reports of benchmarks in results/: `python docs/defaults.py`."""

from __future__ import annotations

from pathlib import Path

from study.reports.defaults_page import defaults_page
from study.storage.archive import read_archive
from study.workloads.names import MODELS, OPTIMIZERS

PAGE = Path(__file__).parent / "defaults.md"
RESULTS = Path(__file__).parent.parent / "results"


def page() -> str:
    """The whole page."""
    reports = {folder.name: read_archive(folder) for folder in sorted(RESULTS.glob("benchmark-*"))}
    return defaults_page(reports, OPTIMIZERS, MODELS)


if __name__ == "__main__":
    PAGE.write_text(page())
