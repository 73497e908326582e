"""What language models are measured by and how they are optimized, beside torch's own."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from study.workloads.language import BITS_PER_BYTE, token_loss
from study.workloads.options import WorkloadOptions

TEXT = bytes(range(256)) * 60


@pytest.fixture
def workload(tmp_path):
    (tmp_path / "t.txt").write_bytes(TEXT)
    return WorkloadOptions(str(tmp_path / "t.txt"), model="gpt", optimizer="adamw").load(None)


def test_the_loss_of_a_row_is_the_mean_over_its_tokens():
    scores, targets = torch.randn(3, 5, 7, dtype=torch.float64), torch.randint(7, (3, 5))
    expected = [cross_entropy(row, target).item() for row, target in zip(scores, targets, strict=True)]
    assert token_loss(scores, targets).tolist() == pytest.approx(expected)


def test_bits_per_byte():
    targets = torch.randint(256, (3, 5))
    assert BITS_PER_BYTE.measure(torch.zeros(3, 5, 256), targets).tolist() == pytest.approx([8.0] * 3)
    half = torch.zeros(3, 5, 256)
    half.scatter_(2, targets[..., None], math.log(255))  # the right one is as likely as all others together
    assert BITS_PER_BYTE.measure(half, targets).tolist() == pytest.approx([1.0] * 3)


def test_only_matrices_decay(workload):
    model = workload.make_model()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    optimizer = workload.make_optimizer(model)
    assert [group["betas"] for group in optimizer.param_groups] == [(0.9, 0.95)] * 2
    for group in optimizer.param_groups:
        group["lr"] = 0.5
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, before[name] * (0.95 if parameter.ndim == 2 else 1.0))


def test_the_exported_call_makes_the_same_optimizer(workload):
    model = workload.make_model()
    made = eval(workload.optimizer_code.replace("{lr}", "1.0"), {"torch": torch, "model": model})
    own = workload.make_optimizer(model)
    assert type(made) is type(own)
    for mine, theirs in zip(own.param_groups, made.param_groups, strict=True):
        assert [id(one) for one in mine["params"]] == [id(one) for one in theirs["params"]]
        different = {key for key in mine if key != "params" and mine[key] != theirs[key]}
        assert different == {"fused"}


def test_weight_decay_may_be_given(tmp_path):
    (tmp_path / "t.txt").write_bytes(TEXT)
    given = WorkloadOptions(str(tmp_path / "t.txt"), model="gpt", optimizer="adamw", weight_decay=0.3).load(None)
    groups = given.make_optimizer(nn.Linear(3, 3)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
    assert given.weight_decay == 0.3
