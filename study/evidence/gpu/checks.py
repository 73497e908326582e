"""The checks that a session with a GPU makes, one after the other: each a section of the report."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from study.evidence.gpu.agreement import TOLERANCE, compare_with_cpu
from study.evidence.gpu.asking import search_beside_gpu, search_on
from study.evidence.gpu.cards import train_on_cards
from study.evidence.gpu.memory import ASKED, fill_memory
from study.evidence.speed.runs import matrix_rate, measure, measured_name, useful_flop
from study.evidence.speed.runs_report import EPOCHS_PER_RUN, table_of_runs
from study.evidence.speed.studies import StudyOutcome
from study.reports.markdown import code, table
from study.search.configuration import Configuration
from study.storage.provenance import provenance
from study.workloads.options import WorkloadOptions

MLP = WorkloadOptions()
CNN = WorkloadOptions(model="cnn", optimizer="adamw")
TRANSFORMER = WorkloadOptions(model="transformer", optimizer="adamw")
GPT = WorkloadOptions(dataset="pydoc", model="gpt:tiny", optimizer="adamw")


@dataclass(frozen=True)
class Sizes:
    """How much the checks do.

    compared: what is trained on both devices. free: bytes left on the GPU. configuration, trials: of a study of the
    MLP. timed: what is timed, in lockstep of these cohorts, in this many rounds.
    """

    compared: Sequence[WorkloadOptions]
    free: int
    configuration: Configuration
    trials: int
    timed: Sequence[WorkloadOptions]
    cohorts: Sequence[int]
    rounds: int


FULL = Sizes((MLP, CNN, TRANSFORMER, GPT), 2 * 2**30, Configuration(), 50, (MLP, CNN), (1, 8, 64, 512), 3)
"""Some minutes on one card. The studies are those that scripts/search.py makes by default."""
SMALL = Sizes((MLP,), 2**30, Configuration(epochs=2, startup_trials=4, trials_per_batch=4), 8, (MLP,), (8,), 1)
"""To try the checks themselves. Eight trials are enough for the sampler to fit its model."""


@dataclass(frozen=True)
class Checked:
    """A part of the report, in Markdown. problems: what is not as it must be, in sentences."""

    title: str
    text: str
    problems: Sequence[str] = ()

    def __str__(self) -> str:
        verdict = "".join(f"\n- **FAILED**: {problem}" for problem in self.problems)
        return f"## {self.title}\n\n{self.text}\n{verdict}".rstrip() + "\n"


def sections(sizes: Sizes, device: torch.device, data_root: Path) -> Iterator[Checked]:
    """Make the checks; yields each section as it is ready. A check that breaks off does not stop the others."""
    checks: dict[str, Callable[[Sizes, torch.device, Path], tuple[str, Sequence[str]]]] = {
        "Same results as on the CPU": agreement,
        "Memory": memory,
        "A process for each card": processes_on_cards,
        "Studies, and the process that asks": studies,
        "Speed of training": speed,
    }
    for title, check in checks.items():
        try:
            text, problems = check(sizes, device, data_root)
        except Exception as error:  # whatever a card does: the rest is still worth knowing
            text, problems = code(traceback.format_exc().rstrip()), [f"{type(error).__name__}: see above"]
        yield Checked(title, text, problems)


def agreement(sizes: Sizes, device: torch.device, data_root: Path) -> tuple[str, Sequence[str]]:
    """The plain loop and lockstep on the device, beside the plain loop on the CPU."""
    lines, problems = [], []
    for what in sizes.compared:
        for one in compare_with_cpu(what.load(data_root), device):
            answer = "yes" if one.agrees else "no"
            lines.append([one.workload, device_name(device), one.way, f"{one.difference:.1e}", answer])
            if not one.agrees:
                rates = "" if one.same_rates else ", and its learning rates differ"
                problems.append(f"{one.workload}, {one.way}: losses differ by {one.difference:.1e}{rates}")
    heads = ["workload", "device", "way", "largest difference of a loss", "agrees"]
    said = f"Relative to the plain loop on the CPU, after one epoch without TF32; rounding makes up to {TOLERANCE:g}."
    return f"{said}\n\n{table(heads, lines)}", problems


def memory(sizes: Sizes, device: torch.device, data_root: Path) -> tuple[str, Sequence[str]]:
    """A model that is sized to run out of what is left of the GPU's memory."""
    if device.type != "cuda":
        return "Not checked: only the memory of a GPU can be filled.", []
    found = fill_memory(MLP.load(data_root), device, sizes.free)
    heads = ["device", "left free", "bound by our estimate", "it fits", "tried and did not fit", "settled on", "ended"]
    cells = [
        device_name(device),
        mebibytes(found.free),
        str(found.bound),
        "yes" if found.bound_fits else "no",
        ", ".join(map(str, found.tried)),
        str(found.settled),
        f"{found.ended} of {ASKED}",
    ]
    return f"{ASKED} runs of a model of which about six fit.\n\n{table(heads, [cells])}", found.problems


def processes_on_cards(sizes: Sizes, device: torch.device, data_root: Path) -> tuple[str, Sequence[str]]:
    """Worker processes beside one process, on the same kind of device."""
    found = train_on_cards(MLP.load(data_root), device)
    answer = "to the last bit what one process trains" if found.same else "something else than one process"
    seen = ", ".join(found.seen)
    return f"{len(found.seen)} processes, which see {seen} as CUDA_VISIBLE_DEVICES, train {answer}.", found.problems


def studies(sizes: Sizes, device: torch.device, data_root: Path) -> tuple[str, Sequence[str]]:
    """The default study on the device; and on the CPU, in a process that could see the GPU."""
    what = (MLP, sizes.configuration, sizes.trials, data_root)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    here = search_on(*what, device.type)
    peak = mebibytes(torch.cuda.max_memory_allocated()) if device.type == "cuda" else "-"
    beside = search_beside_gpu(*what)
    lines = [
        line_of_study(device_name(device), here.outcome, peak),
        line_of_study(device_name(torch.device("cpu")), beside.outcome, "-"),
    ]
    heads = ["trained on", "trials", "seconds", "full runs", "full runs per minute", "not training", "peak GPU memory"]
    answer = "has started CUDA" if beside.touched_cuda else "has not touched CUDA"
    said = f"The second ran in a process of its own, sampler included: that process {answer}."
    problems = ["the process that only asks has started CUDA"] if beside.touched_cuda else []
    return f"{table(heads, lines)}\n\n{said}", problems


def line_of_study(trained_on: str, outcome: StudyOutcome, peak: str) -> list[str]:
    """A full run is one of EPOCHS_PER_RUN epochs: what short runs take is counted as a part of one."""
    full_runs = outcome.epochs / EPOCHS_PER_RUN
    outside = "-" if outcome.training is None else f"{1 - outcome.training / outcome.seconds:.0%}"
    cells = [f"{outcome.seconds:.1f}", f"{full_runs:.1f}", f"{60 * full_runs / outcome.seconds:.1f}", outside, peak]
    return [trained_on, str(outcome.trials), *cells]


def speed(sizes: Sizes, device: torch.device, data_root: Path) -> tuple[str, Sequence[str]]:
    """The tutorial's loop, the plain loop and lockstep of several sizes."""
    name, measured = device_name(device), []
    for what in sizes.timed:
        found = measure(what, device.type, sizes.rounds, data_root, sizes.cohorts)
        measured += [replace(one, device=name) for one in found]
    flop = {measured_name(what): useful_flop(what.load(data_root)) for what in sizes.timed}
    rates = {name: matrix_rate(device.type)}
    said = (
        f"Runs of {EPOCHS_PER_RUN} epochs of 50 steps. Rounds, with every way once in each: {sizes.rounds}. Times the "
        f"tutorial: median [least, most]. Matrix rate: {rates[name] / 1e9:,.0f} GFLOP/s in float32."
    )
    return f"{said}\n\n{table_of_runs(measured, flop, rates)}", []


def introduction(device: torch.device) -> str:
    """The title, and what the report was made with."""
    made = provenance(device)
    versions = ", ".join(f"{package} {version}" for package, version in made["versions"].items())
    size = ""
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        size = f", {mebibytes(card.total_memory)}, CUDA {torch.version.cuda}"
    made_with = f"{made['time']}, commit {made['commit']}, Python {made['python']}, {versions}"
    return f"# {made['device']}{size}\n\n`{made['command']}`, {made_with}.\n"


def device_name(device: torch.device) -> str:
    """The card's name, or the processor's."""
    return str(provenance(device)["device"])


def mebibytes(number: int) -> str:
    """A number of bytes, for people."""
    return f"{number / 2**20:,.0f} MiB"
