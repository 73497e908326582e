"""Studies whose finals have ended, for what is said of their answer."""

from dataclasses import replace

from study.objective import Metric
from study.storage.finals import FinalRun, Finals
from tests.example_studies import ended, study_record

SEEDS = tuple(range(1003, 1011))
COSINE = {
    "family": "cosine",
    "peak_lr": 0.2,
    "warmup_fraction": 0.05,
    "cosine.t_max_fraction": 1.0,
    "cosine.floor_ratio": 0.0,
}
NOISE = (0.0, 0.004, -0.004, 0.002, -0.002, 0.006, -0.005, 0.001)
TRIALS = [
    ended(0.5, 0.3, params={"family": "rex", "peak_lr": 0.27, "warmup_fraction_is_0": True}),
    ended(0.5, 0.35, params=COSINE, is_reference=True),
]


def confirmed(winner, reference, direction="minimize", test=True, others=()):
    """A study whose winner and reference have these values over the seeds; None for one without."""
    values = {0: winner, 1: reference}
    runs = [
        FinalRun(trial, seed, value, value if test else None)
        for trial, own in values.items()
        for seed, value in zip(SEEDS, own or (), strict=False)
    ]
    n = len(winner or reference)
    chosen = {trial: trial if own else None for trial, own in values.items()}
    groups = [(trial,) if own else () for trial, own in values.items()]
    finals = Finals(*groups, (), SEEDS[:n], chosen[0], chosen[1], (*runs, *others))
    study = study_record(TRIALS, direction, finals=finals)
    return replace(study, metric=Metric("error", direction, "fraction of rows", 1.0))


def around(middle):
    return [middle + noise for noise in NOISE]
