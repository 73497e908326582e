"""Code that a study names: what counts as code, and when it may run."""

import pytest

from search_spaces import InputError
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
        (BUILT_IN | {"workload": "mine:all", "dataset": "a:b", "model": "c:d"}, {"workload": "mine:all"}),
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
    assert named_code(stored | {"workload": "evil:all"}, ["workload"]) == {"workload": "evil:all"}


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


def test_without_a_home_all_is_asked_for(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    note_typed({"train": "mine:train"})
    with pytest.raises(InputError, match="add --trust"):
        refuse_untyped("s", {"train": "mine:train"})
