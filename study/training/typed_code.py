"""Code that a stored study names is run if it was typed in the working directory before, or is trusted.

A database may come from anybody, and name any command. What is typed on this machine is noted in the user's own folder,
as an empty file whose name is a digest: your studies are trained again without a question.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError
from study.workloads.names import LIBRARIES, MODELS
from study.workloads.user_code import is_imported

ALWAYS = ("command", "train", "ray_address")
"""Options that run code, whatever they name: what Ray receives from a cluster is code, too."""
IF_IMPORTED = ("dataset", "model", "optimizer")
"""Options that run code if they name a function."""
REPLACED = {"data": ("dataset",), "workload": ("dataset", "model")}
"""Options that a Python object replaces, if not the one of its own name."""
TYPED: set[str] = set()
"""Digests of what was typed in this process: it may be unable to make the files."""


def named_code(options: Mapping[str, Any], objects: Collection[str] = ()) -> dict[str, str]:
    """Options that run code which is neither this project's nor a library's, with their values.

    options: as typed, or a stored configuration. objects: names of Python objects that are given instead.
    """
    replaced = [name for part in objects for name in REPLACED.get(part, (part,))]
    names = [*ALWAYS, "workload", "optimizer"] if options.get("workload") else [*ALWAYS, *IF_IMPORTED]
    values = {name: options[name] for name in names if options.get(name) and name not in replaced}
    return {name: str(value) for name, value in values.items() if runs_code(name, str(value))}


def runs_code(name: str, value: str) -> bool:
    """Whether this value of an option runs code that may be anybody's."""
    module = value.partition(":")[0]
    match name:
        case "ray_address":
            return value != "auto"  # the cluster of this machine
        case "dataset":
            return is_imported(value)
        case "model":
            return is_imported(value) and value not in MODELS and module not in LIBRARIES
        case "optimizer":
            return is_imported(value) and module != "torch.optim"
    return True


def note_typed(code: Mapping[str, str]) -> None:
    """Note that this was typed in the working directory; if no file can be made, other processes ask for it."""
    with suppress(OSError, RuntimeError):  # no home, or no working directory
        TYPED.update(digests(code))
        for digest in digests(code):
            note = notes_folder() / digest
            note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            note.touch()


def refuse_untyped(study: str, code: Mapping[str, str]) -> None:
    """Raise InputError, showing it, if some of the code that this study names was not typed here."""
    if is_noted(code):
        return
    shown = "\n".join(f"  --{name.replace('_', '-')} {value!r}" for name, value in code.items())
    raise InputError(
        f"study {study!r} names code that was not typed in this folder: if it may run, add --trust. It names\n{shown}"
    )


def is_noted(code: Mapping[str, str]) -> bool:
    """Whether all of it was typed in the working directory, as far as the notes can be read."""
    try:
        return all(digest in TYPED or (notes_folder() / digest).exists() for digest in digests(code))
    except (OSError, RuntimeError):
        return False


def digests(code: Mapping[str, str]) -> Iterator[str]:
    """The digest of each of these options with its value, in the working directory."""
    for option in code.items():
        yield sha256(json.dumps([os.getcwd(), *option]).encode()).hexdigest()


def notes_folder() -> Path:
    """Where the files are; a relative XDG_STATE_HOME is ignored, as its specification says."""
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return home / "learning-rate-study" / "typed"
