"""Lockstep against the plain loop for every kind of model: the same losses and weights in any cohort."""

from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from search_spaces import Constant, Cosine, InputError, Linear, OneCycle, Plateau
from search_spaces.imported import import_named
from study.objective import Run
from study.training.attention import attention, batchable_attention
from study.training.lockstep import Lockstep
from study.training.loop import train_cohort
from study.training.plain import Plain
from study.training.stacked_optimizers import stacked_optimizer
from study.workloads.options import WorkloadOptions
from study.workloads.text import text_data
from study.workloads.workload import optimized, workload_of
from tests.helpers import trainer

BATCH_NORM = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
DROPOUT = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10))


HAS_LION = find_spec("lion_pytorch") is not None


class Copied:
    """A model made anew, by drawing initial weights, in the form of a given one."""

    def __init__(self, model, dtype):
        self.model, self.dtype = model, dtype

    def __call__(self):
        made = nn.Sequential(*[type(layer)(*self.arguments(layer)) for layer in self.model])
        return made.to(self.dtype)

    @staticmethod
    def arguments(layer):
        return {
            nn.Linear: lambda: (layer.in_features, layer.out_features),
            nn.BatchNorm1d: lambda: (layer.num_features,),
            nn.Dropout: lambda: (layer.p,),
        }.get(type(layer), tuple)()


def make_workload(model, optimizer, data_root, dtype=torch.float64):
    """The digits, with a named model or one of the above, in the given precision."""
    named = WorkloadOptions(
        "digits",
        model=model if isinstance(model, str) else "mlp",
        optimizer=optimizer,
        batch_size=64,
        weight_decay=1e-3,
    ).load(data_root)
    make_model = Copied(model, dtype) if isinstance(model, nn.Module) else lambda: named.make_model().to(dtype)
    splits = {
        name: getattr(named.data, name)._replace(x=getattr(named.data, name).x.to(dtype))
        for name in ("train", "validation", "test")
    }
    return replace(named, data=replace(named.data, **splits), make_model=make_model)


def some_runs(optimizer, model="mlp", seeds=(0,)):
    """Runs that differ in family, peak and momentum: 64 updates each, 16 of the slow transformer, and 4 evaluations.

    The model learns at these rates. At higher ones a run is chaotic, and doubles any difference, rounding too, every
    few updates.
    """
    scale = (1.0 if optimizer == "sgd" else 0.1) * (0.1 if model == "transformer" else 1.0)
    schedules = [
        Cosine(peak_lr=0.2 * scale, warmup_fraction=0.1),
        OneCycle(peak_lr=0.1 * scale, cycle_momentum=True),
        Linear(peak_lr=0.01 * scale),
        Plateau(peak_lr=0.3 * scale, factor=0.5, patience_fraction=0.05, evaluations=12),
        Constant(peak_lr=0.05 * scale),
    ]
    epochs = 1 if model == "transformer" else 2
    return [Run(schedule, epochs, seeds[i % len(seeds)], evaluations=4) for i, schedule in enumerate(schedules)]


def trained(workload, runs, make_learner):
    """(evaluations, weights of each run) at the end of the runs."""
    with torch.random.fork_rng():
        learner = make_learner(workload, runs)
        found = list(
            train_cohort(workload, runs, learner, lambda run: False, runs[0].budget * workload.steps_per_epoch)
        )
    if make_learner is Plain:
        state = [{**dict(learner.model.named_parameters()), **dict(learner.model.named_buffers())}]
    else:
        stacked = {**learner.parameters, **learner.buffers}
        state = [{name: tensor[i] for name, tensor in stacked.items()} for i in range(len(runs))]
    return found, state


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("model", ["mlp", "cnn", "transformer", BATCH_NORM, DROPOUT], ids=str)
def test_each_run_is_as_in_the_plain_loop(model, optimizer, data_root):
    """In float64, to 1e-9: only the order of the same operations differs."""
    workload = make_workload(model, optimizer, data_root)
    runs = some_runs(optimizer, model)
    together, states = trained(workload, runs, Lockstep)
    for index, run in enumerate(runs):
        alone, [state] = trained(workload, [run], Plain)
        own = [evaluation for evaluation in together if evaluation.run == index]
        assert [e.loss for e in own] == pytest.approx([e.loss for e in alone], rel=1e-9)
        assert [(e.step, e.metric, e.lr, e.momentum) for e in own] == [
            (e.step, e.metric, e.lr, e.momentum) for e in alone
        ]
        assert set(state) == set(states[index])
        for name, tensor in state.items():
            torch.testing.assert_close(states[index][name], tensor, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", *(["lion"] if HAS_LION else [])])
def test_each_run_has_its_own_weight_decay(optimizer, data_root):
    """Also one of 0, first in the cohort, one that is the optimizer's own, and once another run has diverged."""
    workload, scale = make_workload("mlp", optimizer, data_root), 0.01 if optimizer == "lion" else 1.0
    peaks = [(0.2, 0.0), (0.2, 0.03), (1e9, 0.1), (0.2, None), (0.1, 0.3)]
    runs = [Run(Linear(peak_lr=peak * scale), 4, 0, evaluations=4, weight_decay=decay) for peak, decay in peaks]
    together = list(trainer(workload, len(runs)).train(runs))
    ends = []
    for index, run in enumerate(runs):
        alone = list(trainer(workload).train([run]))
        own = [evaluation for evaluation in together if evaluation.run == index]
        assert [e.loss for e in own] == pytest.approx([e.loss for e in alone], rel=1e-9)
        ends.append(own[-1].loss)
    assert len(set(ends)) == len(runs), "the weight decay shapes each run"


def test_equal_weight_decays_give_the_bits_of_the_workloads_own(data_root):
    workload = make_workload("mlp", "sgd", data_root, torch.float32)
    assert workload.weight_decay == 1e-3
    runs = [Run(Cosine(peak_lr=peak), 2, 0, evaluations=2) for peak in (0.1, 0.2, 0.3)]
    own = list(trainer(workload, 3).train(runs))
    assert own == list(trainer(workload, 3).train([replace(run, weight_decay=1e-3) for run in runs]))
    assert own != list(trainer(workload, 3).train([replace(run, weight_decay=1e-2) for run in runs]))


def test_gradients_of_each_run_are_clipped_as_torch_clips_them():
    """A language model, whose gradients are all longer than this norm."""
    text = text_data("t", bytes(range(256)) * 20, 0)
    named = optimized(workload_of("t", text, "gpt"), "adamw", 4, None)
    workload = replace(named, clip_norm=0.01, make_model=lambda: named.make_model().double())
    runs = [Run(schedule, 1, 0, evaluations=2) for schedule in (Cosine(peak_lr=0.002), Linear(peak_lr=0.001))]
    free, _ = trained(replace(workload, clip_norm=None), runs[:1], Lockstep)
    together, _ = trained(workload, runs, Lockstep)
    assert together[0].loss != pytest.approx(free[0].loss, rel=1e-3), "clipping changes the runs"
    assert trained(replace(workload, clip_norm=1e6), runs[:1], Lockstep)[0] == free, "shorter ones are left alone"
    for index, run in enumerate(runs):
        alone, _ = trained(workload, [run], Plain)
        own = [evaluation.loss for evaluation in together if evaluation.run == index]
        assert own == pytest.approx([evaluation.loss for evaluation in alone], rel=1e-9)


@pytest.mark.parametrize("model", ["mlp", BATCH_NORM], ids=str)
def test_averages_are_those_of_the_plain_loop_also_when_another_run_has_ended(model, data_root):
    workload = replace(make_workload(model, "sgd", data_root), averaging_fraction=0.2)
    runs = [Run(Constant(peak_lr=1e9), 4, 0, evaluations=4), *some_runs("sgd")]
    together = list(trainer(workload, len(runs)).train(runs))
    for index, run in list(enumerate(runs))[1:]:
        alone = list(trainer(workload).train([run]))
        own = [evaluation for evaluation in together if evaluation.run == index]
        assert [one.loss for one in own] == pytest.approx([one.loss for one in alone], rel=1e-9)
        assert own[-1].raw_metric == alone[-1].raw_metric


def assert_as_alone(workload, runs, rel, rel_of_twelfth):
    together, _ = trained(workload, runs, Lockstep)
    for index, run in enumerate(runs):
        alone, _ = trained(workload, [run], Plain)
        own = [evaluation for evaluation in together if evaluation.run == index]
        losses, expected = ([e.loss for e in found] for found in (own, alone))
        assert losses[:11] == pytest.approx(expected[:11], rel=rel)
        # The last of twelve at a high rate, where rounding grows tenfold and more from one evaluation to the next.
        assert losses[11:] == pytest.approx(expected[11:], rel=rel_of_twelfth)


@pytest.mark.parametrize("model", ["mlp", "cnn", "transformer", BATCH_NORM], ids=str)
def test_in_float32_the_losses_agree_to_a_thousandth(model, data_root):
    """Float32 has 7 digits; each update rounds anew and carries the difference on, at rates that do train."""
    assert_as_alone(make_workload(model, "sgd", data_root, torch.float32), some_runs("sgd", model), 1e-3, 1e-2)


def test_runs_of_several_seeds_have_their_own_weights_and_rows(data_root):
    assert_as_alone(make_workload(BATCH_NORM, "sgd", data_root), some_runs("sgd", seeds=(3, 7)), 1e-9, 1e-9)


def test_who_else_is_in_the_cohort_does_not_matter(data_root):
    """One diverges, one is stopped after its first evaluation; the others end as in any other company."""
    workload = make_workload(BATCH_NORM, "sgd", data_root)
    runs = some_runs("sgd")
    runs = [Run(Constant(peak_lr=1e9), runs[0].budget, 0, evaluations=4), *runs]
    stopped = set()
    found = []
    for evaluation in trainer(workload, len(runs)).train(runs, stopped.__contains__):
        found.append(evaluation)
        if evaluation.run == 2:
            stopped.add(2)
    assert [(e.diverged, e.last) for e in found if e.run == 0] == [(True, True)]
    assert [e.step for e in found if e.run == 2] == [runs[2].budget * workload.steps_per_epoch // 4]
    for company in ([1, 3], [1, 4, 5, 3]):
        again = list(trainer(workload, len(company)).train([runs[index] for index in company]))
        for position, index in enumerate(company):
            losses = [e.loss for e in again if e.run == position]
            assert losses == pytest.approx([e.loss for e in found if e.run == index], rel=1e-9)
            assert len(losses) == {1: 4, 3: 4, 4: 12, 5: 4}[index], "plateau has twelve evaluations"


@pytest.mark.parametrize("peak_lr", [20.0, 60.0, 1e9])
def test_when_a_run_has_diverged_does_not_depend_on_who_else_is_evaluated(peak_lr, data_root):
    workload = make_workload("mlp", "sgd", data_root)
    runs = [
        Run(Constant(peak_lr=peak_lr), 4, 0, evaluations=4),
        Run(Plateau(peak_lr=0.1, evaluations=21), 4, 0, evaluations=4),
    ]
    alone = [(e.step, e.diverged) for e in trainer(workload).train(runs) if e.run == 0]
    together = [(e.step, e.diverged) for e in trainer(workload, 2).train(runs) if e.run == 0]
    assert together == alone
    assert alone[-1][1]


def test_the_same_cohort_gives_the_same_bits(data_root):
    workload = make_workload("mlp", "adamw", data_root, torch.float32)
    first, again = (list(trainer(workload, 5).train(some_runs("adamw"))) for _ in range(2))
    assert first == again
    assert {evaluation.cohort for evaluation in first} == {5}


class Vectors(nn.Module):
    """Two parameters, in two groups, of a loss that is a polynomial in them."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.linspace(-1, 1, 5, dtype=torch.float64))
        self.b = nn.Parameter(torch.ones(2, 3, dtype=torch.float64))


RATES = st.lists(st.floats(1e-4, 0.2), min_size=3, max_size=3)


@given(
    lr=st.lists(RATES, min_size=4, max_size=4),
    momentum=st.lists(st.lists(st.floats(0.0, 0.99), min_size=3, max_size=3), min_size=4, max_size=4),
    weight_decay=st.lists(st.sampled_from([0.0, 0.1, 0.3]), min_size=3, max_size=3),
    kind=st.sampled_from(["sgd", "nesterov", "adamw", *(["lion"] if HAS_LION else [])]),
)
@settings(max_examples=60, deadline=None)
def test_stacked_optimizers_are_torchs(lr, momentum, weight_decay, kind):
    """Four updates of three runs, each with a weight decay, and rates and momenta that change at every update."""

    def make(model, decay):
        groups = [{"params": [model.a]}, {"params": [model.b], "weight_decay": 0.02}]
        if kind == "adamw":
            return torch.optim.AdamW(groups, lr=1.0, weight_decay=decay)
        if kind == "lion":
            return import_named("lion_pytorch:Lion")(groups, lr=1.0, weight_decay=decay, betas=(0.9, 0.98))
        return torch.optim.SGD(groups, lr=1.0, momentum=0.9, weight_decay=decay, nesterov=kind == "nesterov")

    models = [Vectors() for _ in range(3)]
    optimizers = [make(model, decay) for model, decay in zip(models, weight_decay, strict=True)]
    parameters = {name: torch.stack([getattr(model, name).detach() for model in models]) for name in ("a", "b")}
    stacked = stacked_optimizer(optimizers, [["a"], ["b"]])
    for lrs, momenta in zip(lr, momentum, strict=True):
        for optimizer, rate, moment in zip(optimizers, lrs, momenta, strict=True):
            for group, ratio in zip(optimizer.param_groups, (1.0, 0.1), strict=True):
                # Torch's SGD has no buffer at all while momentum is 0, where the formula has one that is not used.
                group["lr"], moved = rate * ratio, max(moment, 1e-3)
                betas = (moved, group["betas"][1]) if "betas" in group else None
                group.update({"betas": betas} if betas else {"momentum": moved})
        for model in models:
            model.a.grad, model.b.grad = model.a.detach() ** 3 + 0.1, 2 * model.b.detach() - 0.3
        gradients = {"a": parameters["a"] ** 3 + 0.1, "b": 2 * parameters["b"] - 0.3}
        stacked.step(parameters, gradients, optimizers)
        for optimizer in optimizers:
            optimizer.step()
    for index, model in enumerate(models):
        torch.testing.assert_close(parameters["a"][index], model.a.detach(), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(parameters["b"][index], model.b.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: torch.optim.RMSprop(p), "only SGD, AdamW and Lion can be stacked, not RMSprop"),
        (
            lambda p: torch.optim.AdamW(p, amsgrad=True),
            "can be stacked, not AdamW with amsgrad",
        ),
        (lambda p: torch.optim.SGD(p, lr=1.0, maximize=True), "can be stacked, not SGD with maximize"),
    ],
)
def test_other_optimizers_are_refused(make, said):
    with pytest.raises(InputError, match=said):
        stacked_optimizer([make([torch.zeros(1, requires_grad=True)])], [["a"]])


@pytest.mark.parametrize("length", [3, 10, 20])
@pytest.mark.parametrize("kind", ["plain", "causal", "mask", "added", "grouped", "scaled"])
def test_attention_is_torchs(length, kind):
    torch.manual_seed(length)
    heads = 2 if kind == "grouped" else 4
    query, key, value = (torch.randn(2, heads_of, length, 8, dtype=torch.float64) for heads_of in (4, heads, heads))
    arguments = {
        "plain": {},
        "causal": {"is_causal": True},
        "mask": {"attn_mask": torch.rand(length, length) > 0.2 + torch.eye(length)},
        "added": {"attn_mask": torch.randn(length, length, dtype=torch.float64)},
        "grouped": {"enable_gqa": True},
        "scaled": {"scale": 0.3},
    }[kind]
    if kind == "mask":
        arguments["attn_mask"].fill_diagonal_(True)
    ours, torchs = (
        attention(query, key, value, **arguments),
        scaled_dot_product_attention(query, key, value, **arguments),
    )
    torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_torchs_attention_comes_back_after_an_error(device):
    """Meanwhile nothing is fused, which vmap could not batch."""
    before = torch.nn.functional.scaled_dot_product_attention
    context = batchable_attention(torch.device(device))
    context.__enter__()
    assert (torch.nn.functional.scaled_dot_product_attention is before) == (device == "cuda")
    assert not torch.backends.cuda.mem_efficient_sdp_enabled()
    assert not torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(ZeroDivisionError):
        context.gen.throw(ZeroDivisionError())
    assert torch.nn.functional.scaled_dot_product_attention is before
    assert torch.backends.cuda.mem_efficient_sdp_enabled()
    assert torch.backends.mha.get_fastpath_enabled()


class JoinsLater(nn.Module):
    """A second branch takes part from the fifth step on."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.first, self.second = nn.Linear(64, 10), nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))

    def forward(self, x):
        self.calls += self.training
        x = x.flatten(1)
        return self.first(x) + (self.second(x) if self.calls > 4 else 0)


class LayerDrop(nn.Module):
    """Leaves layers out at random while it trains."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(64, 64) for _ in range(3)])
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers:
            if not self.training or torch.rand(()) > 0.3:
                x = x + torch.relu(layer(x))
        return self.head(x)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("made", [JoinsLater, LayerDrop])
def test_a_part_without_a_gradient_in_some_steps_counts_its_own(made, optimizer, data_root):
    """Torch counts the steps of each parameter, and begins its momentum at its first gradient (pytorch#122131)."""
    workload = replace(make_workload("mlp", optimizer, data_root), make_model=lambda: made().double())
    runs = some_runs(optimizer)
    together, states = trained(workload, runs, Lockstep)
    for index, run in enumerate(runs):
        alone, [state] = trained(workload, [run], Plain)
        own = [evaluation.loss for evaluation in together if evaluation.run == index]
        assert own == pytest.approx([evaluation.loss for evaluation in alone], rel=1e-9)
        for name, tensor in state.items():
            torch.testing.assert_close(states[index][name], tensor, rtol=1e-7, atol=1e-9)
