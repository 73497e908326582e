"""What a script says through `study.script`: JSON lines in a file of the run's own, read as they are added."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_spaces.schedule_json import schedule_to_json
from search_spaces.watched import Begun, Noted
from study.training.trainer import RunRequest


@dataclass
class ScriptEvents:
    """The file of a run's events.

    begun: what it said when it took its schedule. mistake: what it does wrong. unfinished: what is missing at its end,
    unless it failed.
    """

    path: Path
    begun: Begun | None = None
    mistake: str | None = None
    unfinished: str | None = None
    position: int = 0
    reports: int = field(default=0)

    @classmethod
    def at(cls, folder: Path, request: RunRequest, token: str) -> tuple[ScriptEvents, Path]:
        """The events of a run, still empty, and the file that `study.script` reads. token: of this very start.

        A process of an earlier start, which may still be there, finds its own files gone.
        """
        events, run_file = folder / f"events-{token}.jsonl", folder / f"run-{token}.json"
        events.touch()
        schedule = schedule_to_json(request.schedule) if request.schedule else None
        said = {"schedule": schedule, "metric": request.metric, "sign": request.sign, "exact": request.exact}
        run_file.write_text(json.dumps({**said, "events": str(events)}))
        return cls(events), run_file

    def read(self) -> Iterator[Noted]:
        """The evaluations that were added since; a line that is not whole is left for the next time."""
        with self.path.open("rb") as file:
            file.seek(self.position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self.position += len(line)
                event = json.loads(line)
                if "begun" in event:
                    self.begun = Begun(**{**event["begun"], "peak_lr": as_pair(event["begun"]["peak_lr"])})
                elif "mistake" in event:
                    self.mistake = self.mistake or event["mistake"]
                elif "unfinished" in event:
                    self.unfinished = event["unfinished"]
                else:
                    self.reports += 1
                    yield self.noted(event["noted"])

    def noted(self, said: dict[str, Any]) -> Noted:
        """An evaluation; without a schedule, evaluations are counted instead of steps."""
        step = said["step"] if self.begun else None
        return Noted(step or self.reports, said["values"], said.get("lr", math.nan), said.get("momentum"))


def as_pair(peak_lr: list[float] | None) -> tuple[float, float] | None:
    """The range, as it was before JSON."""
    return (peak_lr[0], peak_lr[1]) if peak_lr else None
