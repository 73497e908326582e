"""The command that trains one run: words with placeholders, which are filled in for each run."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from search_spaces.errors import InputError, unknown
from study.objective import Unit
from study.training.timm_flags import timm_flags
from study.training.trainer import RunRequest

PLACEHOLDERS = ("epochs", "steps", "seed", "run_dir", "peak_lr", "warmup_steps", "total_steps", "timm")
"""What may stand in braces."""


@dataclass(frozen=True)
class CommandLine:
    """A command as the user typed it. No shell reads it: `bash -c "..."` makes one."""

    text: str

    def __post_init__(self) -> None:
        if not self.words:
            raise InputError("--command is empty: give the command that trains one run")
        for name in self.named:
            if name not in PLACEHOLDERS:
                raise unknown("placeholder", name, PLACEHOLDERS, "--command")

    @property
    def words(self) -> list[str]:
        """The program and its arguments."""
        try:
            return shlex.split(self.text)
        except ValueError as error:
            raise InputError(f"--command cannot be read ({error}): {self.text}") from error

    @property
    def named(self) -> list[str]:
        """The placeholders, each once."""
        try:
            fields = [field for word in self.words for _, field, _, _ in Formatter().parse(word) if field is not None]
        except ValueError as error:
            raise InputError(f"--command cannot be read ({error}): write {{{{ for a brace") from error
        return list(dict.fromkeys(fields))

    @property
    def tells_the_rate(self) -> bool:
        """Whether the command itself hands the peak over."""
        return "peak_lr" in self.named or "timm" in self.named

    @property
    def scripts(self) -> dict[str, str]:
        """A SHA-256 of each Python file that is named, by its name: its code decides the results."""
        files = [word for word in self.words if word.endswith(".py") and Path(word).is_file()]
        return {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in files}

    @property
    def name(self) -> str:
        """For people: the script's, or the program's."""
        words = [word for word in self.words if word.endswith(".py")] or self.words
        return Path(words[0]).name.removesuffix(".py")

    def check(self, unit: Unit) -> None:
        """Raise InputError if the command does not receive the length of a run."""
        if "timm" in self.named:
            self.check_timm(unit)
            return
        other = "steps" if unit == "epochs" else "epochs"
        if unit not in self.named and not (unit == "steps" and "total_steps" in self.named):
            how = f", or give --{other}" if other in self.named else ""
            raise InputError(f"--command must name {{{unit}}}, the length of the run{how}: {self.text}")
        for name in ("warmup_steps", "total_steps"):
            if unit == "epochs" and name in self.named:
                raise InputError(f"{{{name}}} is not known if budgets count epochs: give --steps instead of --epochs")

    def check_timm(self, unit: Unit) -> None:
        """Raise InputError if timm's flags would not be the only ones that say how a run is trained."""
        if "timm" not in self.words and "{timm}" not in self.words:
            raise InputError("{timm} stands for several flags: make it a word of its own in --command")
        if unit != "epochs" or "epochs" in self.named:
            raise InputError("{timm} gives --epochs itself: leave {epochs} out of --command, and give --epochs")

    def filled(self, request: RunRequest, run_dir: Path) -> list[str]:
        """The words for a run; raises InputError if the peak is needed, and not known."""
        values: dict[str, Any] = {request.unit: request.budget, "seed": request.seed, "run_dir": run_dir}
        if request.unit == "steps":
            values["total_steps"] = request.budget
        if request.schedule:
            values["peak_lr"] = request.schedule.peak_lr
            values["warmup_steps"] = request.schedule.warmup_steps(request.budget)
            if "timm" in self.named:
                values["timm"] = timm_flags(request.schedule, request.budget)
        words = [[word] if word != "{timm}" else Known(values)["timm"] for word in self.words]
        return [word.format_map(Known(values)) for each in words for word in each]


class Known(dict[str, Any]):
    """The values of placeholders; raises InputError for one that is not known."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)

    def __missing__(self, name: str) -> Any:
        if name in ("peak_lr", "warmup_steps", "timm"):
            raise InputError(f"--command names {{{name}}}, so give the range of the peak: --peak-lr LOW HIGH")
        raise InputError(f"--command names {{{name}}}, which is not known here")
