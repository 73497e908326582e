"""What makes the model that `--model` names (names.py): a built-in one, torchvision's, timm's, or the user's own."""

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
    """What makes a freshly initialised model of this name, or by this function; raises InputError if there is none."""
    if not isinstance(name, str):
        return partial(call_model, name, input_shape, classes)
    check_model(name)
    library, colon, of_it = name.partition(":")
    if name in MODELS:
        return partial(import_named(MODELS[name]), input_shape, classes)
    if colon and library in LIBRARIES:
        if len(input_shape) != 3:
            raise InputError(f"model {name} needs images, but the examples have shape {input_shape}: try --model mlp")
        return partial(import_named(LIBRARIES[library]), of_it, input_shape, classes)
    return partial(call_model, imported(name, "--model"), input_shape, classes)


def call_model(function: Callable[..., Any], input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """The model of a user's function, which may take `input_shape` and `classes`."""
    model = call(function, "--model", input_shape=input_shape, classes=classes)
    require(isinstance(model, nn.Module), f"--model {path_of(function)} must make an nn.Module", type(model).__name__)
    return model  # type: ignore[no-any-return]  # checked in the line above


class ThreeChannels(nn.Module):
    """Grey images as the three equal channels that torchvision's models take."""

    def forward(self, x: Tensor) -> Tensor:
        """x (rows, 1, height, width) -> (rows, 3, height, width)."""
        return x.expand(-1, 3, -1, -1)


def torchvision_model(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """A classifier of torchvision, from scratch."""
    import torchvision.models  # seconds to import, which other models need not wait for

    builder = torchvision.models.get_model_builder(name)
    height, width = input_shape[1:]
    arguments: dict[str, Any] = {"weights": None, "num_classes": classes}
    if name in ("googlenet", "inception_v3"):  # a second output for training only
        arguments |= {"aux_logits": False, "init_weights": True}
    elif name.startswith("vit_"):
        arguments |= {"image_size": height}
    elif name.startswith("maxvit"):
        arguments |= {"input_size": (height, width)}
    model: nn.Module = builder(**arguments)
    return model if input_shape[0] == 3 else nn.Sequential(ThreeChannels(), model)


def timm_model(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """A model of timm, from scratch."""
    try:
        import timm
    except ImportError as error:
        raise InputError(f"--model timm:{name} needs timm: pip install timm") from error
    if not timm.is_model(name):
        raise unknown("timm model", name, timm.list_models())
    arguments: dict[str, Any] = {"num_classes": classes, "in_chans": input_shape[0]}
    try:
        model: nn.Module = timm.create_model(name, **arguments, img_size=input_shape[1:])
    except TypeError:  # only what is made for one size asks for it
        model = timm.create_model(name, **arguments)
    return model
