"""The weight decay of an optimizer: what it is, where it is usually searched, and how a run gets another one.

Exported code quotes `with_weight_decay`.
"""

from __future__ import annotations

from torch.optim import Optimizer

USUAL = {
    "SGD": (1e-5, 1e-2),
    "AdamW": (1e-3, 1.0),
    "Muon": (1e-3, 1.0),
    "MuonWithAdamW": (1e-3, 1.0),
    "Lion": (1e-2, 10.0),
}
"""(lowest, highest) by the class of the optimizer: where weight decay is searched, log scale.

SGD adds it to the gradient: around timm's 2e-5, 1e-4 for ResNets (He et al. 2016) and 5e-4 for wide ones (Zagoruyko and
Komodakis 2016). AdamW, in which the rate scales it: AlgoPerf's baselines search 5e-3 to 1 (Dahl et al. 2023); torch's
default is 0.01, usual for language models 0.1 (Brown et al. 2020). Muon with updates as large as AdamW's: the same; Liu
et al. (2025) and torch have 0.1. Lion: ten times AdamW's, as its rates are 3 to 10 times as small (Chen et al. 2023).
"""
FACTOR = 30.0
"""That of another optimizer is searched from its own divided by this, to that times this."""


def own_weight_decay(optimizer: Optimizer) -> float:
    """The weight decay of the parameter group that has most of it; 0 if none has any."""
    return max(float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups)


def usual_weight_decay(optimizer: Optimizer) -> tuple[float, float]:
    """(lowest, highest): where weight decay is usually searched for this optimizer; its own must be above 0."""
    own = own_weight_decay(optimizer)
    return USUAL.get(type(optimizer).__name__, (own / FACTOR, own * FACTOR))


def with_weight_decay(optimizer: Optimizer, weight_decay: float) -> Optimizer:
    """The optimizer with this weight decay in the group that has most of it, in place.

    The other groups keep their ratio to it, so those without weight decay stay without.
    """
    highest = max(group.get("weight_decay", 0.0) for group in optimizer.param_groups)
    for group in optimizer.param_groups:
        if group.get("weight_decay"):
            group["weight_decay"] = weight_decay * (group["weight_decay"] / highest)
    return optimizer
