"""The report of a study, or of a benchmark: a pure function of what an archive holds.

First the answer and the picture of it, then what it rests on, and at the end what it was made with and its limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from search_spaces.errors import InputError
from study.reports.benchmark_report import benchmark_sections
from study.reports.html import html_page
from study.reports.markdown import escaped
from study.reports.search_report import search_sections
from study.storage.archive import archive_of, archived, read_archive
from study.storage.study_record import StudyRecord
from study.storage.whole_files import write_whole


def write_report(studies: Sequence[StudyRecord], folder: Path) -> None:
    """Write the archive of the studies, and the report that is made of it: all files, or none."""
    archive = archive_of(studies)
    write_whole(folder, archive | pages_of(archived(archive, folder), folder))


def rebuild(folder: Path) -> None:
    """Make report.md, report.html and the figures of the archive in the folder; the same archive, the same bytes."""
    write_whole(folder, pages_of(read_archive(folder), folder))


def pages_of(studies: Sequence[StudyRecord], folder: Path) -> dict[str, bytes]:
    """The files that are made of an archive, the pages last. folder: of the archive, for messages."""
    if not studies:
        raise InputError(f"{folder} holds no study: write the report again from its study")
    sections = benchmark_sections(studies) if is_benchmark(studies) else search_sections(studies[0])
    title = escaped(studies[0].group)
    parts = [f"# {title}", *(section.markdown for section in sections)]
    markdown = "\n\n".join(parts) + "\n"
    figures = {name: svg for section in sections for name, svg in section.figures.items()}
    page = html_page(markdown, figures, studies[0].group)
    return {**figures, "report.md": markdown.encode(), "report.html": page.encode()}


def is_benchmark(studies: Sequence[StudyRecord]) -> bool:
    """Whether the studies are those of a benchmark of families."""
    return any(study.name != study.group for study in studies)
