"""Text as data: every byte is predicted once, from those before it, in parts that follow each other."""

import pytest
import torch
from torch import nn

from search_spaces import InputError
from study.workloads.options import WorkloadOptions
from study.workloads.text import CONTEXT, text_data

TEXT = bytes(range(256)) * 60


def bag_of_bytes(classes):
    return nn.EmbeddingBag(256, classes)


def parts(data):
    return data.train, data.validation, data.test


def test_targets_are_the_bytes_that_follow():
    data = text_data("t", TEXT, 0)
    x, y = (torch.cat([getattr(part, name).flatten() for part in parts(data)]) for name in ("x", "y"))
    assert bytes(x.tolist()) == TEXT[: len(x)]
    assert bytes(y.tolist()) == TEXT[1 : len(x) + 1]
    assert len(TEXT) - len(x) <= CONTEXT
    assert [part.rows for part in parts(data)] == [95, 12, 12]
    assert (data.input_shape, data.classes) == ((CONTEXT,), 256)


def test_the_documentation_of_python_is_english():
    data = WorkloadOptions("pydoc", model="gpt").load(None).data
    text = bytes(torch.cat([part.x.flatten() for part in parts(data)]).tolist()).decode(errors="replace")
    assert len(text) > 400_000
    assert text.count(" the ") > 3000
    assert "bytes of text" in data.about


def test_a_file_of_text_is_its_bytes_and_with_a_target_a_table(tmp_path):
    (tmp_path / "t.txt").write_bytes(TEXT)
    data = WorkloadOptions(str(tmp_path / "t.txt"), model="gpt").load(None).data
    assert data.fingerprint() == text_data("other", TEXT, 0).fingerprint()
    assert data.fingerprint() != text_data("t", TEXT[1:], 0).fingerprint()
    rows = "".join(f"{n},{n % 3}\n" for n in range(100))
    (tmp_path / "table.txt").write_text(f"a,b\n{rows}")
    table = WorkloadOptions(str(tmp_path / "table.txt"), target="b").load(None).data
    assert (table.task, table.classes) == ("classification", 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "mlp"}, "t.txt is text, for which --model mlp is not made: use --model gpt, or --target COLUMN"),
        (
            {"model": f"{__name__}:bag_of_bytes"},
            r"each next token, shape \(8, 128, 256\), but gives \(8, 256\)",
        ),
        ({"model": "gpt", "task": "classification"}, "is text, for language models: remove --task classification"),
        ({"model": "gpt", "split_seed": 3}, "t.txt is split in its order: --split-seed must be 0, but 3 was given"),
        ({"model": "gpt", "split_by": "a"}, "--split-by is for tables"),
        ({"model": "resnet18"}, "--model resnet18 is not made: use --model gpt"),
        ({"model": "torchvision:resnet18"}, "--model torchvision:resnet18 is not made: use --model gpt"),
        (
            {"dataset": "digits", "model": "gpt"},
            "--model gpt is for text, but digits is a classification: use",
        ),
    ],
)
def test_what_does_not_fit_a_text_is_told(tmp_path, options, message):
    from study.training.workload_check import check_workload

    (tmp_path / "t.txt").write_bytes(TEXT)
    with pytest.raises(InputError, match=message):
        check_workload(WorkloadOptions(**{"dataset": str(tmp_path / "t.txt")} | options).load(None))


def test_a_short_text_is_refused(tmp_path):
    (tmp_path / "t.txt").write_text("too short\n")
    with pytest.raises(InputError, match="t.txt must have at least 2561 bytes, but 10 was given"):
        WorkloadOptions(str(tmp_path / "t.txt"), model="gpt").load(None)
