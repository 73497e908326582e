"""Muon for the hidden matrices of a model, AdamW for everything else, as one optimizer. Exported code quotes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim import AdamW, Muon, Optimizer


class MuonWithAdamW(Optimizer):
    """torch.optim.Muon for the matrices of a model, and torch.optim.AdamW for its other parameters.

    Muon is for hidden matrices: embeddings, the first and the last layer, and vectors are AdamW's. Muon's updates are
    scaled to the size of AdamW's (Liu et al. 2025, Muon is Scalable for LLM Training), so both have one learning rate
    and one weight decay, which vectors do not have.

    adamw_for: names of the matrices that are AdamW's. Raises ValueError if the model has no parameter of such a name.
    """

    def __init__(self, model: torch.nn.Module, adamw_for: Sequence[str], lr: float, weight_decay: float) -> None:
        parameters = dict(model.named_parameters())
        if unknown := set(adamw_for) - parameters.keys():
            raise ValueError(f"the model has no parameters named {sorted(unknown)}, but {sorted(parameters)}")
        hidden = [one for name, one in parameters.items() if one.ndim == 2 and name not in adamw_for]
        others = [one for name, one in parameters.items() if one.ndim > 2 or name in adamw_for]
        vectors = [one for one in parameters.values() if one.ndim < 2]
        groups: list[dict[str, Any]] = [{"params": others}, {"params": vectors, "weight_decay": 0.0}]
        groups = [group for group in groups if group["params"]]
        self.muon = Muon(hidden, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        self.adamw = AdamW(groups, lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay)
        super().__init__([*self.muon.param_groups, *self.adamw.param_groups], {})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; one that is added later is AdamW's."""
        usual = {} if "ns_steps" in param_group else self.adamw.defaults
        super().add_param_group({**usual, **param_group})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make a step of both, each with its groups of this optimizer and with the states that are kept here."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.muon.param_groups = [group for group in self.param_groups if "ns_steps" in group]
        self.adamw.param_groups = [group for group in self.param_groups if "ns_steps" not in group]
        self.muon.state = self.adamw.state = self.state
        self.muon.step()
        self.adamw.step()
        return loss

    def __getstate__(self) -> dict[str, Any]:
        """What a copy needs."""
        return {**super().__getstate__(), "muon": self.muon, "adamw": self.adamw}
