"""Committed files under results/ equal what the commands make from the data beside them, byte for byte."""

import shutil
from importlib.metadata import version

import pytest

from study.evidence.known.known_results_page import ARMS, PAGE, read_benchmarks, write_page
from study.reports.report import rebuild
from study.storage.archive import CURVES, MANIFEST, TRIALS
from tests.helpers import DRAWN_WITH, ROOT

RESULTS = ROOT / "results"
REPORTS = sorted(path.parent for path in RESULTS.glob(f"*/{TRIALS}"))
HTML, WITH_HTML = "report.html", "benchmark-mnist1d-mlp-sgd"


def test_the_reference_reports_are_there():
    names = {folder.name for folder in REPORTS}
    for workload in ("mnist1d-mlp-sgd", "mnist1d-cnn-adamw", "mnist1d-transformer-adamw", "fashion-mnist-mlp-sgd"):
        assert f"benchmark-{workload}" in names


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(folder, id=folder.name, marks=pytest.mark.slow if folder.name == WITH_HTML else ())
        for folder in REPORTS
    ],
)
def test_a_report_is_rebuilt_from_its_data(folder, tmp_path):
    for name in (TRIALS, CURVES, MANIFEST):
        shutil.copy(folder / name, tmp_path)
    rebuild(tmp_path)
    assert (tmp_path / "report.md").read_text() == (folder / "report.md").read_text()
    if version("matplotlib") != DRAWN_WITH:
        pytest.skip(f"the figures were drawn with matplotlib {DRAWN_WITH}: here is {version('matplotlib')}")
    made, committed = ({path.name: path.read_bytes() for path in own.iterdir()} for own in (tmp_path, folder))
    page = made.pop(HTML)
    if folder.name == WITH_HTML:
        assert page == committed.pop(HTML)
    assert made == committed, "without the page, which is large: it is kept of one report only"


def test_the_table_of_known_results_is_rebuilt_from_its_data(tmp_path):
    shutil.copytree(RESULTS, tmp_path / "results", ignore=shutil.ignore_patterns(PAGE, "*.db*", "search/*.png"))
    assert (tmp_path / "results/known" / ARMS).is_file()
    write_page(read_benchmarks(tmp_path / "results"), tmp_path / "results")
    assert (tmp_path / "results/known" / PAGE).read_text() == (RESULTS / "known" / PAGE).read_text()
