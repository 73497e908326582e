"""The built-in optimizers train what torch's own train: `fused`, which nobody asked for, gives way."""

import copy
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from search_spaces.errors import InputError
from search_spaces.muon import MuonWithAdamW
from search_spaces.optimizer_call import is_optimizer_call
from study.training.lockstep_check import first_sentence
from study.workloads import names
from study.workloads.builtin_models import Transformer, cnn, mlp
from study.workloads.gpt import tiny
from study.workloads.muon import matrices_at_the_ends
from study.workloads.optimizers import optimizing, unfuse_if_needed
from study.workloads.options import WorkloadOptions

needs_lion = pytest.mark.skipif(find_spec("lion_pytorch") is None, reason="needs the extra lion")

GRADIENTS = {
    "all": lambda step, name: True,
    "a layer that is skipped at times": lambda step, name: name != "1.weight" or step % 3 == 2,
    "a block that is unfrozen later": lambda step, name: not name.startswith("1.") or step >= 4,
    "a part that never takes part": lambda step, name: not name.startswith("1."),
}


def stepped(optimizer, model, has_gradient, steps=8):
    """The parameters after some steps with given gradients."""
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        for name, parameter in model.named_parameters():
            gradient = torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator)
            parameter.grad = gradient if has_gradient(step, name) else None
        optimizer.step()
    return [parameter.detach() for parameter in model.parameters()]


@pytest.mark.filterwarnings("ignore:Complex modules are a new feature")
@pytest.mark.parametrize("gradients", GRADIENTS.values(), ids=GRADIENTS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_part_without_a_gradient_and_complex_weights_are_trained_as_torch_does(name, dtype, gradients):
    """LayerDrop, mixtures of experts, unfreezing (pytorch#122131); Fourier operators (pytorch#110706)."""
    first = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).to(dtype)
    second = copy.deepcopy(first)
    chosen = optimizing(name, None, first)
    ours = stepped(chosen.make_optimizer(first), first, gradients)
    torchs = eval(chosen.optimizer_code.format(lr=1.0), {"torch": torch, "model": second})
    for found, expected in zip(ours, stepped(torchs, second, gradients), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_fused_kernels_are_used_as_long_as_they_can_be():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = optimizing("sgd", None, model).make_optimizer(model)
    stepped(optimizer, model, GRADIENTS["all"])
    assert optimizer.param_groups[0]["fused"] is True
    stepped(optimizer, model, GRADIENTS["a layer that is skipped at times"])
    assert optimizer.param_groups[0]["fused"] is True, "momentum has begun everywhere"
    late = optimizing("sgd", None, model).make_optimizer(model)
    stepped(late, model, GRADIENTS["a block that is unfrozen later"])
    assert late.param_groups[0]["fused"] is None


def test_once_momentum_has_begun_everywhere_gradients_are_not_looked_at():
    """Doing so would take a fifth of a step of many parameters."""
    looked = []

    class Watched(nn.Parameter):
        @property
        def grad(self):
            looked.append(self)
            return None

    parameters = [Watched(torch.zeros(1)) for _ in range(3)]
    optimizer = torch.optim.SGD(parameters, momentum=0.9, fused=True)
    unfuse_if_needed(optimizer)
    assert len(looked) == 3
    optimizer.state |= {one: {"momentum_buffer": torch.zeros(1)} for one in parameters}
    unfuse_if_needed(optimizer)
    assert len(looked) == 3


class Bag(nn.Module):
    """A sparse embedding of token ids."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.EmbeddingBag(20, 4, sparse=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.embed(x))


def test_sparse_embeddings_are_trained_with_sgd_without_the_weight_decay_that_nobody_asked_for():
    torch.manual_seed(0)
    model, tokens = Bag(), torch.arange(20).view(5, 4)
    chosen = optimizing("sgd", None, model)
    assert chosen.weight_decay == 0
    assert "weight_decay=0.0" in chosen.optimizer_code
    optimizer, before = chosen.make_optimizer(model), model.embed.weight.clone()
    for _ in range(2):
        optimizer.zero_grad()
        model(tokens).square().sum().backward()
        optimizer.step()
    assert (model.embed.weight != before).any()
    assert optimizing("sgd", 0.1, model).weight_decay == 0.1, "what was asked for is torch's to refuse"
    assert optimizing("sgd", None, nn.Linear(1, 1)).weight_decay > 0


def test_of_torchs_table_of_kernels_the_first_sentence_is_told():
    table = "NotImplementedError: Could not run 'aten::x' with arguments from the 'SparseCPU' backend. This could be"
    assert first_sentence(f"{table} CPU: registered at a.cpp:3.") == table.removesuffix(" This could be")
    assert first_sentence("its data is not in memory") == "its data is not in memory"


MATRICES_OF_ADAMW = {
    "mlp": (lambda: mlp((1, 40), 10), ["1.weight", "5.weight"]),
    "transformer": (lambda: Transformer((1, 40), 10), ["positions", "head.weight"]),
    "gpt": (lambda: tiny((16,), 256), ["embedding.weight"]),
}


@pytest.mark.parametrize("name", MATRICES_OF_ADAMW)
def test_muon_takes_the_matrices_between_the_ends(name):
    make, others = MATRICES_OF_ADAMW[name]
    model = make()
    chosen = optimizing("muon", None, model)
    optimizer = chosen.make_optimizer(model)
    (group,) = (group for group in optimizer.param_groups if "ns_steps" in group)
    hidden = {key for key, one in model.named_parameters() if any(one is other for other in group["params"])}
    assert hidden == {key for key, one in model.named_parameters() if one.ndim == 2 and key not in others}
    assert hidden
    assert len({group["lr"] for group in optimizer.param_groups}) == 1
    assert is_optimizer_call(chosen.optimizer_code)
    call = chosen.optimizer_code.removeprefix("search_spaces.muon.").format(lr=1.0)
    exported = eval(call, {"MuonWithAdamW": MuonWithAdamW, "model": model})
    for mine, theirs in zip(optimizer.param_groups, exported.param_groups, strict=True):
        assert list(map(id, mine.pop("params"))) == list(map(id, theirs.pop("params")))
        assert mine == theirs


def test_an_embedding_in_the_middle_is_not_muons():
    model = nn.Sequential(nn.Linear(3, 4), nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 2))
    assert "['0.weight', '1.weight', '3.weight']" in optimizing("muon", None, model).optimizer_code


class WithPositions(nn.Module):
    """Holds a matrix itself."""

    def __init__(self):
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(8, 4))
        self.embed, self.middle, self.head = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)


def test_what_a_model_itself_holds_is_no_layer():
    assert matrices_at_the_ends(WithPositions()) == ["positions", "embed.weight", "head.weight"]


def test_muon_is_refused_without_a_matrix_for_it():
    with pytest.raises(InputError, match=r"^--optimizer muon .* the model has none: use --optimizer adamw$"):
        optimizing("muon", None, cnn((1, 40), 10))


@needs_lion
@pytest.mark.parametrize("language", [False, True])
def test_lion_is_that_of_its_paper(language):
    """Chen et al. 2023, algorithm 2: the sign of one average of the gradients, decoupled weight decay, another one."""
    model, lr = nn.Linear(3, 4, dtype=torch.float64), 0.01
    chosen = optimizing("lion", None, model, language)
    optimizer = chosen.make_optimizer(model)
    beta1, beta2 = (0.95, 0.98) if language else (0.9, 0.99)
    decays = {"weight": chosen.weight_decay, "bias": 0.0 if language else chosen.weight_decay}
    expected = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    average = {name: torch.zeros_like(value) for name, value in expected.items()}
    for step in range(5):
        for group in optimizer.param_groups:
            group["lr"] = lr * (step + 1)
        for name, parameter in model.named_parameters():
            gradient = parameter.grad = torch.randn(parameter.shape, dtype=parameter.dtype)
            direction = torch.sign(beta1 * average[name] + (1 - beta1) * gradient)
            expected[name] = expected[name] - lr * (step + 1) * (direction + decays[name] * expected[name])
            average[name] = beta2 * average[name] + (1 - beta2) * gradient
        optimizer.step()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.detach(), expected[name], rtol=1e-12, atol=1e-12)


@needs_lion
def test_lions_code_makes_the_same_optimizer():
    import lion_pytorch

    model = nn.Linear(3, 4)
    for language in (False, True):
        chosen = optimizing("lion", 0.3, model, language)
        assert is_optimizer_call(chosen.optimizer_code)
        made = eval(chosen.optimizer_code.replace("{lr}", "1.0"), {"lion_pytorch": lion_pytorch, "model": model})
        for mine, theirs in zip(chosen.make_optimizer(model).param_groups, made.param_groups, strict=True):
            assert [id(one) for one in mine.pop("params")] == [id(one) for one in theirs.pop("params")]
            assert mine == theirs


def test_without_its_package_lion_is_refused_at_once(monkeypatch):
    monkeypatch.setattr(names, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="^--optimizer lion needs lion-pytorch: pip install lion-pytorch$"):
        WorkloadOptions(optimizer="lion")
