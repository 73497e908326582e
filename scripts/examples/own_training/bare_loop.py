"""A bare loop with mixed precision, accumulated gradients, clipping and an average of the weights (EMA).

python scripts/search.py --command "python scripts/examples/own_training/bare_loop.py {epochs} {seed}" --epochs 4
"""

import sys
import tempfile

import torch
from torch import nn
from torch.amp import GradScaler, autocast
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

from study.script import report, scheduler  # +
from study.workloads.builtin_datasets import load_dataset

ACCUMULATED = 2
epochs, seed = int(sys.argv[1]), int(sys.argv[2])
torch.manual_seed(seed)
device = "cuda" if torch.cuda.is_available() else "cpu"
data = load_dataset("digits", tempfile.gettempdir(), split_seed=0).to(device)
loader = DataLoader(TensorDataset(*data.train), batch_size=32, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scaler = GradScaler(device)
total_steps = epochs * (len(loader) // ACCUMULATED)
sched = scheduler(optimizer, total_steps) or torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total_steps)  # +

for _ in range(epochs):
    for batch, (x, y) in enumerate(loader, start=1):
        with autocast(device, torch.bfloat16):
            loss = cross_entropy(model(x), y) / ACCUMULATED
        scaler.scale(loss).backward()
        if batch % ACCUMULATED == 0:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            average.update_parameters(model)
            sched.step()
    optimizer.zero_grad()  # of a last batch that has no partner
    with torch.no_grad():
        error = (average(data.validation.x).argmax(1) != data.validation.y).float().mean()
    print(f"validation error {float(error):.4f}")
    report(val_error=error)  # +
