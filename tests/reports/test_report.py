"""Reports: a pure function of what is stored, for a study in any state, in files that need nothing else."""

import re
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from search_spaces.ranges import Choice
from study.analysis.peak_drift import peak_drifts
from study.reports.html import html_page
from study.reports.report import rebuild, write_report
from study.reports.search_report import compared_at, failures_section, search_sections
from study.storage.studies import read_studies
from tests.example_studies import SESSION, SETTINGS, TRIAL, study_record
from tests.helpers import SMALL, open_small, run_search

AUDITED = replace(SMALL, audit=0.5)
NAME = "mine <b>&_$*|"


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def searched(tmp_path_factory, workload):
    """A study of thirty trials, and its report."""
    folder = tmp_path_factory.mktemp("searched")
    storage = f"sqlite:///{folder}/studies.db"
    run_search(storage, workload, 30, AUDITED, NAME)
    studies = read_studies(storage, NAME)
    write_report(studies, folder / "report")
    return studies, folder / "report"


def test_a_report_is_a_function_of_its_archive(searched, tmp_path):
    """Written again from the database, and made again from its own files: the same bytes."""
    studies, folder = searched
    first = files(folder)
    assert {"report.md", "report.html", "trials.csv", "curves.csv", "manifest.json", "winner.svg"} <= first.keys()
    write_report(studies, tmp_path / "second")
    assert files(tmp_path / "second") == first
    rebuild(tmp_path / "second")
    assert files(tmp_path / "second") == first


def test_it_says_how_the_best_peak_moved_between_the_rungs(searched):
    [study], folder = searched
    [drift] = peak_drifts(study)
    lengths = f"at {drift.short_steps} steps / at {drift.long_steps} steps: {drift.ratio:.2f} ({drift.ratio.n} trials)."
    plain = (folder / "report.md").read_text().replace("\\", "")
    assert f"How the best peak moved with the length of the run: best peak_lr {lengths}" in plain


class Page(HTMLParser):
    """What a browser would load, show, and find unclosed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.text, self.unclosed = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "hr", "img"):
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value[:1] != "#"]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            self.unclosed.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_needs_nothing_else(searched):
    _, folder = searched
    text = (folder / "report.html").read_text()
    shown = Page(text)
    assert (shown.open, shown.unclosed, shown.loads) == ([], [], [])
    assert NAME in "".join(shown.text), "the name stands there as it is"
    assert "<b>" not in text
    assert text.count("<svg") == len(re.findall(r"!\[", (folder / "report.md").read_text())) >= 4
    ids = re.findall(r'\bid="([^"]+)"', text)
    for target in re.findall(r'(?:href="#|url\(#)([^")]+)', text):
        assert ids.count(target) == 1
    for figure in folder.glob("*.svg"):
        ElementTree.parse(figure)


def test_the_report_says_what_the_study_says(searched):
    (study,), folder = searched
    said = (folder / "report.md").read_text()
    value = study.best.value
    assert f"Trial {study.best.number}: validation error {100 * value:.{1 if value >= 0.1 else 2}f} %" in said
    for family in {trial.family for trial in study.trials}:
        assert f"| `{family}` | {sum(t.family == family for t in study.trials)} |" in said
    assert "| `all` |" in said, "the audit"
    assert "def make_scheduler(" in said
    assert f"peak_lr={study.best.peak_lr!r}" in said
    program, script, *_ = study.sessions[0].command.split()
    assert f"\n{program} {Path(script).name}" in said


def in_state(state, storage, workload):
    wild = replace(workload, peak_lr=(1e20, 1e21))
    match state:
        case "empty":
            with open_small(storage, workload):
                pass
        case "one trial":
            run_search(storage, workload, 1)
        case "all diverged":
            run_search(storage, wild, 12)
        case "all pruned":
            with open_small(storage, workload) as study:
                run = [t for t in run_search(f"{storage}2", workload, 10) if t.state.name == "PRUNED"]
                study.optuna_study.add_trials(run)
        case "still running":
            with open_small(storage, workload) as study, closing(study.search(40)) as steps:
                for _ in zip(range(60), steps, strict=False):
                    pass


@pytest.mark.parametrize("state", ["empty", "one trial", "all pruned", "all diverged", "still running"])
def test_a_study_in_any_state_has_a_report(state, storage, workload, tmp_path, monkeypatch):
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", 0.0)
    in_state(state, storage, workload)
    write_report(read_studies(storage, "small"), tmp_path / "report")
    said = (tmp_path / "report/report.md").read_text()
    assert ("No winner yet: " in said) == (state in ("empty", "all pruned"))
    assert ("trials diverged, with a peak\\_lr of" in said) == (state == "all diverged")
    assert bool(re.search(r"In progress: \d+ further trials had started", said)) == (state == "still running")
    assert ("1 trial, " in said) == (state == "one trial")
    shown = Page((tmp_path / "report/report.html").read_text())
    assert (shown.open, shown.unclosed, shown.loads) == ([], [], [])
    before = files(tmp_path / "report")
    rebuild(tmp_path / "report")
    assert files(tmp_path / "report") == before


def test_html_in_the_markdown_shows_as_text():
    assert "&lt;script&gt;" in html_page("a <script> b", {}, "t")
    assert "<title>a &lt; b</title>" in html_page("", {}, "a < b")


def test_the_command(command, storage, workload, tmp_path):
    run_search(storage, workload, 10)
    result = command("report.py", "--study", "small", "--storage", storage)
    assert (result.code, result.err) == (0, "")
    assert result.out == "results/small/report.md\nresults/small/report.html\n"
    before = files(tmp_path / "results/small")
    assert command("report.py", "--rebuild", "results/small").code == 0
    assert files(tmp_path / "results/small") == before
    (tmp_path / "taken").touch()
    result = command("report.py", "--study", "small", "--storage", storage, "--output", "taken")
    assert (result.code, result.err) == (2, "error: cannot make the folder taken: File exists. Choose another\n")
    (tmp_path / "results/small/manifest.json").write_text("[{")
    result = command("report.py", "--rebuild", "results/small")
    assert result.code == 2
    assert result.err.startswith("error: results/small/manifest.json is damaged (")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--study small", "there is no database results/studies.db: check --storage, or search first"),
        ("--rebuild nowhere", "nowhere holds no report: it needs trials.csv, curves.csv and manifest.json"),
        ("", "give --study NAME or --rebuild FOLDER, but neither was given"),
    ],
)
def test_bad_input_is_told_in_one_message(arguments, said, command, tmp_path):
    result = command("report.py", *arguments.split())
    assert (result.code, result.out, result.err) == (2, "", f"error: {said}\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]


@pytest.mark.parametrize(
    ("pruner", "budgets", "said"),
    [
        ("horizon", (2, 20), "Values after 2 epochs. All trials are compared at this length."),
        ("none", (20,), "Values after 20 epochs. All trials are compared at this length."),
        ("median", (20,), "Values after 20 epochs. Pruned trials did not get that far."),
    ],
)
def test_the_report_says_at_which_length_trials_are_compared(pruner, budgets, said):
    settings = replace(SETTINGS, pruner=pruner, budgets=budgets)
    assert compared_at(study_record([TRIAL], settings=settings)) == said


OWN = replace(SETTINGS, space=SETTINGS.space | {"warmup_fraction_is_0": Choice((True, False))})
WHOLE = replace(TRIAL, params={"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True})


def test_sections_with_two_dots_are_left_out():
    two, three = ([replace(WHOLE, number=number) for number in range(n)] for n in (2, 3))
    names = [
        [section.title for section in search_sections(study_record(trials, settings=OWN))]
        for trials in ([], two, three)
    ]
    assert names[0] == ["Verdict", "Limits", "Search space", "Environment and commands"]
    assert names[1] == [*names[0][:2], "The schedule in PyTorch", "Families", *names[0][2:]]
    assert names[2] == [*names[1][:4], "Sensitivity to peak_lr", "Progress", *names[1][4:]]


def test_failed_runs_are_listed_with_their_reasons():
    why = "it exited with code 1. Its last output (results/own/runs/rex/output.txt):\n  RuntimeError: too hot"
    section = failures_section(study_record([replace(TRIAL, failure=why, diverged=True), TRIAL]))
    shown = section.body
    last = shown.splitlines()[-1]
    trial = f"| {TRIAL.number} | `{TRIAL.family}` | {TRIAL.peak_lr:.3g} |"
    assert last.startswith(f"{trial} it exited with code 1. Its last output \\(results/own")
    assert "too hot" not in shown
    assert failures_section(study_record([TRIAL])) is None


def test_the_report_names_no_folder_of_the_machine():
    session = replace(SESSION, command="python search.py --storage sqlite:////home/me/s.db --space /home/me/space.toml")
    settings = replace(OWN, dataset="/home/me/table.csv")
    record = replace(study_record([WHOLE], settings=settings), sessions=(session,))
    said = "".join(section.body for section in search_sections(record))
    assert "/home" not in said
    assert "python search.py --storage sqlite:///s.db --space space.toml" in said
