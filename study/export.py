"""A schedule as code that depends on nothing of ours, for a run of any length."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from textwrap import dedent, indent
from typing import Any

from search_spaces.groups import set_all_to
from search_spaces.plateau import Plateau
from search_spaces.schedule import Schedule
from study.quoted import body_of, names, standalone

LONGEST_LINE = 100
"""Of a signature, before it is broken up."""


def torch_code(schedule: Schedule, optimizer_code: str) -> str:
    """The function `make_scheduler(optimizer, total_steps)`, and how it is used, as comments.

    optimizer_code: the call that makes the optimizer, with `{lr}` where its rate goes.
    """
    usage = [f"optimizer = {optimizer_code.format(lr=repr(schedule.peak_lr))}"]
    usage += ["scheduler = make_scheduler(optimizer, total_steps)", *calls(schedule)]
    return standalone(make_scheduler(schedule), scope(schedule)) + "\n\n\n" + indent("\n".join(usage), "# ")


def lightning_code(schedule: Schedule, optimizer_code: str) -> str:
    """`make_scheduler`, and what a LightningModule is to call."""
    how = '"monitor": "val_loss"' if is_torch_plateau(schedule) else '"interval": "step"'
    code = f'''
def configure_optimizers(model):
    """Call it in your LightningModule's method of this name: return configure_optimizers(self)."""
    optimizer = {optimizer_code.format(lr=repr(schedule.peak_lr))}
    scheduler = make_scheduler(optimizer, model.trainer.estimated_stepping_batches)
    return {{"optimizer": optimizer, "lr_scheduler": {{"scheduler": scheduler, {how}}}}}
'''
    if isinstance(schedule, Plateau) and not is_torch_plateau(schedule):
        code += '''

def on_validation_end(model):
    """Call it in your LightningModule's method of this name; validation_step is to log val_loss."""
    model.lr_schedulers().observe(float(model.trainer.callback_metrics["val_loss"]))
'''
    return standalone(f"{make_scheduler(schedule)}\n{code}", scope(schedule), [import_of(optimizer_code)])


def transformers_code(schedule: Schedule, optimizer_code: str) -> str:
    """`make_scheduler`, and what transformers' Trainer is to be given."""
    imports, note, callback = [import_of(optimizer_code)], "", ""
    if is_torch_plateau(schedule):
        note = '    # With TrainingArguments(..., metric_for_best_model="loss") it hears the validation loss.\n'
    elif isinstance(schedule, Plateau):
        imports += ["from transformers import TrainerCallback"]
        note = "    # With Trainer(..., callbacks=[HearValidation()]) it hears the validation loss.\n"
        callback = '''

class HearValidation(TrainerCallback):
    """Tells the scheduler the loss of each evaluation."""

    def on_evaluate(self, args, state, control, metrics, lr_scheduler, **kwargs):
        lr_scheduler.observe(metrics["eval_loss"])
'''
    code = f'''
def make_optimizers(model, max_steps):
    """For Trainer(..., optimizers=make_optimizers(model, max_steps)), max_steps as in TrainingArguments."""
{note}    optimizer = {optimizer_code.format(lr=repr(schedule.peak_lr))}
    return optimizer, make_scheduler(optimizer, max_steps)
{callback}'''
    return standalone(f"{make_scheduler(schedule)}\n{code}", scope(schedule), imports)


FORMATS: dict[str, Callable[[Schedule, str], str]] = {
    "torch": torch_code,
    "lightning": lightning_code,
    "transformers": transformers_code,
}
"""Kinds of code, by name."""


def make_scheduler(schedule: Schedule) -> str:
    """The source of the function `make_scheduler`: the lines of `Schedule.build` and of the family, quoted."""
    family, torch_class = type(schedule), schedule.torch_class.__name__
    given = {field.name: getattr(schedule, field.name) for field in fields(schedule)}
    arguments = body_of(family.arguments, "arguments = ")
    if schedule.warmup_fraction:
        warmup, steps = body_of(family.warmup_steps, "warmup_steps = "), "total_steps - warmup_steps"
        scheduler = body_of(family.assemble).replace("torch_class", torch_class)
    else:
        del given["warmup_fraction"]
        warmup, steps = "", "total_steps"
        scheduler = f"    return {torch_class}(optimizer, **arguments)\n"
    moved = " Momentum moves too." if getattr(schedule, "cycle_momentum", False) else ""
    said = f"The scheduler for a run of total_steps updates. All parameter groups get the same rate.{moved}"
    lines = [signature(given), f'    """{said}"""']
    if "steps" in names(dedent(arguments)):
        warmup += f"    steps = {steps}\n"
    if schedule.least_steps > 1:
        lines += [f"    if total_steps < {schedule.least_steps}:"]
        lines += [f'        raise ValueError("{schedule.family} needs at least {schedule.least_steps} updates")']
    lines += [f"{warmup}{arguments}{body_of(set_all_to)}{scheduler}"]
    return "\n".join(lines)


def signature(given: dict[str, Any]) -> str:
    """The first line, or lines, of `make_scheduler`; given: the schedule's parameters, as defaults."""
    parts = [f"{name}={json.dumps(value) if isinstance(value, str) else repr(value)}" for name, value in given.items()]
    parts = ["optimizer", "total_steps", *parts]
    line = f"def make_scheduler({', '.join(parts)}):"
    broken = "\n".join(["def make_scheduler(", *(f"    {part}," for part in parts), "):"])
    return line if len(line) <= LONGEST_LINE else broken


def calls(schedule: Schedule) -> list[str]:
    """What is called on the scheduler, and when."""
    if is_torch_plateau(schedule):
        return ["scheduler.step(validation_loss)  # after each of the run's evaluations"]
    lines = ["scheduler.step()  # after each of the run's total_steps updates"]
    if isinstance(schedule, Plateau):
        lines += ["scheduler.observe(validation_loss)  # after each of its evaluations"]
    return lines


def is_torch_plateau(schedule: Schedule) -> bool:
    """Whether the code makes torch's own ReduceLROnPlateau, which cannot warm up."""
    return isinstance(schedule, Plateau) and not schedule.warmup_fraction


def scope(schedule: Schedule) -> dict[str, Any]:
    """The global names that a schedule's methods may use."""
    found: dict[str, Any] = {schedule.torch_class.__name__: schedule.torch_class}
    for cls in type(schedule).__mro__:
        if issubclass(cls, Schedule):
            found = vars(sys.modules[cls.__module__]) | found
    return found


def import_of(optimizer_code: str) -> str:
    """The import that the optimizer's call needs."""
    return f"import {optimizer_code.partition('(')[0].rpartition('.')[0]}"
