"""A schedule as standalone code that needs only torch; it fits the schedule into any number of steps."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from textwrap import dedent, indent
from typing import Any

from search_spaces.families.plateau import Plateau
from search_spaces.families.schedule_free import ScheduleFree
from search_spaces.groups import require_momentum
from search_spaces.imported import import_named
from search_spaces.inline_source import body_of, names_in, standalone
from search_spaces.optimizer_call import with_argument
from search_spaces.schedule import Schedule

MUON = "search_spaces.muon.MuonWithAdamW"
"""An optimizer of ours, which the code quotes; any other is imported."""
KNOWN = (MUON, "torch.optim.", "lion_pytorch.")
"""Optimizers whose argument `weight_decay` is that of the group that has most of it."""
QUOTED = {
    "MuonWithAdamW": "search_spaces.muon:MuonWithAdamW",
    "averaged_model": "search_spaces.averaging:averaged_model",
    "with_weight_decay": "search_spaces.weight_decay:with_weight_decay",
}
"""What the code quotes, if it is needed, besides what the scheduler is made of."""
SHARED = tuple(
    f"search_spaces.{module}"
    for module in (
        "schedulers",
        "groups",
        "greedy_scheduler",
        "schedule_free_optimizer",
        "muon",
        "averaging",
        "weight_decay",
    )
)
"""Modules with what the code of every schedule uses."""
UPDATE_BN = "torch.optim.swa_utils.update_bn(training_batches, model)  # then, if the model has batch norm"
"""The line that re-estimates the statistics of batch norm for averaged weights."""
LONGEST_LINE = 100
"""Maximum characters of a signature on one line; a longer one has a line for each parameter."""


@dataclass(frozen=True)
class Exported:
    """What to export.

    optimizer_code: the call that makes the optimizer of `model`, with `{lr}` in place of the learning rate. clip_norm:
    the norm to which gradients are clipped, 0 if they are not, None if that is not known. averaging_fraction: of the
    run, over which weights are averaged, if they are. weight_decay: what the optimizer is to have in place of its own,
    if anything.
    """

    schedule: Schedule
    optimizer_code: str
    clip_norm: float | None = None
    averaging_fraction: float | None = None
    weight_decay: float | None = None

    @property
    def optimizer(self) -> str:
        """The call that makes the optimizer, with the peak learning rate."""
        return "make_schedule_free(model)" if self.replaces_optimizer else self.replaced

    @property
    def replaced(self) -> str:
        """The same; a schedule that replaces the optimizer makes its own of it."""
        code = self.optimizer_code
        if self.weight_decay is not None:
            code = self.with_argument or f"with_weight_decay({code}, {self.weight_decay!r})"
        return code.replace("{lr}", repr(self.schedule.peak_lr)).removeprefix(f"{MUON.rpartition('.')[0]}.")

    @property
    def with_argument(self) -> str | None:
        """The code with the weight decay as an argument; None if it has no such one, or is to keep its own.

        What a function of the user's makes of its argument is not known.
        """
        if self.weight_decay is None or not self.optimizer_code.startswith(KNOWN):
            return None
        return with_argument(self.optimizer_code, "weight_decay", self.weight_decay)

    @property
    def replaces_optimizer(self) -> bool:
        """Whether the schedule trains with an optimizer of its own."""
        return self.schedule.replaces_optimizer

    @property
    def optimizer_imports(self) -> list[str]:
        """The import that the call needs."""
        module = self.optimizer_code.partition("(")[0].rpartition(".")[0]
        return [f"import {module}"] if module and not self.optimizer_code.startswith(f"{MUON}(") else []

    @property
    def quoted(self) -> list[str]:
        """The names in QUOTED that its use needs."""
        needed = (
            self.optimizer_code.startswith(f"{MUON}("),
            self.averaging_fraction is not None,
            self.weight_decay is not None and self.with_argument is None,
        )
        return [name for name, need in zip(QUOTED, needed, strict=True) if need]

    @property
    def averaging(self) -> list[str]:
        """How the weights are averaged, as lines of code; none if they are not."""
        if self.averaging_fraction is None:
            return []
        return [
            self.average_of("total_steps"),
            "averaged.update_parameters(model)  # after every optimizer step; evaluate and keep averaged",
        ]

    def average_of(self, steps: str) -> str:
        """The line that makes the average. steps: the name of the number of steps."""
        return f"averaged = averaged_model(model, {steps}, averaging_fraction={self.averaging_fraction})"

    @property
    def observes(self) -> bool:
        """Whether the scheduler observes validation losses: then it is made for a number of evaluations, too."""
        return isinstance(self.schedule, Plateau)


def torch_code(exported: Exported) -> str:
    """The function `make_scheduler(optimizer, total_steps)`, followed by its usage as comments."""
    imports = exported.optimizer_imports if exported.replaces_optimizer else []
    code = standalone(functions(exported), scope(exported), imports, quoted=exported.quoted)
    return f"{code}\n\n\n{usage(exported)}"


def usage(exported: Exported) -> str:
    """How the function is called, as comments."""
    lines = [f"optimizer = {exported.optimizer}"]
    if exported.observes:
        lines += ["scheduler = make_scheduler(optimizer, total_steps, evaluations)  # evaluations in the whole run"]
    else:
        lines += ["scheduler = make_scheduler(optimizer, total_steps)"]
    lines += exported.averaging[:1]
    if exported.clip_norm:
        clipping = f"torch.nn.utils.clip_grad_norm_(model.parameters(), {exported.clip_norm})"
        lines += [f"{clipping}  # before every optimizer step"]
    lines += ["scheduler.step()  # after every optimizer step, total_steps in all"]
    lines += exported.averaging[1:]
    lines += ["scheduler.observe(validation_loss)  # after every evaluation"] if exported.observes else []
    if exported.replaces_optimizer:
        lines += ["optimizer.eval()  # before every evaluation, and before the weights are saved"]
        lines += [UPDATE_BN]
        lines += ["optimizer.train()  # afterwards"]
    return indent("\n".join(lines), "# ")


def shown_code(exported: Exported) -> str:
    """The same to be read: without the class that fits torch's scheduler into a run, which is the same for all."""
    source, names = functions(exported), scope(exported)
    used = [*names_in(source), *exported.quoted]
    omitted = [name for name in used if getattr(names.get(name), "__module__", None) in SHARED]
    needs = "torch and schedulefree" if exported.replaces_optimizer else "only torch"
    listed = " and ".join(part for part in (", ".join(omitted[:-1]), omitted[-1]) if part)
    whole = f"# The whole file, with {listed}: scripts/export.py. It needs {needs}."
    return f"{standalone(source, names, omitted=omitted)}\n\n\n{usage(exported)}\n{whole}"


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
    if exported.averaging_fraction is not None:
        lines += [f"{exported.average_of('new_total_steps')}  # its decay depends on total_steps"]
        lines += ["averaged.load_state_dict(saved_average)  # load its state, too"]
    if not until:
        lines = ["A run that is going cannot be given more steps: its rates depend on total_steps from the start."]
    return indent("\n".join(lines), "# ")


def lightning_code(exported: Exported) -> str:
    """`make_scheduler`, and the hooks of a LightningModule."""
    more = ", evaluations" if exported.observes else ""
    meaning = "\n\n    evaluations: of the whole run, such as the epochs.\n    " if exported.observes else ""
    code = f'''
def configure_optimizers(model{more}):
    """Call this from your LightningModule's method: return configure_optimizers(self{more}).{meaning}"""
    optimizer = {exported.optimizer}
    scheduler = make_scheduler(optimizer, model.trainer.estimated_stepping_batches{more})
    return {{"optimizer": optimizer, "lr_scheduler": {{"scheduler": scheduler, "interval": "step"}}}}
'''
    if exported.observes:
        code += '''

def on_validation_end(model):
    """Call this from your LightningModule's method of the same name; validation_step must log val_loss."""
    model.lr_schedulers().observe(float(model.trainer.callback_metrics["val_loss"]))
'''
    if exported.replaces_optimizer:
        code += f'''

def on_validation_start(model):
    """Call this from your LightningModule's method of the same name: the averaged weights are evaluated."""
    model.optimizers().optimizer.eval()
    # {UPDATE_BN}


def on_train_batch_start(model):
    """Call this from your LightningModule's method of the same name: until then, what was evaluated is saved."""
    model.optimizers().optimizer.train()
'''
    whole = standalone(
        f"{functions(exported)}\n{code}", scope(exported), exported.optimizer_imports, quoted=exported.quoted
    )
    return with_notes(exported, whole, "Trainer(gradient_clip_val={})")


def transformers_code(exported: Exported) -> str:
    """`make_scheduler`, and the arguments of the transformers Trainer."""
    imports, note, more, callback = exported.optimizer_imports, "", "", ""
    if exported.observes:
        imports += ["from transformers import TrainerCallback"]
        more = ", evaluations"
        note = "    # Set Trainer(..., callbacks=[ObserveValidation()]) so that it observes the validation loss.\n"
        note += "    # evaluations: how often the run evaluates, max_steps / eval_steps.\n"
        callback = '''

class ObserveValidation(TrainerCallback):
    """Passes the loss of each evaluation to the scheduler."""

    def on_evaluate(self, args, state, control, metrics, lr_scheduler, **kwargs):
        lr_scheduler.observe(metrics["eval_loss"])
'''
    code = f'''
def make_optimizers(model, max_steps{more}):
    """For Trainer(..., optimizers=make_optimizers(model, max_steps{more})); max_steps as in its arguments."""
{note}    optimizer = {exported.optimizer}
    return optimizer, make_scheduler(optimizer, max_steps{more})
{callback}'''
    whole = standalone(f"{functions(exported)}\n{code}", scope(exported), imports, quoted=exported.quoted)
    notes = ["TrainingArguments(max_grad_norm=0.0)  # gradients were not clipped"] if exported.clip_norm == 0 else []
    if exported.replaces_optimizer:
        notes += ["optimizer.eval()  # before save_model, unless an evaluation came last: it does so itself"]
        notes += [UPDATE_BN]
    return with_notes(exported, whole, "TrainingArguments(max_grad_norm={})", notes)


def with_notes(exported: Exported, code: str, clipping: str, notes: Iterable[str] = ()) -> str:
    """The code for a framework, with what else was done in training as comments.

    clipping: how the framework clips to a norm. notes: more of them.
    """
    lines = [f"{clipping.format(exported.clip_norm)}  # clips gradients to a norm"] if exported.clip_norm else []
    lines += [*notes, *exported.averaging]
    return "\n\n\n".join([code, indent("\n".join(lines), "# ")]) if lines else code


FORMATS: dict[str, Callable[[Exported], str]] = {
    "torch": torch_code,
    "lightning": lightning_code,
    "transformers": transformers_code,
}
"""Export formats by name."""


def functions(exported: Exported) -> str:
    """The source of `make_scheduler`, after that of the optimizer if the schedule has its own."""
    return (make_schedule_free(exported) if exported.replaces_optimizer else "") + make_scheduler(exported)


def make_schedule_free(exported: Exported) -> str:
    """The source of the function `make_schedule_free`: what `ScheduleFree.optimizer` makes of the optimizer."""
    head = signature("make_schedule_free", ["model"], {"beta": getattr(exported.schedule, "beta", None)})
    docstring = '    """The optimizer of the model, ready to train: evaluate between its eval() and its train()."""'
    return f"{head}\n{docstring}\n    return schedule_free({exported.replaced}, beta=beta)\n\n\n"


def make_scheduler(exported: Exported) -> str:
    """The source of the function `make_scheduler`: what `Schedule.build` does, with the lines of the family."""
    schedule = exported.schedule
    family, torch_class = type(schedule), schedule.torch_class.__name__
    given = {field.name: getattr(schedule, field.name) for field in fields(schedule)}
    if exported.replaces_optimizer:
        del given["beta"]  # of the optimizer
    arguments = body_of(family.arguments, "arguments = ")
    if schedule.warmup_fraction or exported.observes:
        warmup, steps = body_of(family.warmup_steps, "warmup_steps = "), "total_steps - warmup_steps"
        make = f"partial({schedule.assemble.__name__}, {torch_class}, warmup_steps, arguments)"
    else:
        del given["warmup_fraction"]
        warmup, steps, make = "", "total_steps", f"partial({torch_class}, **arguments)"
    cycles_momentum = getattr(schedule, "cycle_momentum", False)
    momentum = " Momentum is cycled too." if cycles_momentum else ""
    docstring = f"Scheduler for total_steps optimizer steps. The groups keep the ratios of their rates.{momentum}"
    required = ["optimizer", "total_steps", *(["evaluations"] if given.pop("evaluations", None) else [])]
    moves = "total_steps - 1" if schedule.ends_at_last_step else "total_steps"
    last = f"optimizer, peak_lr, total_steps, make, moves={moves}{', evaluations=evaluations' * exported.observes}"
    needs = f"{schedule.family} needs total_steps to be a whole number >= {schedule.least_steps}"
    if "steps" in names_in(dedent(arguments)):
        warmup += f"    steps = {steps}\n"
    lines = [signature("make_scheduler", required, given), f'    """{docstring}"""']
    lines += [f"    if not total_steps >= {schedule.least_steps} or total_steps % 1:"]
    lines += [f'        raise ValueError(f"{needs}, but {{total_steps}} was given")']
    lines += ["    total_steps = int(total_steps)", f"{warmup}{arguments}    make = {make}"]
    lines += [f'    require_momentum(optimizer, "{schedule.family}")'] if cycles_momentum else []
    lines += ["    require_schedule_free(optimizer)"] if exported.replaces_optimizer else []
    return "\n".join([*lines, f"    return {schedule.fitted.__name__}({last})", ""])


def signature(name: str, required: list[str], given: dict[str, Any]) -> str:
    """The signature of the function `name`. given: the schedule's parameters, which become defaults."""
    parts = [f"{name}={json.dumps(value) if isinstance(value, str) else repr(value)}" for name, value in given.items()]
    parts = [*required, *parts]
    line = f"def {name}({', '.join(parts)}):"
    broken = "\n".join([f"def {name}(", *(f"    {part}," for part in parts), "):"])
    return line if len(line) <= LONGEST_LINE else broken


def scope(exported: Exported) -> dict[str, Any]:
    """The global names that the code may use."""
    schedule = exported.schedule
    found: dict[str, Any] = {
        schedule.torch_class.__name__: schedule.torch_class,
        "require_momentum": require_momentum,
        **(vars(sys.modules[ScheduleFree.twin.__module__]) if exported.replaces_optimizer else {}),
        **vars(sys.modules[schedule.assemble.__module__]),
        **{name: import_named(QUOTED[name]) for name in exported.quoted},
    }
    for cls in type(schedule).__mro__:
        if issubclass(cls, Schedule):
            found = vars(sys.modules[cls.__module__]) | found
    return found
