"""Estimates the memory of one run."""

from __future__ import annotations

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from study.workloads.inputs import forward
from study.workloads.workload import Workload


def bytes_of_a_run(workload: Workload) -> int:
    """Bytes of one run's parameters, gradients, optimizer states and activations, estimated from one forward pass."""
    model = workload.make_model().to(workload.device).train()
    saved: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    x, y = workload.data.train.first(workload.batch_size)
    with saved_tensors_hooks(record, lambda tensor: tensor):
        loss = workload.loss(forward(model, x), y).mean()
    del loss
    weights = sum(parameter.nbytes for parameter in model.parameters())
    # Parameters, gradients, two optimizer states and an average; activations, twice to allow for temporary tensors.
    copies = 4 if workload.averaging_fraction is None else 5
    return copies * weights + 2 * sum(saved.values())
