"""The values of `--optimizer`: a built-in one, or an importable function or class, the user's or torch's."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim import Optimizer

from search_spaces.errors import InputError, require
from search_spaces.imported import import_named
from search_spaces.optimizer_facts import FACTOR
from study.workloads.language import DECAYING_MATRICES, decaying_matrices
from study.workloads.muon import make_muon, matrices_at_the_ends
from study.workloads.names import LANGUAGE_OPTIMIZERS, OPTIMIZERS, OptimizerChoice, check_optimizer
from study.workloads.user_code import bare_name, call, imported, is_importable, is_imported, path_of


class Optimizing(NamedTuple):
    """How a workload is optimized; the fields have the same names and meaning in `Workload`."""

    make_optimizer: Callable[[nn.Module], Optimizer]
    optimizer_code: str
    peak_lr: tuple[float, float]
    weight_decay: float


def optimizing(
    name: str | Callable[..., Any], weight_decay: float | None, model: nn.Module, language: bool = False
) -> Optimizing:
    """The optimizer with this name, or made by this function.

    weight_decay: None for its default. model: to try it on. language: whether that is a language model.

    Raises InputError if there is no such optimizer, or it takes no weight decay.
    """
    if not isinstance(name, str):
        return users_optimizer(name, name_in_code(name), weight_decay, model)
    if is_imported(name):
        return users_optimizer(imported(name, "--optimizer"), name, weight_decay, model)
    check_optimizer(name)
    if name == "muon":
        return muon(weight_decay, model)
    grouped = language and name in LANGUAGE_OPTIMIZERS
    choice = (LANGUAGE_OPTIMIZERS if grouped else OPTIMIZERS)[name]
    usual = 0.0 if has_sparse_gradients(model) else choice.weight_decay  # torch's weight decay takes dense ones only
    decay = usual if weight_decay is None else weight_decay
    arguments = choice.arguments | {"weight_decay": decay}
    parameters = decaying_matrices if grouped else nn.Module.parameters
    return Optimizing(
        make_optimizer=partial(make_optimizer, class_of(choice), arguments, parameters=parameters),
        optimizer_code=call_in_code(choice, DECAYING_MATRICES if grouped else "model.parameters()", arguments),
        peak_lr=choice.peak_lr,
        weight_decay=decay,
    )


def muon(weight_decay: float | None, model: nn.Module) -> Optimizing:
    """Muon for the hidden matrices, AdamW for the rest; raises InputError if the model has no hidden matrix."""
    choice, named, others = OPTIMIZERS["muon"], dict(model.named_parameters()), matrices_at_the_ends(model)
    if not any(parameter.ndim == 2 and name not in others for name, parameter in named.items()):
        raise InputError(
            "--optimizer muon is for the matrices between the first and the last layer, and the model has none: "
            "use --optimizer adamw"
        )
    decay = choice.weight_decay if weight_decay is None else weight_decay
    return Optimizing(
        make_optimizer=partial(make_muon, others, decay),
        optimizer_code=call_in_code(choice, f"model, {others!r}", {"weight_decay": decay}),
        peak_lr=choice.peak_lr,
        weight_decay=decay,
    )


def class_of(choice: OptimizerChoice) -> type[Any]:
    """The class of an optimizer."""
    module, _, name = choice.made_by.rpartition(".")
    made: type[Any] = import_named(f"{module}:{name}")
    return made


def call_in_code(choice: OptimizerChoice, first: str, arguments: dict[str, Any]) -> str:
    """The call that makes the optimizer, with `{lr}` as the learning rate. first: its first arguments, as code."""
    listed = "".join(f", {name}={value!r}" for name, value in arguments.items())
    return f"{choice.made_by}({first}, lr={{lr}}{listed})"


def has_sparse_gradients(model: nn.Module) -> bool:
    """Whether the model has an embedding with sparse gradients."""
    return any(getattr(module, "sparse", False) is True for module in model.modules())


def make_optimizer(
    optimizer_class: type[Any],
    arguments: dict[str, Any],
    model: nn.Module,
    parameters: Callable[[nn.Module], Any] = nn.Module.parameters,
) -> Any:
    """An optimizer for all parameters of the model; fused, which is faster, as long as that is possible.

    parameters: what the optimizer is made of.
    """
    if "fused" not in inspect.signature(optimizer_class).parameters:
        return optimizer_class(parameters(model), lr=1.0, **arguments)
    fusible = all(parameter.is_floating_point() for parameter in model.parameters())  # complex ones are not
    optimizer = optimizer_class(parameters(model), lr=1.0, fused=fusible or None, **arguments)
    optimizer.register_step_pre_hook(unfuse_if_needed)
    return optimizer


def unfuse_if_needed(optimizer: Optimizer, *_: Any) -> None:
    """Before a step that torch's fused kernels refuse, leave them for good, as without `fused=True`.

    They take no sparse gradients, and momentum only if it began at the same step in all parameters of a group: one that
    is skipped at first, as in LayerDrop, or unfrozen later, begins at its first gradient. Once each has had one, all
    have begun.
    """
    if len(optimizer.state) == sum(len(group["params"]) for group in optimizer.param_groups):
        return
    for group in optimizer.param_groups:
        if group["fused"]:
            given = [parameter for parameter in group["params"] if parameter.grad is not None]
            begun = sum(optimizer.state.get(one, {}).get("momentum_buffer") is not None for one in given)
            if 0 < begun < len(given) or any(parameter.grad.is_sparse for parameter in given):
                group["fused"] = None


def users_optimizer(
    function: Callable[..., Any], name: str, weight_decay: float | None, model: nn.Module
) -> Optimizing:
    """The optimizer that a user's function makes from a model or its parameters.

    name: `package.module:function`, or the name for exported code.
    """
    arguments = {} if weight_decay is None else {"weight_decay": weight_decay}
    make = partial(call_optimizer, function, arguments)
    optimizer = make(model)
    require(
        isinstance(optimizer, Optimizer), f"--optimizer {name} must make a torch Optimizer", type(optimizer).__name__
    )
    check_optimizer_steps(f"--optimizer {name}", optimizer, model)
    group = optimizer.param_groups[0]
    if weight_decay is not None and group.get("weight_decay") != weight_decay:
        raise InputError(f"--optimizer {name} does not take weight_decay: remove --weight-decay")
    highest = max(float(group["lr"]) for group in optimizer.param_groups)
    require(highest > 0, f"--optimizer {name} needs a learning rate above 0, the center of the search range", highest)
    return Optimizing(
        make_optimizer=make,
        optimizer_code=optimizer_call(name, function, arguments),
        peak_lr=(highest / FACTOR, highest * FACTOR),
        weight_decay=float(group.get("weight_decay", 0.0)),
    )


def check_optimizer_steps(what: str, optimizer: Optimizer, model: nn.Module) -> None:
    """Raise InputError if a schedule cannot set its learning rate, or it does not train the model step by step."""
    for group in optimizer.param_groups:
        lr = group.get("lr")
        number = isinstance(lr, int | float | torch.Tensor) and math.isfinite(lr)
        require(number, f"{what} needs a learning rate for a schedule to set: give it a number, such as lr=0.01", lr)
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise InputError(f"{what} needs a closure for each step, as LBFGS does, and cannot be used: choose another")
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if not held & {id(parameter) for parameter in model.parameters()}:
        raise InputError(f"{what} has no parameter of the model: make it from the model or the params that it is given")


SGD_DEFAULT = optimizing("sgd", None, nn.Module())
"""The default of `Workload`."""


def call_optimizer(function: Callable[..., Any], arguments: dict[str, Any], model: nn.Module) -> Any:
    """Make the optimizer of a model; the function takes `model`, or `params` like torch's classes."""
    return call(function, "--optimizer", model=model, params=model.parameters(), **arguments)


def name_in_code(function: Callable[..., Any]) -> str:
    """The name for exported code: `package.module:function`, or a bare name if it cannot be imported."""
    name = bare_name(function)
    if is_importable(function):
        return path_of(function)
    return "make_optimizer" if isinstance(function, partial) or not name.isidentifier() else name


def optimizer_call(name: str, function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """The call as Python code with the full module path. It sets no learning rate: the schedule does."""
    given = "model.parameters()" if "params" in inspect.signature(function).parameters else "model"
    listed = "".join(f", {argument}={value!r}" for argument, value in arguments.items())
    return f"{name.replace(':', '.')}({given}{listed})"
