"""Checks before a study is opened: its name is free or its own, its format and its configuration are the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.storages import RDBStorage

from search_spaces.errors import InputError
from study.storage.listing import listed_study, study_names
from study.storage.record_format import FORMAT, STORED_NAMES, sampler_named

DERIVED = ("space", "horizons")
"""Parts of a configuration that follow from others: a message names only the others."""


def check_group(storage: RDBStorage, name: str, group: str) -> None:
    """Raise InputError if a search would get the name of a benchmark, or a benchmark that of a search."""
    for one in study_names(storage):
        if one == name or not (one == group or one.startswith(f"{name}-")):
            continue
        found = listed_study(storage, one)
        if found.problem:  # reported when that study is opened
            continue
        if found.group == name:
            raise InputError(f"{name!r} is the name of a benchmark: choose another name with --study")
        if one == found.group == group:
            raise InputError(f"{group!r} is the name of a study: choose another name with --name")


CODE = ("sources", "objects")
"""Parts of a configuration that are digests of the user's code, by name."""
ACCEPT = "give --accept-changes, or choose another name with --study"


def differing(stored: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, None]:
    """The keys of two configurations whose values differ, in order."""
    return {key: None for key in {**stored, **configuration} if stored.get(key) != configuration.get(key)}


def changed_code(stored: Mapping[str, Any], configuration: Mapping[str, Any]) -> list[str]:
    """The user's files and functions whose digests differ in two configurations, in words."""
    pairs = [(stored.get(key) or {}, configuration.get(key) or {}) for key in CODE]
    names = sorted(one for old, new in pairs for one in {**old, **new} if old.get(one) != new.get(one))
    return [f"the file or function {name!r}" for name in names]


def enumerated(names: Sequence[str]) -> str:
    """Names as part of a sentence.

    >>> enumerated(["a", "b", "c"]), enumerated(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def changes_since(name: str, changed: Sequence[str]) -> str:
    """The sentence that something of the user's has changed since the study was created.

    >>> changes_since("mine", ["net.py"])
    "net.py has changed since study 'mine' was created"
    """
    return f"{enumerated(changed)} {'have' if several(changed) else 'has'} changed since study {name!r} was created"


def several(changed: Sequence[str]) -> bool:
    """Whether these words are a plural."""
    return len(changed) > 1 or changed[0].startswith("the model's ")


def refuse_changed(name: str, changed: Sequence[str], instead: str = ACCEPT) -> None:
    """Raise InputError if something of the user's, in words, has changed since the study was created.

    instead: what else can be done than to restore it; empty if nothing.
    """
    if changed:
        restore = f"restore {'them' if several(changed) else 'it'}"
        raise InputError(f"{changes_since(name, changed)}: {', '.join(filter(None, [restore, instead]))}")


def refuse_other(name: str, attrs: dict[str, Any], configuration: dict[str, Any]) -> None:
    """Raise InputError, naming what differs, if the study was made with another format or configuration."""
    check_format(name, attrs)
    stored = attrs["configuration"]
    keys = list(differing(stored, configuration))
    before, now = (one.get("reference", {}).get("name", "none") for one in (stored, configuration))
    if before != now or keys == ["reference"]:
        other = f" (now {now})" if before != now else ", whose file has changed"
        raise InputError(
            f"study {name!r} was made with --reference {before}{other}: "
            "give the same again, or choose another name with --study"
        )
    keys = [key for key in keys if key != "reference"]
    if keys == ["device"] and (flags := flags_of_ray(attrs, stored["device"])):
        raise InputError(
            f"study {name!r} was made with Ray actors (device {stored['device']}, not {configuration['device']}): "
            f"give {flags} again, or choose another name with --study"
        )
    if keys == ["space"]:
        ranges, others = stored["space"], configuration["space"]
        keys = sorted(f"the range of {key}" for key in {**ranges, **others} if ranges.get(key) != others.get(key))
        raise InputError(
            f"study {name!r} was made with another space: {', '.join(keys)}. Choose another name with --study"
        )
    if keys and set(keys) <= set(CODE):
        refuse_changed(name, changed_code(stored, configuration))
    if "enqueued" in keys:
        raise InputError(
            f"study {name!r} was started with other --enqueue schedules: "
            "give the same again, or choose another name with --study"
        )
    if keys:
        names = {key: name for name, key in STORED_NAMES.items()}
        said = [key for key in keys if key not in DERIVED] or keys
        shown = [{**one, "sampler": sampler_named(one["sampler"])} for one in (stored, configuration)]
        different = [f"{names.get(key, key)} {shown[0].get(key)} (now {shown[1].get(key)})" for key in said]
        raise InputError(
            f"study {name!r} was made with {', '.join(different)}: "
            "give the same again, or choose another name with --study"
        )


def flags_of_ray(attrs: Mapping[str, Any], device: str) -> str:
    """The flags of the actors that a study was made with, on this device, as they are typed; empty if it was not."""
    asked = attrs.get("engine", {"asked": {}})["asked"]
    if asked.get("executor") != "ray":
        return ""
    given = {name: value for name, value in asked.items() if value not in (None, "auto")} | {"device": device}
    if asked.get("ray_address"):
        given["ray_address"] = asked["ray_address"]  # which may be auto
    return " ".join(f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in given.items())


def check_format(name: str, attrs: Mapping[str, Any]) -> None:
    """Raise InputError if another version of this project wrote the records."""
    if attrs.get("format") != FORMAT:
        raise InputError(
            f"study {name!r} has record format {attrs.get('format')}, not {FORMAT}: choose another name with --study"
        )
