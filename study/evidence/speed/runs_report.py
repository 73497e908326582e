"""The table and the figure of the speed of runs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from statistics import median

from matplotlib import style
from matplotlib.figure import Figure

from study.evidence.speed.runs import Measured, ratios
from study.reports.markdown import table
from study.reports.plot_style import BLUE, INK, LOOK, SAVE, VERMILION

EPOCHS_PER_RUN = 20
"""Length of the runs that are counted per minute."""
ERROR_BARS = {"linewidth": 0.8, "ecolor": INK}


def table_of_runs(measured: Sequence[Measured], flop: dict[str, float], rates: dict[str, float]) -> str:
    """Markdown, one line per method: runs per minute, speedup over the tutorial, fraction of the matrix rate, memory.

    flop: operations per epoch of a run, by workload. rates: operations per second of a matrix product, by device.
    """
    heads = ["workload", "device", "method", "runs per minute", "speedup", "of the matrix rate", "peak memory"]
    lines = []
    for workload, device in groups(measured):
        for one in (own := of_group(measured, workload, device)):
            middle, low, high = ratios(one, own[0])
            seconds = median(one.seconds)
            lines.append(
                [
                    workload,
                    device,
                    one.way,
                    f"{60 / (EPOCHS_PER_RUN * seconds):.1f}",
                    f"{middle:.2f} [{low:.2f}, {high:.2f}]",
                    f"{flop[workload] / seconds / rates[device]:.1%}",
                    f"{one.peak_bytes / 2**20:.0f} MiB",
                ]
            )
    return table(heads, lines)


def groups(measured: Sequence[Measured]) -> list[tuple[str, str]]:
    """The distinct pairs of workload and device, in order."""
    return list(dict.fromkeys((one.workload, one.device) for one in measured))


def of_group(measured: Sequence[Measured], workload: str, device: str) -> list[Measured]:
    """All methods on this workload and device, the tutorial first."""
    return [one for one in measured if (one.workload, one.device) == (workload, device)]


def draw_speed(measured: Sequence[Measured]) -> bytes:
    """A PNG: for each workload and device, the speedup of each method over the tutorial."""
    shown = groups(measured)
    with style.context(["default", LOOK]):
        figure = Figure(figsize=(6.5, 0.5 + 1.35 * len(shown)), dpi=160, layout="constrained")
        every_axes = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        for axes, (workload, device) in zip(every_axes, shown, strict=True):
            own = of_group(measured, workload, device)
            found = [ratios(one, own[0]) for one in own]
            middles = [middle for middle, _, _ in found]
            errors = [[middle - low for middle, low, _ in found], [high - middle for middle, _, high in found]]
            bars = axes.barh([one.way for one in own], middles, xerr=errors, color=BLUE, error_kw=ERROR_BARS)
            axes.bar_label(bars, [f"{middle:.1f}" for middle in middles], padding=6, fontsize=7)
            axes.axvline(1, color=VERMILION, linewidth=0.8)
            axes.invert_yaxis()
            axes.set_title(f"{workload}, {device}")
            axes.margins(x=0.1)
        figure.supxlabel("speedup over the tutorial loop: median, minimum and maximum over the rounds")
        picture = io.BytesIO()
        figure.savefig(picture, **SAVE)
    return picture.getvalue()
