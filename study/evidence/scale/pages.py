"""The pages on more devices, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.evidence.scale.efficiency import TimedStudy
from study.evidence.scale.makespan import Makespan
from study.evidence.scale.owner import OwnersCost
from study.evidence.scale.start import StartOfRay
from study.reports.markdown import table


def page_of_owner(measured: Sequence[OwnersCost]) -> str:
    """What a trial costs the owner."""
    heads = ["sampler", "actors", "trials per batch", "trials in the study", "ms per trial", "of it CPU"]
    rows = [
        [
            one.sampler,
            f"{one.actors:,}",
            f"{one.batch:,}",
            f"{one.trials:,}",
            f"{1000 * one.seconds:.1f}",
            f"{1000 * one.cpu:.1f}",
        ]
        for one in measured
    ]
    return (
        "What a trial costs the process that owns the study: it suggests, sends, commits and stores each trial, with "
        "its picture in the dashboard. Runs are looked up in recorded ones and take no time; the actors are stand-ins. "
        "Each line is the mean over the trials since the line before.\n\n"
        f"{table(heads, rows)}\n"
    )


def page_of_makespan(found: Mapping[str, Sequence[Makespan]]) -> str:
    """How long studies take. found: by how brackets are asked; the same devices and trials in each."""
    parts = [
        "Simulated time of a study, in the time of a full run, and the share of the devices' time that is idle. "
        "Lengths, values and promotions are those of recorded runs (MNIST-1D, MLP, 20 epochs) of random schedules, one "
        "run on each device. *One by one*: a bracket begins when the one before it has ended. *One ahead*: its short "
        "runs begin when all short runs of the one before it have ended, and fill devices that its long runs leave "
        "idle. *Four ahead*: as many brackets may be unfinished."
    ]
    names = list(found)
    for trials in sorted({one.shape.trials for one in found[names[0]]}):
        rows = []
        for group in zip(*found.values(), strict=True):
            if group[0].shape.trials == trials:
                cells = [f"{one.time:.1f} ({100 * one.idle:.0f} %)" for one in group]
                rows.append([f"{group[0].devices:,}", *cells, f"{group[0].work / group[0].devices:.1f}"])
        parts.append(f"{trials:,} trials:\n\n{table(['devices', *names, 'no idling'], rows)}")
    return "\n\n".join(parts) + "\n"


def page_of_start(measured: Sequence[StartOfRay], name: str, cohort: int) -> str:
    """What Ray costs beside the training. name: of the objective."""
    heads = ["actors", "Ray runs", "first actor ready", "all ready", "ended", "round trip, ms"]
    rows = [
        [
            str(one.actors),
            *(f"{seconds:.1f}" for seconds in (one.running, one.first, one.all_actors, one.ended)),
            f"{1000 * one.round_trip:.1f}",
        ]
        for one in measured
    ]
    sizes = [
        ["the objective, once to each machine", f"{measured[0].objective:,}"],
        [f"a cohort of {cohort} runs, there", f"{measured[0].runs:,}"],
        ["its evaluations, back", f"{measured[0].evaluations:,}"],
    ]
    return (
        f"Seconds that Ray takes on this machine, for {name}: until it runs; from then on, until the first actor and "
        "all of them have loaded the objective; and until all has ended. *Round trip*: a call that trains nothing, "
        f"the least of 20.\n\n{table(heads, rows)}\n\nBytes that are sent:\n\n{table(['what', 'bytes'], sizes)}\n"
    )


def page_of_efficiency(measured: Sequence[TimedStudy], name: str) -> str:
    """How much faster two workers are than one."""
    alone = {one.how: one.seconds_per_epoch for one in measured if one.workers == 1}
    heads = ["study", "workers", "trials", "epochs", "starting, s", "search, s", "s per worker and epoch", "efficiency"]
    rows = []
    for one in measured:
        share = f"{100 * alone[one.how] / one.seconds_per_epoch:.0f} %"
        numbers = [f"{one.epochs:.0f}", f"{one.starting:.1f}", f"{one.seconds:.1f}", f"{one.seconds_per_epoch:.2f}"]
        rows.append([one.how, str(one.workers), str(one.trials), *numbers, share])
    return (
        f"{name}, run by run, one thread in each worker. *Efficiency*: seconds of one worker for an epoch with one "
        "worker, as a share of those with this many.\n\n"
        f"{table(heads, rows)}\n"
    )
