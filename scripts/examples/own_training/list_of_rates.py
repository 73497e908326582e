"""A script that sets the rate of each step itself, as nanoGPT does.

python scripts/search.py --command "python scripts/examples/own_training/list_of_rates.py {steps} {seed}" --steps 200 \
    --peak-lr 1e-4 1e-1
"""

import math
import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from study.script import rates, report  # +

BLOCK, BATCH, EVALUATE_EVERY = 16, 32, 50
max_iters, seed = int(sys.argv[1]), int(sys.argv[2])
learning_rate, min_lr, warmup_iters = 1e-2, 1e-3, 10

torch.manual_seed(seed)
text = torch.frombuffer(bytearray(open(__file__, "rb").read() * 4), dtype=torch.uint8).long() % 128
train_rows, validation_rows = text[: len(text) * 3 // 4], text[len(text) * 3 // 4 :]
model = nn.Sequential(nn.Embedding(128, 32), nn.Flatten(), nn.Linear(32 * BLOCK, 64), nn.ReLU(), nn.Linear(64, 128))
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)


def get_batch(rows):
    at = torch.randint(len(rows) - BLOCK, (BATCH,))
    return torch.stack([rows[i : i + BLOCK] for i in at]), rows[at + BLOCK]


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    ratio = (it - warmup_iters) / max(1, max_iters - warmup_iters)
    return min_lr + 0.5 * (1 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)


@torch.no_grad()
def estimate_loss():
    return sum(float(cross_entropy(model(x), y)) for x, y in (get_batch(validation_rows) for _ in range(20))) / 20


given = rates(max_iters)  # +
for it in range(max_iters):
    for group in optimizer.param_groups:
        group["lr"] = given[it] if given else get_lr(it)  # +
    x, y = get_batch(train_rows)
    optimizer.zero_grad(set_to_none=True)
    cross_entropy(model(x), y).backward()
    optimizer.step()
    if (it + 1) % EVALUATE_EVERY == 0 or it + 1 == max_iters:
        loss = estimate_loss()
        print(f"step {it + 1}: val loss {loss:.4f}")
        report(loss, step=it + 1)  # +
