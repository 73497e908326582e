"""Built-in workloads: every model on every kind of data, and messages for parts that do not fit."""

import pytest
import torch

from search_spaces import InputError
from study.workloads.models import model_maker
from study.workloads.names import LANGUAGE_MODELS, MODELS
from study.workloads.options import WorkloadOptions
from study.workloads.workload import ERROR


@pytest.mark.parametrize("model", [model for model in MODELS if model not in LANGUAGE_MODELS])
@pytest.mark.parametrize("shape", [(1, 40), (1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_models_take_1d_and_image_inputs(model, shape):
    if model == "resnet18" and len(shape) == 2:
        with pytest.raises(
            InputError, match="resnet18 needs images, but the examples have shape .1, 40.: try --model cnn"
        ):
            model_maker(model, shape, 10)()
        return
    scores = model_maker(model, shape, 7)()(torch.randn(2, *shape))
    assert scores.shape == (2, 7)
    assert torch.isfinite(scores).all()


def test_resnet18_keeps_small_images_large():
    """The stem halves nothing: the last of four stages, each but the first halving, still sees 4 x 4."""
    seen = {}
    model = model_maker("resnet18", (3, 32, 32), 10)()
    model.layer4.register_forward_hook(lambda module, inputs, output: seen.update(shape=output.shape))
    model(torch.zeros(1, 3, 32, 32))
    assert seen["shape"] == (1, 512, 4, 4)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_code_of_the_optimizer_makes_that_optimizer(optimizer, data_root):
    workload = WorkloadOptions("digits", optimizer=optimizer, weight_decay=0.25).load(data_root)
    model = workload.make_model()
    made = workload.make_optimizer(model).defaults | {"fused": None, "lr": 0.5}
    printed = eval(workload.optimizer_code.format(lr=0.5), {"torch": torch, "model": model}).defaults
    assert printed == made
    assert printed["weight_decay"] == 0.25


def test_the_error_counts_the_wrong_rows():
    scores = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    assert ERROR.measure(scores, torch.tensor([0, 1, 1, 1])).tolist() == [False, False, True, False]


def test_what_does_not_fit_is_told(data_root):
    with pytest.raises(
        InputError, match="--batch-size must be at most 1078, the number of training rows of digits, but 2000"
    ):
        WorkloadOptions("digits", model="mlp", optimizer="sgd", batch_size=2000, weight_decay=0.0).load(data_root)
    with pytest.raises(InputError, match="unknown model 'mpl': did you mean 'mlp'"):
        WorkloadOptions("digits", model="mpl", optimizer="sgd", batch_size=64, weight_decay=0.0).load(data_root)
    with pytest.raises(InputError, match="unknown optimizer 'adam': did you mean 'adamw'"):
        WorkloadOptions("digits", model="mlp", optimizer="adam", batch_size=64, weight_decay=0.0).load(data_root)
