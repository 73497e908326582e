"""The notebook, executed with nbclient as a user runs it: the answer is rich, and Stop keeps what was found."""

import copy
import os
import signal
import threading
import time

import pytest

from tests.helpers import ROOT

nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[notebook]'")
nbclient = pytest.importorskip("nbclient", reason="pip install -e '.[notebook]'")
PATH = ROOT / "scripts" / "examples" / "which_schedule.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


@pytest.fixture
def notebook():
    return nbformat.read(PATH, 4)


def outputs(cell, kind):
    """What a cell shows of one kind, such as text/html."""
    return [output["data"][kind] for output in cell.outputs if kind in output.get("data", {})]


def test_it_is_short_and_holds_no_output(notebook):
    assert len(notebook.cells) <= 8
    assert all(not cell.get("outputs") for cell in notebook.cells)


def test_it_is_executed_from_the_top(notebook):
    nbclient.NotebookClient(notebook, timeout=150, resources={"metadata": {"path": str(ROOT)}}).execute()
    search = next(cell for cell in notebook.cells if "find_schedule" in cell.source)
    (bar,) = (html for html in outputs(search, "text/html") if "<progress" in html)
    assert bar.startswith('<progress value="160" max="160"></progress> 160/160 epochs, 20/20 trials')
    (shown,) = outputs(next(cell for cell in notebook.cells if cell.source == "result"), "text/html")
    assert shown.startswith("<p><b>Use ")
    assert "data:image/svg+xml;base64," in shown
    assert "<table>" in shown
    assert notebook.cells[-1].outputs[0].text.endswith("% wrong\n")


def test_stop_keeps_the_trials_and_returns_a_result(notebook, tmp_path):
    search = next(cell for cell in notebook.cells if "find_schedule" in cell.source)
    search.source = search.source.replace("trials=20", f"trials=5000, storage={str(tmp_path / 'n.db')!r}")
    cells = notebook.cells[: notebook.cells.index(search) + 1]
    notebook.cells = [*copy.deepcopy(cells), nbformat.v4.new_code_cell("len(result.record.trials)")]
    client = nbclient.NotebookClient(notebook, timeout=150, resources={"metadata": {"path": str(ROOT)}})

    def stop():
        while not (tmp_path / "n.db").exists():
            time.sleep(0.1)
        time.sleep(10)
        os.kill(client.km.provisioner.pid, signal.SIGINT)

    thread = threading.Thread(target=stop)
    thread.start()
    client.execute()
    thread.join()
    (kept,) = outputs(notebook.cells[-1], "text/plain")
    assert 0 < int(kept) < 5000
