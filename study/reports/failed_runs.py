"""Runs whose training failed, in words: as they are noted while runs are trained, and as a line of a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from study.analysis.answer import Answer, ended_finals
from study.analysis.family_results import family_of, same_seeds
from study.storage.finals import FEWEST_LEFT, FailedRun, Finals
from study.storage.study_record import StudyRecord

AGAIN = "The same command trains failed runs again."


class FailureNotes:
    """Prints why runs fail: of the first one with its last output."""

    def __init__(self, console: Console) -> None:
        self.console, self.known = console, False

    def note(self, failure: str, consequence: str, which: str) -> None:
        """Print a note on one run. consequence: of the failure, for the search. which: run it is."""
        reason = why_it_failed(failure) if self.known else failure
        self.known = True
        self.console.print(f"note: a run failed, and {consequence} ({which}): {reason}")

    def note_left_out(self, run: FailedRun, study: str = "") -> None:
        """Print a note on a run that was to confirm a schedule. study: whose trial it is, if there are several."""
        of = f"{study}, " if study else ""
        self.note(run.failure, "is left out", f"{of}trial {run.trial}, seed {run.seed}")


def why_it_failed(failure: str) -> str:
    """Why a run failed, and where its last output is, without that."""
    return failure.splitlines()[0].removesuffix(":")


def failed_line(failed: Sequence[tuple[str, FailedRun]]) -> str:
    """Which runs that were to confirm a schedule failed, why the last of them did, and what to do.

    failed: each with the name of its schedule.
    """
    seeds: dict[str, list[int]] = {}
    for name, run in failed:
        seeds.setdefault(name, []).append(run.seed)
    which = "; ".join(
        f"{name} with seed{'s' * (len(own) > 1)} {', '.join(map(str, sorted(own)))}" for name, own in seeds.items()
    )
    reason = why_it_failed(failed[-1][1].failure).partition(" Its last output (")[0].removesuffix(".")
    return f"Failed and left out: {which}. The last: {reason}. {AGAIN}"


def comparison_failures(studies: Sequence[StudyRecord]) -> list[str]:
    """What is missing from the comparison of several families, and what failed while their winners were confirmed.

    Nothing if all are compared, and no run failed.
    """
    compared = same_seeds(studies)
    others = {family_of(study): study.confirmed for study in studies if compared and family_of(study) not in compared}
    missing = {
        "Not confirmed": [family for family, found in others.items() if not found],
        "Confirmed with other seeds, and not compared": [family for family, found in others.items() if found],
    }
    failed = [(family_of(study), run) for study in studies if study.confirmed for run in study.confirmed.failed]
    lines = [f"{what}: {', '.join(families)}." for what, families in missing.items() if families]
    return [*lines, *([failed_line(failed)] if failed else [])]


def why_unknown(studies: Sequence[StudyRecord]) -> str:
    """Why none of these families is the best."""
    return "too few fresh seeds are left" if same_seeds(studies) else "no winner is confirmed yet"


def failure_lines(study: StudyRecord) -> list[str]:
    """What failed while the answer was being confirmed, and that there is no answer, if too few seeds are left."""
    finals = study.finals
    if finals is None or not finals.lost:
        return []
    lines = [failed_line([(f"trial {run.trial}", run) for run in finals.lost])]
    if ended_finals(study) and Answer.of(study) is None:
        return [*why_unconfirmed(finals), *lines]
    return lines


def why_unconfirmed(finals: Finals) -> list[str]:
    """Why finals whose runs have ended or failed gave no answer; nothing if that is not known."""
    if finals.decided:
        return [unconfirmed(len(finals.shared(finals.chosen, finals.seeds)), len(finals.seeds))]
    groups = {"winner": finals.finalists, "reference": finals.references}
    lost = [
        f"the {what}"
        for what, group in groups.items()
        if len(group) > 1 and not any(finals.of(trial, finals.selection_seeds) for trial in group)
    ]
    return [f"Not confirmed: all runs that choose {' and '.join(lost)} failed."] if lost else []


def unconfirmed(ended: int, seeds: int) -> str:
    """That too few of these seeds have ended to confirm anything. ended: how many have."""
    if seeds == 1:
        return "Not confirmed: a run failed with the only fresh seed."
    but = f"all but {ended} of" if ended else "all"
    return f"Not confirmed: runs failed with {but} {seeds} fresh seeds, and at least {FEWEST_LEFT} seeds must be left."
