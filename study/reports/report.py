"""The report of a study, or of a benchmark: a pure function of what an archive holds.

First the answer and the picture of it, then what it rests on, and at the end what it was made with and its limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from study.reports.benchmark_report import benchmark_sections
from study.reports.html import html_page
from study.reports.markdown import escaped
from study.reports.search_report import search_sections
from study.storage.archive import read_archive, write_archive
from study.storage.study_record import StudyRecord


def write_report(studies: Sequence[StudyRecord], folder: Path) -> None:
    """Write the archive of the studies, and the report that is made of it."""
    write_archive(studies, folder)
    rebuild(folder)


def rebuild(folder: Path) -> None:
    """Make report.md, report.html and the figures of the archive in the folder; the same archive, the same bytes."""
    studies = read_archive(folder)
    sections = benchmark_sections(studies) if is_benchmark(studies) else search_sections(studies[0])
    title = escaped(studies[0].group)
    parts = [f"# {title}", *(section.markdown for section in sections)]
    markdown = "\n\n".join(parts) + "\n"
    (folder / "report.md").write_text(markdown)
    figures = {name: svg for section in sections for name, svg in section.figures.items()}
    for name, svg in figures.items():
        (folder / name).write_bytes(svg)
    (folder / "report.html").write_text(html_page(markdown, figures, studies[0].group))


def is_benchmark(studies: Sequence[StudyRecord]) -> bool:
    """Whether the studies are those of a benchmark of families."""
    return any(study.name != study.group for study in studies)
