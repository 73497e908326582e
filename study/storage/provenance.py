"""How a result was produced: versions, machine, commit and command."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from study.machine import name_of_device
from study.storage.url import without_passwords

PACKAGES = ("torch", "torchvision", "optuna", "numpy", "scipy", "mnist1d", "scikit-learn")


@dataclass(frozen=True)
class Session:
    """The provenance of one start of the search. commit: None outside a checkout. versions: by package."""

    time: datetime
    command: str
    commit: str | None
    python: str
    versions: Mapping[str, str]
    platform: str
    device: str
    threads: int

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Session:
        """The session of stored values."""
        return cls(**{**stored, "time": datetime.fromisoformat(stored["time"])})

    def differences(self, now: Session) -> list[str]:
        """Sentences on what differs now and may change the last bits of a result."""
        pairs = [(name, self.versions.get(name), version) for name, version in now.versions.items()]
        pairs += [(name, getattr(self, name), getattr(now, name)) for name in ("python", "device", "threads")]
        return [f"{name} was {was}, now {is_now}" for name, was, is_now in pairs if was != is_now]


def present_session(device: torch.device) -> Session:
    """The provenance of a result produced now, on this device."""
    return Session.read(provenance(device))


def provenance(device: torch.device) -> dict[str, Any]:
    """The same as plain values, as they are stored."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "command": shlex.join(map(without_passwords, [Path(sys.executable).name, *sys.argv])),
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "device": name_of_device(device),
        "threads": torch.get_num_threads(),
    }


def commit() -> str | None:
    """The git commit of this project's checkout, `-dirty` where files differ; None outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
