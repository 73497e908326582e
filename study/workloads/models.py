"""Makes the model that `--model` names (see names.py): built-in, torchvision's, timm's, or the user's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from search_spaces.errors import InputError, require, unknown
from search_spaces.imported import import_named
from study.workloads.names import LIBRARIES, MODELS, check_model
from study.workloads.user_code import call, imported, path_of


def model_maker(name: str | Callable[..., Any], input_shape: tuple[int, ...], classes: int) -> Callable[[], nn.Module]:
    """A function that makes a newly initialised model, by name or from the user's function.

    input_shape: of one example. classes: outputs of the model. Raises InputError if there is no such model.
    """
    if not isinstance(name, str):
        return partial(call_model, name, input_shape, classes)
    check_model(name)
    library, colon, library_model = name.partition(":")
    if name in MODELS:
        return partial(import_named(MODELS[name]), input_shape, classes)
    if colon and library in LIBRARIES:
        if len(input_shape) != 3:
            raise InputError(f"model {name} needs images, but the examples have shape {input_shape}: try --model mlp")
        return partial(import_named(LIBRARIES[library]), library_model, input_shape, classes)
    return partial(call_model, imported(name, "--model"), input_shape, classes)


def call_model(function: Callable[..., Any], input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """The model made by a user's function, which may take `input_shape` and `classes`."""
    model = call(function, "--model", input_shape=input_shape, classes=classes)
    require(isinstance(model, nn.Module), f"--model {path_of(function)} must make an nn.Module", type(model).__name__)
    return model  # type: ignore[no-any-return]  # checked in the line above


class ThreeChannels(nn.Module):
    """Repeats the channel of gray images three times, for torchvision's models."""

    def forward(self, x: Tensor) -> Tensor:
        """x (rows, 1, height, width) -> (rows, 3, height, width)."""
        return x.expand(-1, 3, -1, -1)


def torchvision_model(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """A torchvision classifier, randomly initialised."""
    import torchvision.models  # takes seconds, which the other models need not wait for

    builder = torchvision.models.get_model_builder(name)
    height, width = input_shape[1:]
    arguments: dict[str, Any] = {"weights": None, "num_classes": classes}
    if name in ("googlenet", "inception_v3"):  # these have auxiliary outputs in training
        arguments |= {"aux_logits": False, "init_weights": True}
    elif name.startswith("vit_"):
        arguments |= {"image_size": height}
    elif name.startswith("maxvit"):
        arguments |= {"input_size": (height, width)}
    model: nn.Module = builder(**arguments)
    return model if input_shape[0] == 3 else nn.Sequential(ThreeChannels(), model)


def timm_model(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """A timm model, randomly initialised."""
    try:
        import timm
    except ImportError as error:
        raise InputError(f"--model timm:{name} needs timm: pip install timm") from error
    if not timm.is_model(name):
        raise unknown("timm model", name, timm.list_models())
    arguments: dict[str, Any] = {"num_classes": classes, "in_chans": input_shape[0]}
    try:
        model: nn.Module = timm.create_model(name, **arguments, img_size=input_shape[1:])
    except TypeError:  # only models for a fixed image size take img_size
        model = timm.create_model(name, **arguments)
    return model
