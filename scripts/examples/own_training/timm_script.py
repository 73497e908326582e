"""A script with timm's scheduler and timm's flags, not edited at all.

python scripts/search.py --command "python scripts/examples/own_training/timm_script.py --seed {seed} {timm}" \
    --epochs 10 --peak-lr 1e-3 1 --metric-pattern "error ([0-9.]+)"
"""

import argparse
import tempfile

import torch
from timm.scheduler import create_scheduler_v2
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from study.workloads.builtin_datasets import load_dataset

parser = argparse.ArgumentParser()
for name, kind, usual in (
    ("epochs", int, 10), ("lr", float, 0.1), ("min-lr", float, 0.0), ("warmup-lr", float, 1e-5), ("seed", int, 0),
    ("warmup-epochs", int, 0), ("decay-epochs", float, 30), ("decay-rate", float, 0.1), ("sched", str, "cosine"),
):  # fmt: skip
    parser.add_argument(f"--{name}", type=kind, default=usual)
parser.add_argument("--decay-milestones", type=int, nargs="+", default=[6, 8])
parser.add_argument("--warmup-prefix", action="store_true")
args = parser.parse_args()

torch.manual_seed(args.seed)
data = load_dataset("digits", tempfile.gettempdir(), split_seed=0)
loader = DataLoader(TensorDataset(*data.train), batch_size=64, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
sched, epochs = create_scheduler_v2(
    optimizer, args.sched, args.epochs, args.decay_epochs, args.decay_milestones, min_lr=args.min_lr,
    decay_rate=args.decay_rate, warmup_lr=args.warmup_lr, warmup_epochs=args.warmup_epochs,
    warmup_prefix=args.warmup_prefix,
)  # fmt: skip
for epoch in range(epochs):
    for x, y in loader:
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()
    sched.step(epoch + 1)
    with torch.no_grad():
        error = (model(data.validation.x).argmax(1) != data.validation.y).float().mean()
    print(f"epoch {epoch}: error {float(error):.4f}", flush=True)
