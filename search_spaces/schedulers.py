"""The scheduler that `build` returns: torch's own, fitted into a run, for any optimizer that torch's schedulers take.

Imported only when a schedule is built, because this module needs torch and a schedule does not. Exported code quotes
it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LinearLR, LRScheduler, SequentialLR

from search_spaces.errors import InputError
from search_spaces.groups import set_momentum, set_rate, take_ratios


class RunScheduler(LRScheduler):
    """Moves a torch scheduler through a run of `total_steps` optimizer steps; afterwards its last rate stays.

    Torch's scheduler moves a stand-in with one group, and each group of the optimizer follows at its ratio to the
    highest. So groups can be added at any time, a rate that is a tensor is filled in place, and a state can be loaded
    before or after the optimizer's, or after it into a run of another length.

    make: (stand-in) -> torch's scheduler. moves: how many steps that makes, at most total_steps.
    """

    def __init__(
        self, optimizer: Optimizer, peak_lr: float, total_steps: int, make: Callable[[Optimizer], Any], moves: int
    ) -> None:
        self.peak_lr, self.total_steps, self.make, self.moves = peak_lr, total_steps, make, moves
        self.ratios, self.ended = take_ratios(optimizer), False
        self.begin()
        for group, ratio in zip(optimizer.param_groups, self.ratios, strict=True):
            self.lead(group, ratio)
        super().__init__(optimizer)

    def begin(self) -> None:
        """Make the stand-in, and torch's scheduler of it."""
        stand_in = SGD([torch.zeros(1)], lr=self.peak_lr, momentum=0.9)
        self.inner = self.make(stand_in)
        stand_in.step()  # without a gradient; torch's schedulers warn if their optimizer never made a step
        [self.leader] = stand_in.param_groups
        self.cycles_momentum = bool(getattr(self.inner, "cycle_momentum", False))

    def lead(self, group: dict[str, Any], ratio: float) -> None:
        """Set a group's rates, and its momentum if that is cycled."""
        group["initial_lr"] = self.leader["initial_lr"] * ratio
        set_rate(group, self.leader["lr"] * ratio)
        if self.cycles_momentum:
            set_momentum(group, self.leader["momentum"])

    def step(self) -> None:  # type: ignore[override]
        """Advance by one optimizer step; `__init__` calls it too, to set the first learning rates."""
        for group in self.optimizer.param_groups[len(self.ratios) :]:  # added since the last step
            self.ratios.append(float(group["lr"]) / (self.leader["lr"] or self.peak_lr))
            self.base_lrs.append(self.leader["initial_lr"] * self.ratios[-1])
        if 0 <= self.last_epoch < self.moves:
            self.inner.step()
        if self.last_epoch >= self.total_steps and not self.ended:
            self.ended = True
            warnings.warn(
                f"scheduler.step() was called more than {self.total_steps} times, the total_steps it was built for: "
                "the learning rate stays at its last value",
                stacklevel=2,
            )
        if self._step_count <= 1:  # torch sets the first rates, and warns of a first step before the optimizer's
            super().step()
        else:  # the same, in less than half the time
            self._step_count += 1
            self.last_epoch += 1
        self.lead_all()

    def lead_all(self) -> None:
        """Set the rates of all groups, and their momentum if that is cycled."""
        for group, ratio in zip(self.optimizer.param_groups, self.ratios, strict=False):
            self.lead(group, ratio)

    def get_lr(self) -> list[Any]:
        """The current learning rate of each group."""
        return [self.leader["lr"] * ratio for ratio in self.ratios[: len(self.optimizer.param_groups)]]

    def get_last_lr(self) -> list[Any]:
        """The same; a tensor for a group whose rate is one."""
        pairs = zip(self.optimizer.param_groups, self.get_lr(), strict=False)
        return [torch.full_like(group["lr"], lr) if torch.is_tensor(group["lr"]) else lr for group, lr in pairs]

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to resume."""
        own = {
            key: value for key, value in super().state_dict().items() if key[0] != "_" and key not in ("make", "leader")
        }
        inner = {"inner": self.inner.state_dict(), "lr": self.leader["lr"], "momentum": self.leader["momentum"]}
        return own | {"_step_count": self._step_count} | inner

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state, before or after the optimizer's is loaded.

        After a run of another length, the rates are those that this run would have had; then load it last, because the
        optimizer's state holds the last rate of that run. So, too, if it is that of a scheduler of torch, which earlier
        versions saved. Raises InputError if it has no last_epoch.
        """
        steps = state_dict.get("last_epoch")
        if steps is None:
            raise InputError("this is no saved state of a scheduler: last_epoch, the number of its steps, is missing")
        ratios = state_dict.get("ratios", self.ratios)
        self.ratios = [*ratios, *self.ratios[len(ratios) :]]  # of groups that have been added since
        self.last_epoch, self._step_count = steps, state_dict.get("_step_count", steps + 1)
        if state_dict.get("total_steps") == self.total_steps and "inner" in state_dict:
            self.inner.load_state_dict(state_dict["inner"])
            self.leader.update(lr=state_dict["lr"], momentum=state_dict["momentum"])
        else:
            self.begin()
            for _ in range(min(self.last_epoch, self.moves)):
                self.inner.step()
        self.lead_all()
        self.base_lrs = [group["initial_lr"] for group in self.optimizer.param_groups]

    def __getattr__(self, name: str) -> Any:
        """What torch's scheduler has, such as its `T_max`."""
        if name.startswith("__") or name in ("inner", "leader"):
            raise AttributeError(name)
        return getattr(self.inner, name)


class ObservingScheduler(RunScheduler):
    """A `RunScheduler` of `PlateauWithWarmup`: `observe` passes it the losses. evaluations: of the whole run."""

    def __init__(
        self,
        optimizer: Optimizer,
        peak_lr: float,
        total_steps: int,
        make: Callable[[Optimizer], Any],
        moves: int,
        evaluations: int,
    ) -> None:
        # The first evaluation is due after its share of the run, but nobody is warned in the first tenth.
        self.due, self.observed = max(total_steps / evaluations, total_steps / 10) + 1, 0
        self.evaluations = evaluations
        super().__init__(optimizer, peak_lr, total_steps, make, moves)

    def step(self) -> None:  # type: ignore[override]
        """Advance by one optimizer step."""
        if self.last_epoch > self.due and not self.observed:
            self.observed = 1
            warnings.warn(
                f"the scheduler has observed no loss in {self.last_epoch} of {self.total_steps} steps, so the learning "
                "rate is constant: call scheduler.observe(validation_loss) after every evaluation",
                stacklevel=2,
            )
        super().step()

    def observe(self, loss: float) -> None:
        """Pass the validation loss (lower is better) of the latest evaluation."""
        self.observed += 1
        if self.observed == 2 * self.evaluations + 1:
            warnings.warn(
                f"the scheduler was made for {self.evaluations} evaluations in the whole run, but has observed "
                f"{self.observed}: its patience is a share of them, so make it for as many as the run has",
                stacklevel=2,
            )
        self.inner.observe(loss)
        self.lead_all()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state; what was observed counts in a run of any length."""
        super().load_state_dict(state_dict)
        inner = state_dict.get("inner", state_dict.get("scheduler", state_dict))  # earlier versions had other places
        if "plateau" not in inner:
            raise InputError("this is no saved state of plateau: it is that of another schedule")
        self.observed = state_dict.get("observed", inner["plateau"]["last_epoch"])
        if state_dict.get("total_steps") != self.total_steps:
            self.inner.take_over(inner, state_dict.get("lr", inner["plateau"]["_last_lr"][0]))
            self.lead_all()


def with_warmup(torch_class: Any, warmup_steps: int, arguments: dict[str, Any], optimizer: Optimizer) -> Any:
    """The warm-up, if any, followed by torch's scheduler."""
    if warmup_steps == 0:
        return torch_class(optimizer, **arguments)
    warmup = linear_warmup(optimizer, warmup_steps)
    body = torch_class(optimizer, **arguments)
    return SequentialLR(optimizer, [warmup, body], milestones=[warmup_steps])


def linear_warmup(optimizer: Optimizer, warmup_steps: int) -> LinearLR:
    """Multiplies the learning rate by (step + 1) / (warmup_steps + 1)."""
    return LinearLR(optimizer, start_factor=1 / (warmup_steps + 1), end_factor=1.0, total_iters=warmup_steps)


class PlateauWithWarmup:
    """LinearLR for the warm-up, then ReduceLROnPlateau or GreedyLR, which torch cannot put after another scheduler."""

    def __init__(self, torch_class: Any, warmup_steps: int, arguments: dict[str, Any], optimizer: Optimizer) -> None:
        self.plateau = torch_class(optimizer, **arguments)
        self.warmup = linear_warmup(optimizer, warmup_steps)
        self.warmup_steps = warmup_steps

    def step(self) -> None:
        """Advance by one optimizer step."""
        if self.warming_up:
            self.warmup.step()

    def observe(self, loss: float) -> None:
        """Pass a validation loss; ignored during the warm-up."""
        if not self.warming_up:
            self.plateau.step(loss)

    @property
    def warming_up(self) -> bool:
        """Whether the next step is one of the warm-up."""
        return self.warmup.last_epoch < self.warmup_steps

    def take_over(self, state_dict: dict[str, Any], lr: float) -> None:
        """Continue a run of another length: with what it has observed, and its rate."""
        if not self.warming_up and state_dict["warmup"]["last_epoch"] >= state_dict["warmup"]["total_iters"]:
            for name in {"best", "num_good_epochs", "num_bad_epochs", "last_epoch"} & state_dict["plateau"].keys():
                setattr(self.plateau, name, state_dict["plateau"][name])
            set_rate(self.plateau.optimizer.param_groups[0], lr)

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to resume."""
        return {"warmup": self.warmup.state_dict(), "plateau": self.plateau.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a saved state."""
        self.warmup.load_state_dict(state_dict["warmup"])
        self.plateau.load_state_dict(state_dict["plateau"])

    def __getattr__(self, name: str) -> Any:
        """What torch's ReduceLROnPlateau has, such as its `patience`."""
        if name.startswith("__") or name == "plateau":
            raise AttributeError(name)
        return getattr(self.plateau, name)
