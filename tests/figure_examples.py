"""Inputs for the figures of a report: many studies, unusual names, and no data."""

import hashlib
import math

from search_spaces import Cosine
from study.reports.families_figure import draw_families
from study.reports.figures import RunCurve, draw_winners, importances, tuning_curves
from study.reports.study_figures import peak_sensitivity, search_progress
from study.reports.winner_figure import draw_winner
from tests.example_studies import ERROR, LONG, NAMES, ODD, VALUES, row, study_of

TUNING = {name: [0.3 + 0.01 * place + 0.5 / k for k in range(1, 31)] for place, name in enumerate(NAMES)}


def many_rows(names):
    """Nine trials of each family, every third in full."""
    for place, name in enumerate(names):
        for i in range(9):
            value = 0.4 + 0.01 * place + 0.05 * (i - 4) ** 2
            yield row(name, 0.0000123 * 2.6**i, value, full=value - 0.1 if i % 3 == 0 else None)


def curves(labels, total_steps=100):
    lr = [rate for rate, _ in Cosine(peak_lr=0.1, warmup_fraction=0.1).simulate(total_steps)]
    steps = range(total_steps // 5, total_steps + 1, total_steps // 5)
    return [RunCurve(label, lr, steps, [0.9 - 0.1 * i for i in range(5)]) for label in labels]


def full_and_odd():
    """Name -> (figure, arguments): each of the figures with much in it, and with what is odd."""
    budgets = {f"{epochs} epochs": VALUES for epochs in (5, 20, 80)}
    odd_values = dict(zip(ODD, [[0.1], [0.2, math.nan], [], [0.3, 0.3], [math.inf]], strict=True))
    return {
        "winners": (draw_winners, (curves(NAMES), ERROR)),
        "winners, odd": (draw_winners, (curves(ODD), ERROR)),
        "winners, long": (draw_winners, (curves(LONG), ERROR)),
        "families": (draw_families, (budgets, ERROR)),
        "families, five budgets": (draw_families, ({f"{i} epochs, as said": VALUES for i in range(5)}, ERROR)),
        "families, odd": (draw_families, ({"<&_$x$>": odd_values}, ERROR, ODD[0])),
        "families, long": (draw_families, ({LONG[1]: {name: [0.1, 0.2] for name in LONG}}, ERROR, LONG[0])),
        "families, one": (draw_families, ({"20": {"rex": [0.1]}}, ERROR)),
        "tuning": (tuning_curves, (TUNING, ERROR)),
        "tuning, odd": (tuning_curves, ({name: [0.5, 0.4, 0.3] for name in [*ODD, LONG[1]]}, ERROR)),
        "tuning, one": (tuning_curves, ({"rex": [0.1]}, ERROR)),
        "winner": (
            draw_winner,
            (curves(NAMES[:5]), [f"{name}: 28.4 % after 20 epochs" for name in NAMES[:5]], "val_error"),
        ),
        "winner, odd": (draw_winner, (curves(ODD), ODD, "$x_1$")),
        "importances": (importances, ({"peak_lr": 0.6, "family": 0.3, "warmup_fraction": 0.1}, 50, 2)),
        "importances, odd": (importances, (dict.fromkeys([*ODD, LONG[1]], 1 / 6), 20, 2)),
        "peaks": (peak_sensitivity, ([study_of(many_rows(NAMES))],)),
        "peaks, odd": (peak_sensitivity, ([study_of(many_rows([*ODD[:2], LONG[1]]), tried=ODD)],)),
        "peaks, one": (peak_sensitivity, ([study_of([row("rex", 0.1, 0.5)] * 3)],)),
        "progress": (search_progress, (study_of(many_rows(NAMES)),)),
        "progress, one": (search_progress, (study_of([row("rex", 0.1, 0.5, 0.4)]),)),
    }


def digest():
    """Of the bytes of one example of each figure, the oddest."""
    examples = full_and_odd()
    odd = ["winners, odd", "families, odd", "tuning, odd", "importances, odd", "peaks, odd", "winner, odd", "progress"]
    drawn = (examples[name][0](*examples[name][1]) for name in odd)
    return hashlib.sha256(b"".join(drawn)).hexdigest()
