"""Models and optimizers from torchvision, timm and the user, in lockstep or with a reason why not."""

import hashlib
import re
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim import SGD

import tests
from search_spaces import InputError, OneCycle
from study.search.configuration import Configuration
from study.training.lockstep_check import lockstep_obstacle
from study.training.workload_check import check_workload
from study.training.workload_objective import WorkloadObjective
from study.workloads.data import Data, Split
from study.workloads.models import model_maker
from study.workloads.names import short
from study.workloads.optimizers import optimizing
from study.workloads.options import WorkloadOptions
from study.workloads.user_code import imported, sources
from study.workloads.workload import Workload, optimized

X, Y = torch.randn(128, 6, generator=torch.Generator().manual_seed(0)), torch.arange(128) % 3
ROWS = Data("rows", 3, Split(X, Y), Split(X[:20], Y[:20]), Split(X[:20], Y[:20]))
CLASSIFIERS = (
    "alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3 maxvit_t mnasnet0_5"
)
CLASSIFIERS += (
    " mobilenet_v2 mobilenet_v3_small resnet18 resnext50_32x4d shufflenet_v2_x0_5 squeezenet1_0 swin_t swin_v2_t"
)
CLASSIFIERS += " vgg11 vit_b_16 wide_resnet50_2"


@pytest.mark.parametrize("name", CLASSIFIERS.split())
def test_the_classifiers_of_torchvision_take_images(name):
    """One of each kind, with grey images of 224 pixels, without numbers: shapes are all that is asked."""
    size = 299 if name == "inception_v3" else 224
    with torch.device("meta"):
        model = model_maker(f"torchvision:{name}", (1, size, size), 7)()
        scores = model.train()(torch.empty(2, 1, size, size))
    assert scores.shape == (2, 7)


def test_torchvisions_vision_transformer_takes_small_images_and_others_are_told():
    model = model_maker("torchvision:vit_b_16", (3, 32, 32), 7)()
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 7)
    with pytest.raises(InputError, match="unknown torchvision model 'resnet17': did you mean 'resnet1"):
        model_maker("torchvision:resnet17", (3, 32, 32), 7)()
    with pytest.raises(InputError, match="resnet18 needs images, but the examples have shape .40,.: try --model mlp"):
        model_maker("torchvision:resnet18", (40,), 7)
    tiny = Workload("w", ROWS, model_maker("torchvision:maxvit_t", (3, 32, 32), 3))
    with pytest.raises(InputError, match="w: the model cannot be made for examples of shape"):
        optimized(tiny, "sgd", 64, None)


def test_timm(monkeypatch):
    timm = pytest.importorskip("timm", reason="the extra `timm`")
    for name in ("resnet10t", "vit_tiny_patch16_224"):
        model = model_maker(f"timm:{name}", (1, 64, 64), 7)()
        assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 7)
        assert type(model) is type(timm.create_model(name))
    with pytest.raises(InputError, match="unknown timm model 'resnet10': did you mean 'resnet10t'"):
        model_maker("timm:resnet10", (1, 64, 64), 7)()


def test_timm_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(InputError, match="--model timm:resnet10t needs timm: pip install timm"):
        model_maker("timm:resnet10t", (1, 64, 64), 7)()


def made(text, name, tmp_path, monkeypatch):
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])


def test_a_model_of_ones_own_takes_what_it_names(tmp_path, monkeypatch):
    made(
        "from torch import nn\n"
        "def none():\n    return nn.Linear(6, 3)\n"
        "def both(input_shape, classes=2):\n    return nn.Linear(*input_shape, classes)\n"
        "def width(width):\n    return nn.Linear(6, width)\n"
        "def fails():\n    return nn.Linear(6, 'three')\n"
        "number = lambda: 3\n",
        "own_models",
        tmp_path,
        monkeypatch,
    )
    for name in ("none", "both"):
        assert model_maker(f"own_models:{name}", (6,), 3)()(X).shape == (128, 3)
    for name, said in {
        "width": "--model own_models:width requires 'width', but can only be given input_shape, classes: wrap it in",
        "fails": r"--model own_models:fails failed: TypeError: .* \(own_models.py, line \d+\)",
        "number": "--model own_models:<lambda> must make an nn.Module, but 'int' was given",
        "bth": "unknown function 'bth' in own_models: did you mean 'both'",
    }.items():
        with pytest.raises(InputError, match=said):
            model_maker(f"own_models:{name}", (6,), 3)()


def test_modules_that_fail_are_told(tmp_path, monkeypatch):
    made("import no_such_package\n", "own_needy", tmp_path, monkeypatch)
    with pytest.raises(InputError, match="--model own_needy:model: own_needy needs no_such_package: pip install it"):
        model_maker("own_needy:model", (6,), 3)
    made("def model(:\n", "own_typo", tmp_path, monkeypatch)
    with pytest.raises(InputError, match=r"--model own_typo:model: SyntaxError: .*own_typo.py, line 1"):
        model_maker("own_typo:model", (6,), 3)


def adam_in_groups(model):
    return torch.optim.Adam([{"params": [model.weight], "lr": 0.01}, {"params": [model.bias], "lr": 0.02}])


def test_optimizers_of_ones_own():
    model = nn.Linear(6, 3)
    found = optimizing(f"{__name__}:adam_in_groups", None, model)
    assert found.peak_lr == (0.0002, 2.0), "a hundredth and a hundred times the highest rate"
    made = eval(found.optimizer_code.format(lr=0.5), {"model": model, "tests": tests})
    assert [group["lr"] for group in made.param_groups] == [0.01, 0.02], "the schedule keeps the ratio of its own rates"
    named = optimizing("torch.optim:NAdam", 0.1, model)
    assert type(named.make_optimizer(model)) is torch.optim.NAdam
    assert named.optimizer_code == "torch.optim.NAdam(model.parameters(), weight_decay=0.1)"
    assert (named.weight_decay, named.make_optimizer(model).defaults["weight_decay"]) == (0.1, 0.1)
    with pytest.raises(InputError, match="adam_in_groups does not take weight_decay: remove --weight-decay"):
        optimizing(f"{__name__}:adam_in_groups", 0.1, model)
    with pytest.raises(InputError, match="--optimizer torch:zeros failed|requires 'size'|signature cannot be read"):
        optimizing("torch:zeros", None, model)
    with pytest.raises(InputError, match="must make a torch Optimizer, but 'Linear' was given"):
        optimizing(f"{__name__}:same_model", None, model)


def same_model(model):
    return model


def linear_model(input_shape, classes, bias):
    return nn.Linear(*input_shape, classes, bias=bias)


linear_of_it = partial(linear_model, bias=False)
plain_sgd = partial(torch.optim.SGD, lr=0.1)
no_model = partial(same_model, 3)


def test_a_partial_is_a_function_too():
    made = model_maker(f"{__name__}:linear_of_it", (6,), 3)()
    assert made.bias is None
    found = optimizing(f"{__name__}:plain_sgd", None, made)
    assert found.optimizer_code == f"{__name__}.plain_sgd(model.parameters())"
    assert found.peak_lr == pytest.approx((0.001, 10.0))
    with pytest.raises(InputError, match="same_model must make an nn.Module, but 'int' was given"):
        model_maker(f"{__name__}:no_model", (6,), 3)()


def test_only_torchs_own_files_are_known_by_their_version(tmp_path, monkeypatch):
    made("def model():\n    pass\n", "torch_mine", tmp_path, monkeypatch)
    imported("torch_mine:model", "--model")
    assert sources("torch_mine:model", "torch.optim:NAdam", None, "mnist1d") == {
        "torch_mine": hashlib.sha256((tmp_path / "torch_mine.py").read_bytes()).hexdigest()
    }


class Counts(nn.Module):
    """Wrong in lockstep: it keeps a number that is no buffer, and uses it."""

    def __init__(self):
        super().__init__()
        self.linear, self.calls = nn.Linear(6, 3), 0

    def forward(self, x):
        self.calls += 1
        return self.linear(x) * (1 + 0.1 * self.calls)


class Decides(Counts):
    """Impossible in lockstep: its way depends on its numbers."""

    def forward(self, x):
        scores = self.linear(x)
        return scores if scores.sum() > 0 else 2 * scores


class InPlace(Counts):
    def forward(self, x):
        x *= 2
        return self.linear(x)


def nested():
    return nn.Sequential(nn.Unflatten(1, (6, 1)), nn.LSTM(1, 4, batch_first=True))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)), None),
        (lambda: nn.Sequential(nn.Linear(6, 9), nn.ReLU(inplace=True), nn.Linear(9, 3)), None),
        (InPlace, None),
        (Decides, "RuntimeError: .*data-dependent"),
    ],
    ids=["norm and dropout", "in place", "in place on its input", "decides"],
)
def test_lockstep_or_a_reason(model, reason):
    workload = Workload("w", ROWS, model)
    check_workload(workload)
    found = lockstep_obstacle(workload)
    if reason is None:
        assert found is None
    else:
        assert re.search(reason, found)
    assert torch.equal(ROWS.train.x, X), "what works in place works on copies"


def test_losses_that_differ_keep_a_workload_from_lockstep(monkeypatch):
    """Once for two runs, where the plain loop counts for each."""
    workload = Workload("w", ROWS, Counts)

    class CountsOnce(Counts):
        total = 0

        def forward(self, x):
            CountsOnce.total += 1
            return self.linear(x) * (1 + 0.1 * CountsOnce.total)

    assert (
        lockstep_obstacle(replace(workload, make_model=CountsOnce)) == "its losses differ from those of the plain loop"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"make_model": lambda: nn.Linear(5, 3)},
            "w: the model cannot be trained on examples of shape .6,., float32: Run",
        ),
        ({"make_model": nested}, "w: the model gives a tuple, and must give a tensor"),
        (
            {"loss": nn.functional.cross_entropy},
            r"the loss must be one number per row, shape \(8,\), but \(\) was",
        ),
        ({"make_optimizer": lambda model: torch.optim.LBFGS(model.parameters())}, "missing 1 required positional arg"),
    ],
)
def test_what_does_not_go_together_is_told(changes, said):
    with pytest.raises(InputError, match=said) as told:
        check_workload(replace(Workload("w", ROWS, lambda: nn.Linear(6, 3)), **changes))
    assert "\n" not in str(told.value)


def test_an_optimizer_without_momentum_is_told_before_the_search():
    plain = replace(Workload("w", ROWS, lambda: nn.Linear(6, 3)), make_optimizer=lambda m: SGD(m.parameters(), lr=0.1))
    with pytest.raises(InputError, match="cyclic with cycle_momentum=True needs an optimizer with momentum"):
        Configuration().check(WorkloadObjective(plain))
    Configuration(families=("cosine", "wsd")).check(WorkloadObjective(plain))
    assert OneCycle.family not in ("cosine", "wsd")


def test_names_are_safe_for_paths(tmp_path):
    for name in ("../../etc/pass wd.csv", "data/a b.csv", "package.module:function", "/", "..", "torchvision:resnet18"):
        assert set(short(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-"), name
        assert short(name).strip(".")
    (tmp_path / "My houses.csv").touch()
    assert WorkloadOptions(dataset=str(tmp_path / "My houses.csv")).subject == "My-houses-mlp-sgd"
