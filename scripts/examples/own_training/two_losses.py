"""An autoencoder with two losses, reconstruction and sparsity: no classification, and its metric is their sum.

python scripts/search.py --command "python scripts/examples/own_training/two_losses.py {epochs} {seed}" --epochs 4 \
    --metric objective
"""

import sys
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from study.script import report, scheduler  # +
from study.workloads.builtin_datasets import load_dataset

epochs, seed = int(sys.argv[1]), int(sys.argv[2])
torch.manual_seed(seed)
data = load_dataset("digits", tempfile.gettempdir(), split_seed=0)
loader = DataLoader(TensorDataset(data.train.x), batch_size=64, shuffle=True, drop_last=True)
encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
decoder = nn.Linear(16, 64)
optimizer = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
sched = scheduler(optimizer, epochs * len(loader))  # +


def losses(x):
    code = encoder(x)
    return (decoder(code) - x.flatten(1)).square().mean(), code.abs().mean()


for _ in range(epochs):
    for (x,) in loader:
        optimizer.zero_grad()
        reconstruction, sparsity = losses(x)
        (reconstruction + 0.01 * sparsity).backward()
        optimizer.step()
        if sched:  # +
            sched.step()  # +
    with torch.no_grad():
        reconstruction, sparsity = losses(data.validation.x)
    print(f"reconstruction {reconstruction:.4f}, sparsity {sparsity:.4f}")
    report(val_objective=reconstruction + 0.01 * sparsity, val_reconstruction=reconstruction)  # +
