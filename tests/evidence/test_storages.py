"""The table of what storages cost, and that both are measured, in turns."""

import csv
import json

import pytest

from study.evidence.private_server import postgresql_programs
from study.evidence.speed import storages as storages_module
from study.evidence.speed.storages import Measurement, measure_storages, page_of_storages
from study.storage.studies import connect_to_read
from study.training.workload_objective import WorkloadObjective
from tests.helpers import ROOT, start


def test_a_line_for_each_size():
    measured = [
        Measurement(storage, trials, storing, opening)
        for trials in (50, 10_000)
        for storing, opening in ((0.010, 0.1), (0.012, 0.3), (0.011, 0.2))
        for storage in ("SQLite", "PostgreSQL")
    ]
    lines = page_of_storages(measured, (0.5, 1.0), "PostgreSQL 15").splitlines()
    assert "of 3 rounds" in lines[0]
    assert lines[0].endswith("Load of the machine: 0.5 at the beginning, 1.0 at the end.")
    assert lines[-1].startswith("| 10,000 | 11.0 [10.0, 12.0] | 11.0 [10.0, 12.0] | 0.20 [0.10, 0.30] |")


def test_storages_have_their_turns(tmp_path, workload, monkeypatch):
    monkeypatch.setattr(storages_module, "STORED", 2)
    storages = {name: f"sqlite:///{tmp_path / name}.db" for name in ("one", "other")}
    objective = WorkloadObjective(workload)
    attributes = {"group": "measured", **objective.attributes()}
    measured = list(measure_storages(objective, attributes, storages, (3, 8), 2))
    assert [(one.trials, one.storage) for one in measured] == [
        (size, name) for size in (3, 8) for _ in range(2) for name in storages
    ]
    assert all(one.storing > 0 and one.opening > 0 for one in measured)
    for url in storages.values():
        assert connect_to_read(url).get_n_trials(1) == 8 + 2 * 2


def test_the_committed_table_is_that_of_the_committed_rows():
    folder = ROOT / "results" / "speed"
    with (folder / "storages.csv").open(newline="") as file:
        measured = [
            Measurement(row["storage"], int(row["trials"]), float(row["storing"]), float(row["opening"]))
            for row in csv.DictReader(file)
        ]
    made = json.loads((folder / "storages.json").read_text())
    page = page_of_storages(measured, tuple(made["load"]), made["server"])
    assert (folder / "storages.md").read_text() == page


@pytest.mark.slow
@pytest.mark.skipif(postgresql_programs() is None, reason="needs PostgreSQL: apt-get install postgresql")
def test_the_benchmark_of_storages(tmp_path):
    pytest.importorskip("psycopg", reason="needs the extra postgresql")
    flags = ["--trials", 5, "--rounds", 1, "--output", "measured"]
    process = start("evidence/benchmark_storage.py", *flags, cwd=tmp_path)
    said = process.communicate(timeout=240)[0]
    assert process.returncode == 0, said
    rows = list(csv.DictReader((tmp_path / "measured" / "storages.csv").read_text().splitlines()))
    assert [row["storage"] for row in rows] == ["SQLite", "PostgreSQL"]
