"""Independent implementations, slow and obvious, to compare the code with."""

import math


def whole_run(body, peak_lr, total_steps, warmup_fraction=0.0):
    """The rate at every step: a linear rise over the warm-up, then `body(step, steps)` times the peak."""
    warmup = min(round(warmup_fraction * total_steps), total_steps - 1)
    steps = total_steps - warmup
    rise = [peak_lr * (step + 1) / (warmup + 1) for step in range(warmup)]
    return rise + [peak_lr * body(step, steps) for step in range(steps)]


def constant(s, n):
    return 1.0


def step(s, n, step_size_fraction, gamma):
    stairs = s // max(1, round(step_size_fraction * n))
    return gamma**stairs


def multistep(s, n, first_drop_fraction, drops, gamma):
    interval = (1 - first_drop_fraction) / drops
    passed = sum(1 for i in range(drops) if s >= max(1, round(n * (first_drop_fraction + i * interval))))
    return gamma**passed


def exponential(s, n, end_ratio):
    return math.exp(math.log(end_ratio) * s / n)


def inverse_time(s, n, end_ratio, power):
    at_end = end_ratio ** (-1 / power)  # 1 + k n
    return (1 + (at_end - 1) * s / n) ** -power


def inverse_sqrt(s, n, timescale_fraction):
    timescale = timescale_fraction * n
    return 1.0 if s <= timescale else math.sqrt(timescale) / math.sqrt(s)


def polynomial(s, n, power):
    return (1 - s / n) ** power


def linear(s, n, end_ratio):
    return end_ratio * (s / n) + (1 - s / n)


def half_cosine(t, length, floor):
    return floor + (1 - floor) * math.cos(math.pi * t / length / 2) ** 2


def cosine(s, n, t_max_fraction, floor_ratio):
    return half_cosine(s, max(1, round(t_max_fraction * n)), floor_ratio)


def warm_restarts(s, n, first_length, t_mult, floor_ratio=0.0):
    """first_length is given: which cycles fit is tested by itself."""
    length = first_length
    while s >= length:
        s, length = s - length, length * t_mult
    return half_cosine(s, length, floor_ratio)


def cyclic(s, n, length, base_ratio, mode, end_amplitude=1.0):
    """length of a cycle is given; exp_range is scaled so that the highest rate of the run is the peak."""
    up = length // 2

    def height(step):
        cycle, t = divmod(step, length)
        triangle = t / up if t <= up else (length - t) / (length - up)
        return triangle * {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": end_amplitude ** (step / n)}[mode]

    highest = max(height(step) for step in range(n))
    return base_ratio + (1 - base_ratio) * height(s) / highest


def one_cycle(s, n, pct_start, div_factor, end_ratio, anneal_strategy):
    top = min(max(1, round(pct_start * n)), n - 2)
    start, end, p = (1 / div_factor, 1.0, s / top) if s <= top else (1.0, end_ratio, (s - top) / (n - 1 - top))
    if anneal_strategy == "cos":
        p = math.sin(math.pi * p / 2) ** 2
    return start + (end - start) * p


def one_cycle_momentum(s, n, pct_start):
    """Cosine strategy: 0.95 down to 0.85 at the top, and back."""
    top = round(pct_start * n)
    p = s / top if s <= top else 1 - (s - top) / (n - 1 - top)
    return 0.95 - 0.10 * math.sin(math.pi * p / 2) ** 2


def wsd(s, n, cooldown_fraction, shape, floor_ratio=0.0, power=None):
    cooldown = max(1, round(cooldown_fraction * n))
    p = (s - (n - cooldown)) / cooldown
    if p <= 0:
        return 1.0
    power = {"linear": 1.0, "1-sqrt": 0.5}.get(shape, power)
    completed = math.sin(math.pi * p / 2) ** 2 if shape == "cosine" else p**power
    return 1 - (1 - floor_ratio) * completed


def rex(s, n):
    return 2 * (n - s) / (2 * n - s)


def piecewise(s, n, knots, ratio_1, end_ratio, ratio_2=None, ratio_3=None):
    """A product of powers of the two rates that s lies between; 0 is a knot and n is the last one."""
    heights = [1.0, *[ratio_1, ratio_2, ratio_3][: knots - 2], end_ratio]
    places = [n * i / (knots - 1) for i in range(knots)]
    after = next(i for i in range(1, knots) if s <= places[i])
    towards = (s - places[after - 1]) / (places[after] - places[after - 1])
    return heights[after - 1] ** (1 - towards) * heights[after] ** towards


def plateau(losses, evaluation_steps, total_steps, warmup_steps, peak_lr, factor, patience, threshold, floor):
    """The rate at every step of a run whose evaluations, after these numbers of steps, find these losses."""
    lr, best, bad, rates = peak_lr, math.inf, 0, []
    found = dict(zip(evaluation_steps, losses, strict=True))
    for step in range(total_steps):
        rates.append(peak_lr * (step + 1) / (warmup_steps + 1) if step < warmup_steps else lr)
        if step + 1 in found and step + 1 >= warmup_steps:
            if found[step + 1] < best * (1 - threshold):
                best, bad = found[step + 1], 0
            else:
                bad += 1
            if bad > patience:
                lr, bad = max(lr * factor, floor), 0
    return rates
