"""A schedule as standalone code that needs only torch; it fits the schedule into any number of steps."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from textwrap import dedent, indent
from typing import Any

from search_spaces.families.plateau import Plateau
from search_spaces.groups import set_all_to, take_ratios
from search_spaces.inline_source import body_of, names_in, standalone
from search_spaces.schedule import Schedule

LONGEST_LINE = 100
"""Maximum characters of a signature on one line; a longer one has a line for each parameter."""


@dataclass(frozen=True)
class Exported:
    """What to export.

    optimizer_code: the call that makes the optimizer of `model`, with `{lr}` in place of the learning rate.
    unequal_groups: whether the parameter groups have different learning rates, whose ratios are kept.
    """

    schedule: Schedule
    optimizer_code: str
    unequal_groups: bool = False

    @property
    def optimizer(self) -> str:
        """The call that makes the optimizer, with the peak learning rate."""
        return self.optimizer_code.replace("{lr}", repr(self.schedule.peak_lr))

    @property
    def optimizer_imports(self) -> list[str]:
        """The import that the call needs."""
        module = self.optimizer_code.partition("(")[0].rpartition(".")[0]
        return [f"import {module}"] if module else []

    @property
    def observes(self) -> bool:
        """Whether the scheduler observes validation losses."""
        return isinstance(self.schedule, Plateau)

    @property
    def is_torch_plateau(self) -> bool:
        """Whether the code uses torch's ReduceLROnPlateau directly; it cannot warm up, and steps per evaluation."""
        return self.observes and not self.schedule.warmup_fraction and not self.unequal_groups


def torch_code(exported: Exported) -> str:
    """The function `make_scheduler(optimizer, total_steps)`, followed by its usage as comments."""
    usage = [f"optimizer = {exported.optimizer}", "scheduler = make_scheduler(optimizer, total_steps)"]
    if exported.is_torch_plateau:
        usage += ["scheduler.step(validation_loss)  # after every evaluation"]
    else:
        usage += ["scheduler.step()  # after every optimizer step, total_steps in all"]
        usage += ["scheduler.observe(validation_loss)  # after every evaluation"] if exported.observes else []
    return standalone(make_scheduler(exported), scope(exported)) + "\n\n\n" + indent("\n".join(usage), "# ")


def prolonging_code(exported: Exported, total_steps: int) -> str:
    """Until when a run that was begun with `total_steps` can be given more, and how: comments below the code."""
    schedule, until = exported.schedule, exported.schedule.extendable_until(total_steps)
    kept = f", warmup_fraction={schedule.warmup_steps(total_steps)} / new_total_steps" * bool(schedule.warmup_fraction)
    lines = [
        f"A run of {total_steps} steps can be given more until step {until}. Load the optimizer's state, and then:",
        f"scheduler = make_scheduler(optimizer, new_total_steps{kept})",
        "for _ in range(steps_done):",
        "    scheduler.step()",
    ]
    if until == total_steps:
        lines = ["A run that is going can be given more steps at any time: its rates do not depend on total_steps."]
    if not until:
        lines = ["A run that is going cannot be given more steps: its rates depend on total_steps from the start."]
    return indent("\n".join(lines), "# ")


def lightning_code(exported: Exported) -> str:
    """`make_scheduler`, and the hooks of a LightningModule."""
    how = '"monitor": "val_loss"' if exported.is_torch_plateau else '"interval": "step"'
    code = f'''
def configure_optimizers(model):
    """Call this from your LightningModule's method of the same name: return configure_optimizers(self)."""
    optimizer = {exported.optimizer}
    scheduler = make_scheduler(optimizer, model.trainer.estimated_stepping_batches)
    return {{"optimizer": optimizer, "lr_scheduler": {{"scheduler": scheduler, {how}}}}}
'''
    if exported.observes and not exported.is_torch_plateau:
        code += '''

def on_validation_end(model):
    """Call this from your LightningModule's method of the same name; validation_step must log val_loss."""
    model.lr_schedulers().observe(float(model.trainer.callback_metrics["val_loss"]))
'''
    return standalone(f"{make_scheduler(exported)}\n{code}", scope(exported), exported.optimizer_imports)


def transformers_code(exported: Exported) -> str:
    """`make_scheduler`, and the arguments of the transformers Trainer."""
    imports, note, callback = exported.optimizer_imports, "", ""
    if exported.is_torch_plateau:
        note = (
            '    # Set TrainingArguments(..., metric_for_best_model="loss") so that it observes the validation loss.\n'
        )
    elif exported.observes:
        imports += ["from transformers import TrainerCallback"]
        note = "    # Set Trainer(..., callbacks=[ObserveValidation()]) so that it observes the validation loss.\n"
        callback = '''

class ObserveValidation(TrainerCallback):
    """Passes the loss of each evaluation to the scheduler."""

    def on_evaluate(self, args, state, control, metrics, lr_scheduler, **kwargs):
        lr_scheduler.observe(metrics["eval_loss"])
'''
    code = f'''
def make_optimizers(model, max_steps):
    """For Trainer(..., optimizers=make_optimizers(model, max_steps)), max_steps as in TrainingArguments."""
{note}    optimizer = {exported.optimizer}
    return optimizer, make_scheduler(optimizer, max_steps)
{callback}'''
    return standalone(f"{make_scheduler(exported)}\n{code}", scope(exported), imports)


FORMATS: dict[str, Callable[[Exported], str]] = {
    "torch": torch_code,
    "lightning": lightning_code,
    "transformers": transformers_code,
}
"""Export formats by name."""


def make_scheduler(exported: Exported) -> str:
    """The source of the function `make_scheduler`, quoted from `Schedule.build` and from the family."""
    schedule = exported.schedule
    family, torch_class = type(schedule), schedule.torch_class.__name__
    given = {field.name: getattr(schedule, field.name) for field in fields(schedule)}
    arguments = body_of(family.arguments, "arguments = ")
    if schedule.warmup_fraction or (exported.observes and not exported.is_torch_plateau):
        warmup, steps = body_of(family.warmup_steps, "warmup_steps = "), "total_steps - warmup_steps"
        scheduler = body_of(family.assemble).replace("torch_class", torch_class)
    else:
        del given["warmup_fraction"]
        warmup, steps = "", "total_steps"
        scheduler = f"    return {torch_class}(optimizer, **arguments)\n"
    momentum = " Momentum is cycled too." if getattr(schedule, "cycle_momentum", False) else ""
    name = "make_scheduler_of_equal_groups" if exported.unequal_groups else "make_scheduler"
    docstring = f"Scheduler for total_steps optimizer steps. All groups get the same learning rate.{momentum}"
    lines = [signature(name, given), f'    """{docstring}"""']
    if "steps" in names_in(dedent(arguments)):
        warmup += f"    steps = {steps}\n"
    if schedule.least_steps > 1:
        lines += [f"    if total_steps < {schedule.least_steps}:"]
        lines += [f'        raise ValueError("{schedule.family} needs at least {schedule.least_steps} steps")']
    lines += [f"{warmup}{arguments}{body_of(set_all_to)}{scheduler}"]
    return "\n".join(lines) + (KEPT if exported.unequal_groups else "")


KEPT = '''

def make_scheduler(optimizer, total_steps, **parameters):
    """Scheduler for total_steps optimizer steps. The groups keep the ratios of their learning rates."""
    ratios = take_ratios(optimizer)
    return KeepRatios(make_scheduler_of_equal_groups(optimizer, total_steps, **parameters), optimizer, ratios)
'''
"""The part of `Schedule.build` that handles unequal groups."""


def signature(name: str, given: dict[str, Any]) -> str:
    """The signature of the function `name`. given: the schedule's parameters, which become defaults."""
    parts = [f"{name}={json.dumps(value) if isinstance(value, str) else repr(value)}" for name, value in given.items()]
    parts = ["optimizer", "total_steps", *parts]
    line = f"def {name}({', '.join(parts)}):"
    broken = "\n".join([f"def {name}(", *(f"    {part}," for part in parts), "):"])
    return line if len(line) <= LONGEST_LINE else broken


def scope(exported: Exported) -> dict[str, Any]:
    """The global names that the code may use."""
    schedule = exported.schedule
    found: dict[str, Any] = {
        schedule.torch_class.__name__: schedule.torch_class,
        "take_ratios": take_ratios,
        **vars(sys.modules[schedule.assemble.__module__]),
    }
    for cls in type(schedule).__mro__:
        if issubclass(cls, Schedule):
            found = vars(sys.modules[cls.__module__]) | found
    return found
