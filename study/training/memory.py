"""The memory that one run of a workload takes."""

from __future__ import annotations

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from study.workloads.workload import Workload


def bytes_of_a_run(workload: Workload) -> int:
    """Parameters, gradients, optimizer states and activations of one run, estimated from one forward pass."""
    model = workload.make_model().to(workload.device).train()
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    x, y = workload.data.train.first(workload.batch_size)
    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = workload.loss(model(x), y).mean()
    del loss
    weights = sum(parameter.nbytes for parameter in model.parameters())
    # Parameters, gradients and two states; activations, and as much again for what is made on the way.
    return 4 * weights + 2 * sum(saved.values())
