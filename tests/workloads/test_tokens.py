"""Text as tokens: bits are counted over the bytes that the tokens stand for, whatever the tokenizer."""

import math
from dataclasses import replace

import pytest
import torch

from search_spaces import Constant, InputError
from study.objective import Run
from study.workloads.options import WorkloadOptions
from study.workloads.text import CONTEXT
from tests.helpers import trainer

tokenizers = pytest.importorskip("tokenizers", reason="needs the extra tokenizers")
LINES = [f"Über {n * n} Fässer mit {n % 7} € dem Wein von {n % 11} Gütern, dazu Brot und Käse.\n" for n in range(600)]
TEXT = "".join(LINES)


def saved_tokenizer(folder, merges):
    """A byte-level tokenizer with this many merges, learnt from the text, so that tokens differ in length."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    learn = tokenizers.trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(LINES, learn)
    made.save(str(folder / "tokenizer.json"))
    return made


@pytest.fixture
def options(tmp_path):
    (tmp_path / "t.txt").write_text(TEXT, encoding="utf-8")
    return WorkloadOptions(str(tmp_path / "t.txt"), model="gpt", tokenizer=str(tmp_path / "tokenizer.json"))


def parts(workload):
    return workload.data.train, workload.data.validation, workload.data.test


def test_the_parts_are_the_text_in_its_order(options, tmp_path):
    made = saved_tokenizer(tmp_path, 100)
    workload = options.load(None)
    ids = torch.cat([part.x.flatten() for part in parts(workload)])
    following = torch.cat([part.y[:, :CONTEXT].flatten() for part in parts(workload)])
    assert torch.equal(ids[1:], following[:-1])
    assert TEXT.startswith(made.decode(ids.tolist()))
    assert workload.data.classes == made.get_vocab_size() == 356
    assert "bytes of text in" in workload.data.about


@pytest.mark.parametrize("merges", [0, 100])
def test_bits_are_those_of_all_tokens_over_the_bytes_that_they_stand_for(merges, options, tmp_path):
    made = saved_tokenizer(tmp_path, merges)
    workload = options.load(None)
    generator = torch.Generator().manual_seed(0)
    for part in parts(workload):
        scores = torch.randn(part.rows, CONTEXT, workload.data.classes, dtype=torch.float64, generator=generator)
        tokens = part.y[:, :CONTEXT]
        chances = scores.softmax(-1).gather(-1, tokens[..., None])
        length = len(made.decode(tokens.flatten().tolist()).encode())
        assert float(workload.measure(scores, part.y).mean()) == pytest.approx(
            float(-chances.log2().sum()) / length,
            rel=0.01,  # a token may end within a character
        )
        assert workload.loss(scores, part.y).mean() == pytest.approx(float(-chances.log().mean()))


def test_if_each_byte_is_a_token_bits_are_those_of_bytes(options, tmp_path):
    saved_tokenizer(tmp_path, 0)
    (tmp_path / "t.txt").write_text(TEXT.encode("ascii", "ignore").decode())
    workload = options.load(None)
    for part in parts(workload):
        assert part.y[0, CONTEXT:].tolist() == [part.rows * CONTEXT, part.rows]
        bits = workload.measure(torch.zeros(part.rows, CONTEXT, 256), part.y)
        assert bits.tolist() == pytest.approx([8.0] * part.rows)
    assert workload.metric.worst == 8.0


def test_the_whole_text_is_read_whatever_the_file_asks_for(options, tmp_path):
    """Lengths in the file are for batches of sentences."""
    made = saved_tokenizer(tmp_path, 100)
    whole = options.load(None).data.about
    made.enable_truncation(1000)
    made.enable_padding(length=500_000)
    made.save(options.tokenizer)
    assert options.load(None).data.about == whole
    assert "note" not in whole


def test_tokens_that_lose_the_text_are_pointed_out(options, tmp_path):
    """Their ids may have gaps, too."""
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"mit": 0, "Wein": 7, "?": 3}, unk_token="?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(options.tokenizer)
    data = replace(options, batch_size=8).load(None).data
    assert data.classes == 8
    assert "\nnote: the tokens do not give the text back" in data.about


def test_the_bytes_of_the_parts_are_those_of_the_text(options, tmp_path):
    made = saved_tokenizer(tmp_path, 100)
    workload = options.load(None)
    sizes = [int(part.y[0, CONTEXT]) for part in parts(workload)]
    count = sum(part.rows for part in parts(workload)) * CONTEXT
    offsets = made.encode(TEXT).offsets
    assert sum(sizes) == len(TEXT[offsets[0][1] : offsets[count][1]].encode())


def test_it_is_trained_alone_and_in_lockstep(options, tmp_path):
    saved_tokenizer(tmp_path, 100)
    workload = options.load(None)
    runs = [Run(Constant(peak_lr=lr), 1, 0, evaluations=2, test=True) for lr in (0.05, 0.1)]
    alone = [one for run in runs for one in list(trainer(workload).train([run]))]
    together = sorted(trainer(workload, 2).train(runs), key=lambda one: one.run)
    for one, other in zip(alone, together, strict=True):
        assert other.metric == pytest.approx(one.metric, rel=1e-3)
        assert 0 < one.metric < workload.metric.worst
    assert alone[1].metric < alone[0].metric
    assert workload.metric.worst < math.log2(356)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dataset": "pydoc"}, "--tokenizer is for files of text .* remove --tokenizer"),
        ({"dataset": "digits", "model": "mlp"}, "--tokenizer is for files of text"),
        ({"tokenizer": "missing.json"}, "--tokenizer must be a file, .* but 'missing.json' was given"),
        ({"split_seed": 1}, "is split in its order"),
    ],
)
def test_what_cannot_be_is_refused(changed, said, options, tmp_path):
    saved_tokenizer(tmp_path, 0)
    with pytest.raises(InputError, match=said):
        WorkloadOptions(**{**vars(options), **changed}).load(tmp_path)


def test_damaged_files_are_refused(options, tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"^--tokenizer .* is not a tokenizer"):
        options.load(None)
    saved_tokenizer(tmp_path, 0)
    (tmp_path / "t.txt").write_bytes(b"\xff" * 9000)
    with pytest.raises(InputError, match=r"t.txt is not UTF-8, which --tokenizer needs"):
        options.load(None)
    (tmp_path / "t.txt").write_text("short")
    with pytest.raises(InputError, match="t.txt must have at least 2561 tokens, but 5"):
        options.load(None)
