"""results/reliability.md: what the storms found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from study.evidence.reliability.damage import KINDS, Case, counts
from study.evidence.reliability.kills import SETUPS, KilledReport, Resumed
from study.evidence.reliability.together import Together
from study.reports.markdown import table


def reliability_page(
    resumed: Sequence[Resumed], reports: Sequence[KilledReport], cases: Sequence[Case], together: Together
) -> str:
    """The page. cases: of damaged databases."""
    parts = [
        "# Reliability",
        "Made by `scripts/evidence/reliability.py`; reliability.json has the command, the machine and every kill.",
        killed_heading(resumed),
        "Each study was killed several times, at random moments or at random SQL statements from the very first, and "
        "then resumed to its end. *Equal* counts the studies whose trials equal those of a study that was left alone, "
        "in all but times.",
        kill_table(resumed),
        "## Reports that are killed",
        report_line(reports),
        "## Databases that are damaged",
        "Half of the databases had 1 to 16 bytes changed anywhere, half an attribute of a study or a trial replaced, "
        "wholly or within. The commands then said in one message what is wrong, or gave a result: that of the "
        "undamaged database, or another one, if a value had become another that may stand there.",
        damage_table(cases),
        f"## {together.searches} searches in one database, and a dashboard",
        f"{together.equal} of {together.searches} searches that ran at the same time equal the one that ran alone. "
        f"Meanwhile the dashboard answered {together.reads} requests for all trials of a study, and failed to answer "
        f"{together.refused}. It took {together.seconds:.0f} s.",
    ]
    return "\n\n".join(parts) + "\n"


def killed_heading(resumed: Sequence[Resumed]) -> str:
    """Names what was killed: few kills may all be of searches."""
    run = {one.setup for one in resumed}
    scripts = {setup.script for setup in SETUPS if setup.name in run}
    kinds = [kind for kind, script in (("searches", "search.py"), ("benchmarks", "benchmark.py")) if script in scripts]
    return f"## {' and '.join(kinds).capitalize()} that are killed"


def kill_table(resumed: Sequence[Resumed]) -> str:
    """A row for each setup, and their sum."""
    rows = []
    names = list(dict.fromkeys(one.setup for one in resumed))
    for name in [*names, "all"]:
        own = [one for one in resumed if name in (one.setup, "all")]
        kills = [kill for one in own for kill in one.kills if kill.was_running]
        signals = Counter(kill.signal for kill in kills)
        at_sql = sum(kill.moment.startswith("statement") for kill in kills)
        equal = sum(not one.problem for one in own)
        sent = [signals[name] for name in ("SIGKILL", "SIGTERM", "SIGINT")]
        rows.append([name, *map(str, (len(kills), *sent, at_sql, len(own), equal))])
    return table(["setup", "kills", "KILL", "TERM", "INT", "at a statement", "studies", "equal"], rows)


def report_line(reports: Sequence[KilledReport]) -> str:
    """How many were whole, in a sentence."""
    kills = [one for one in reports if one.was_running]
    whole = sum(not one.problem for one in kills)
    return (
        f"{len(kills)} reports were killed while they ran. After {whole} of these kills, every file in the folder was "
        "whole: it had the same bytes as in a report that was left alone."
    )


def damage_table(cases: Sequence[Case]) -> str:
    """A row for each command."""
    rows = [[command, *(str(found[kind]) for kind in KINDS)] for command, found in counts(list(cases)).items()]
    return table(["command", *KINDS], rows)
