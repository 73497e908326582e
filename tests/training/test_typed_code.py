"""Code that a study names: what counts as code, and when it may run."""

import pytest

from search_spaces import InputError
from study.training import typed_code
from study.training.typed_code import named_code, note_typed, refuse_untyped

BUILT_IN = {"dataset": "digits", "model": "gpt:tiny", "optimizer": "sgd", "workload": None, "ray_address": None}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (BUILT_IN, {}),
        (BUILT_IN | {"model": "torchvision:resnet18", "optimizer": "torch.optim:NAdam"}, {}),
        (BUILT_IN | {"dataset": "data/table.csv"}, {}),
        (BUILT_IN | {"dataset": "mine:data", "model": "mine:net"}, {"dataset": "mine:data", "model": "mine:net"}),
        (BUILT_IN | {"optimizer": "shutil:rmtree"}, {"optimizer": "shutil:rmtree"}),
        (BUILT_IN | {"dataset": "gpt:tiny"}, {"dataset": "gpt:tiny"}),
        (BUILT_IN | {"dataset": "timm:f"}, {"dataset": "timm:f"}),
        (BUILT_IN | {"model": "gpt:f"}, {"model": "gpt:f"}),
        (BUILT_IN | {"model": "torch.optim:SGD"}, {"model": "torch.optim:SGD"}),
        (BUILT_IN | {"optimizer": "gpt:tiny"}, {"optimizer": "gpt:tiny"}),
        (BUILT_IN | {"optimizer": "timm:f"}, {"optimizer": "timm:f"}),
        (BUILT_IN | {"workload": "mine:all", "dataset": "a:b", "model": "c:d"}, {"workload": "mine:all"}),
        (BUILT_IN | {"workload": "mine:all", "optimizer": "a:b"}, {"workload": "mine:all", "optimizer": "a:b"}),
        (BUILT_IN | {"ray_address": "host:6379"}, {"ray_address": "host:6379"}),
        (BUILT_IN | {"ray_address": "auto"}, {}),
        ({"command": "rm -r {run_dir}"}, {"command": "rm -r {run_dir}"}),
        ({"train": "mine:train"}, {"train": "mine:train"}),
    ],
)
def test_what_is_code(options, code):
    assert named_code(options) == code


def test_objects_replace_what_is_named():
    stored = BUILT_IN | {"dataset": "data", "model": "notebook:net", "optimizer": "mine:optimizer"}
    assert named_code(stored, ["data", "model"]) == {"optimizer": "mine:optimizer"}
    assert named_code({"train": "notebook:train"}, ["train"]) == {}
    assert named_code(stored | {"workload": "evil:all"}, ["workload"]) == {
        "workload": "evil:all",
        "optimizer": "mine:optimizer",
    }


def test_what_was_typed_may_run_there_and_nothing_else(tmp_path, monkeypatch):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
    code = {"command": "python train.py\n\x1b[2K", "ray_address": "host:6379"}
    monkeypatch.chdir(mine)
    note_typed(code)
    refuse_untyped("s", code)
    refuse_untyped("s", {})
    with pytest.raises(InputError) as refused:
        refuse_untyped("s", code | {"command": "python other.py"})
    monkeypatch.chdir(other)
    with pytest.raises(InputError) as elsewhere:
        refuse_untyped("s", code)
    first = "study 's' names code that was not typed in this folder: if it may run, add --trust. It names"
    assert str(refused.value) == f"{first}\n  --command 'python other.py'\n  --ray-address 'host:6379'"
    assert str(elsewhere.value) == f"{first}\n  --command 'python train.py\\n\\x1b[2K'\n  --ray-address 'host:6379'"


CODE = {"train": "mine:train"}


@pytest.fixture
def another_process(monkeypatch):
    """Call it, and what this process has noted in memory is forgotten."""
    return lambda: monkeypatch.setattr(typed_code, "TYPED", set())


@pytest.mark.parametrize("state", ["/proc/nowhere", "/" + 300 * "a"])
def test_without_a_home_only_what_this_process_was_given_is_known(state, monkeypatch, another_process):
    """`Path.exists` raises for a name that is too long, as for a folder that may not be searched."""
    monkeypatch.setenv("XDG_STATE_HOME", state)
    note_typed(CODE)
    refuse_untyped("s", CODE)
    another_process()
    with pytest.raises(InputError, match="add --trust"):
        refuse_untyped("s", CODE)


def test_in_a_folder_that_was_deleted_all_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    note_typed(CODE)
    with pytest.raises(InputError, match="add --trust"):
        refuse_untyped("s", CODE)


def test_a_relative_folder_for_notes_is_ignored(tmp_path, monkeypatch, another_process):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    note_typed(CODE)
    another_process()
    refuse_untyped("s", CODE)
    assert not (tmp_path / "state").exists()
    assert len([*(tmp_path / "home" / ".local" / "state" / "learning-rate-study" / "typed").iterdir()]) == 1
