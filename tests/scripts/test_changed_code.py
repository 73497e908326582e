"""A study whose model or helper modules have changed is not continued without a word, nor is the machine blamed."""

import sqlite3
import sys
from pathlib import Path

import pytest
import torch

HELPER = """
from torch import nn

def body(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, classes))
"""
ENTRY = """
import torch
from helped.parts import body

def model(input_shape, classes):
    made = body(classes)
    made[1].load_state_dict(torch.load("start.pt"))
    return made
"""
SEARCH = ("search.py", "--dataset", "digits", "--model", "helped.entry:model", "--epochs", 1, "--confirm-seeds", 0)
SEARCH += ("--families", "constant", "--engine", "loop", "--storage", "sqlite:///s.db", "--study", "s", "--trials")
REPRODUCE = ("reproduce.py", "--study", "s", "--trial", 0, "--storage", "sqlite:///s.db")


@pytest.fixture
def searched(command, tmp_path, data_root, monkeypatch):
    """A study whose model is made with a helper module and a checkpoint."""
    (tmp_path / "helped").mkdir()
    for name, text in {"__init__": "", "parts": HELPER, "entry": ENTRY}.items():
        (tmp_path / "helped" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    torch.save(torch.nn.Linear(64, 8).state_dict(), "start.pt")
    assert command(*SEARCH, 2).code == 0
    return tmp_path


def forget():
    """The next command imports the model's modules again, as in a new process."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "helped"]:
        del sys.modules[name]


def test_a_helper_module_that_changes_is_named(command, searched):
    parts = searched / "helped" / "parts.py"
    parts.write_text(HELPER.replace("ReLU", "Sigmoid"))  # of another length, or the bytecode might be taken as current
    forget()
    refused = command(*SEARCH, 3)
    said = "helped/parts.py and the model's outputs have changed since study 's' was created: restore them"
    assert (refused.code, refused.err) == (
        2,
        f"error: {said}, give --accept-changes, or choose another name with --study\n",
    )
    forget()
    parts.write_text(f"{parts.read_text()}\nopen('imported', 'w').close()\n")
    reproduced = command(*REPRODUCE)
    only_the_file = "helped/parts.py has changed since study 's' was created: restore it"
    assert (reproduced.code, reproduced.err) == (2, f"error: {only_the_file}\n")
    assert not (searched / "imported").exists(), "it is compared before it is imported, which runs it"
    accepted = command(*SEARCH, 3, "--accept-changes")
    assert accepted.code == 0
    both = "helped/parts.py and the model's outputs"
    assert f"Accepted: {both} have changed since study 's' was created." in " ".join(accepted.out.split())
    assert command(*SEARCH, 4).code == 0, "what was accepted is what the study is made of now"
    reproduced = command(*REPRODUCE)
    said = f"{both} changed after this trial, and --accept-changes was given."
    assert reproduced.code == 1
    assert f"Not reproduced to the last bit: {said}" in " ".join(reproduced.out.split())
    later = command("reproduce.py", "--study", "s", "--trial", 3, "--storage", "sqlite:///s.db")
    assert later.code == 0, "trained with what the study is made of now"
    assert command("report.py", "--study", "s", "--storage", "sqlite:///s.db", "--output", "out").code == 0
    limit = f"- From trial 2 on, something else was trained: {both} had changed."
    assert limit in Path("out", "report.md").read_text().replace("\\", "")
    parts.write_text(HELPER)
    assert command(*SEARCH, 5).code == 2


def test_the_module_that_is_named_changes(command, searched):
    (searched / "helped" / "entry.py").write_text(f"{ENTRY}# changed\n")
    refused = command(*SEARCH, 3)
    assert refused.code == 2
    assert "helped/entry.py has changed since study 's' was created: restore it, give --accept" in refused.err
    assert command(*SEARCH, 3, "--accept-changes").code == 0
    assert command(*SEARCH, 4).code == 0


def test_a_checkpoint_that_changes_is_noticed(command, searched):
    torch.save({"weight": torch.zeros(8, 64), "bias": torch.full((8,), -5.0)}, "start.pt")
    for arguments in ((*SEARCH, 3), REPRODUCE):
        refused = command(*arguments)
        assert refused.code == 2
        assert "the model's first parameters have changed since study 's' was created: restore them" in refused.err


def test_a_study_made_before_is_continued_with_a_note(command, searched):
    with sqlite3.connect("s.db") as database:
        assert database.execute("delete from study_user_attributes where key = 'made_of'").rowcount == 1
    database.close()
    (searched / "helped" / "parts.py").write_text(HELPER.replace("ReLU", "Tanh"))
    continued = command(*SEARCH, 3)
    assert continued.code == 0
    assert "Note: study 's' has no record of your files and the model" in " ".join(continued.out.split())
    begun = continued.out.partition("The schedule in PyTorch")[0].splitlines()
    assert max(map(len, begun)) <= 80, "wrapped, as the lines beside it"


def test_a_comparison_is_not_continued_with_other_code(command, searched):
    """Its families would not be compared with the same model."""
    compare = ("benchmark.py", "--dataset", "digits", "--model", "helped.entry:model", "--epochs", 1, "--families")
    compare += ("constant", "--trials-per-family", 1, "--confirm-seeds", 1, "--engine", "loop", "--storage")
    assert command(*compare, "sqlite:///b.db", "--name", "b").code == 0
    (searched / "helped" / "parts.py").write_text(HELPER.replace("ReLU", "Tanh"))
    refused = command(*compare, "sqlite:///b.db", "--name", "b")
    assert refused.code == 2
    assert refused.err.endswith("was created: restore it, or choose another name with --name\n")
