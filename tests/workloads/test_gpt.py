"""The small language model: causal, its positions relative, its weights as GPT-2 initialises them."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from study.workloads.gpt import rotated, rotations, small, tiny


def model(make=tiny, context=16):
    torch.manual_seed(0)
    return make((context,), 256)


def test_a_score_depends_on_the_tokens_up_to_it():
    tokens = torch.randint(256, (3, 16))
    changed = tokens.clone()
    changed[:, 9] = (changed[:, 9] + 1) % 256
    with torch.no_grad():
        before, after = model()(tokens), model()(changed)
    assert before.shape == (3, 16, 256)
    torch.testing.assert_close(before[:, :9], after[:, :9], rtol=0, atol=1e-6)
    assert (before[:, 9:] - after[:, 9:]).abs().amax((0, 2)).min() > 1e-4, "all from it on"


def test_pairs_turn_as_complex_numbers_do():
    x = torch.randn(5, 16, 8, dtype=torch.float64)
    cosine, sine = rotations(16, 8)
    turned = rotated(x, cosine.double(), sine.double())
    angles = torch.arange(16)[:, None] * 10_000.0 ** (-torch.arange(4) / 4)
    expected = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones(16, 4), angles).to(torch.complex128)
    torch.testing.assert_close(turned, torch.cat([expected.real, expected.imag], -1), rtol=0, atol=1e-5)


def test_products_of_turned_vectors_depend_on_their_distance_alone():
    cosine, sine = rotations(16, 8)
    query, key = (rotated(torch.randn(8).expand(16, 8), cosine, sine) for _ in range(2))
    products = query @ key.T
    for distance in range(-15, 16):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("make", "width", "depth"), [(tiny, 64, 2), (small, 128, 4)])
def test_every_matrix_counts_once_and_there_are_no_biases(make, width, depth):
    made = model(make)
    expected = 256 * width + depth * (12 * width**2 + 2 * width) + width
    assert sum(parameter.numel() for parameter in made.parameters()) == expected
    assert made.embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert made.blocks[0].contract.weight.std().item() == pytest.approx(0.02 / (2 * depth) ** 0.5, rel=0.05)


def test_before_training_all_bytes_are_about_equally_likely():
    tokens, targets = torch.randint(256, (2, 8, 16))
    loss = cross_entropy(model()(tokens).flatten(0, 1), targets.flatten())
    assert loss.item() == pytest.approx(torch.tensor(256.0).log().item(), abs=0.1)
