"""Flags: what is typed becomes the fields of dataclasses, and a mistake one message."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest

from search_spaces import InputError
from study.flag_parser import read_flags
from study.flags import RARE, Shown, flags_of, grouped


@dataclass(frozen=True)
class Engine:
    """Of a car."""

    power: float = 1.5
    """Its power, 100 % of it."""
    fuel: Literal["petrol", "none"] = "none"
    """What it burns. Default: nothing."""
    bore: Annotated[int | None, RARE] = None
    """Of a cylinder."""


@dataclass(frozen=True, kw_only=True)
class Car:
    """A car."""

    name: str
    """What it is
    called."""
    engine: Engine
    doors: int = 4
    """How many."""
    colours: tuple[str, ...] = ("red", "blue")
    """From the front to the back."""
    radio: bool = False
    """With a radio."""
    roof: bool = True
    """the roof."""
    papers: Annotated[Path | None, Shown("engine", "FILE")] = None
    """Where they are."""
    made: str = field(default="here", init=False)

    common: ClassVar = ("doors", "name", "power")


def car(*words):
    return read_flags(Car, words, "car.py", "A car.\n\n    its example\n")


def test_what_is_not_typed_has_its_default():
    assert car("--name", "a") == Car(name="a", engine=Engine())


def test_what_is_typed_has_the_type_of_its_field():
    words = "--name=b --doors 2 --colours black --radio --no-roof --papers p.txt --power 2 --bore 3 --fuel petrol"
    made = Car(
        name="b",
        engine=Engine(2.0, "petrol", 3),
        doors=2,
        colours=("black",),
        radio=True,
        roof=False,
        papers=Path("p.txt"),
    )
    assert car(*words.split()) == made
    assert car("--name", "a", "--no_roof") == car("--name", "a", "--no-roof"), "underscores are hyphens"
    assert car("--name", "a", "--doors", "-1").doors == -1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "--name must be given. All flags: car.py --help"),
        ("--name a --dors 2", "unknown flag --dors: did you mean --doors? All flags: car.py --help"),
        ("--name a --dors=2", "unknown flag --dors=2: did you mean --doors? All flags: car.py --help"),
        ("--name a --xyzzy", "unknown flag --xyzzy. All flags: car.py --help"),
        ("--nam a", "unknown flag --nam: did you mean --name? All flags: car.py --help"),
        ("a --name a", "unexpected 'a': it follows no flag. All flags: car.py --help"),
        ("--name a --made there", "unknown flag --made. All flags: car.py --help"),
        ("--name", "--name: expected one argument. All flags: car.py --help"),
        ("--name a --doors two", "--doors must be a whole number, but 'two' was given"),
        ("--name a --power high", "--power must be a number, but 'high' was given"),
        ("--name a --fuel petrl", "unknown fuel 'petrl': did you mean 'petrol'? Valid: petrol, none"),
    ],
)
def test_a_mistake_is_one_message(words, said):
    with pytest.raises(InputError) as error:
        car(*words.split())
    assert str(error.value) == said


def test_common_flags_come_first_and_rare_ones_last():
    names = {title: [flag.name for flag in flags] for title, flags in grouped(Car).items()}
    assert names == {
        "options": ["--doors", "--name", "--power", "--colours", "--radio", "--no-roof"],
        "engine": ["--fuel", "--papers"],
        "rarely needed": ["--bore"],
    }


def test_help_says_a_default_once():
    said = {flag.name: flag.help for flag in flags_of(Car)}
    assert said["--name"] == "What it is called. (required)"
    assert said["--doors"] == "How many. (default: 4)"
    assert said["--colours"] == "From the front to the back. (default: red blue)"
    assert said["--fuel"] == "What it burns. Default: nothing."
    assert said["--no-roof"] == "Turn off: the roof."
    assert said["--papers"] == "Where they are."


def test_help_is_as_wide_as_the_terminal_and_keeps_examples(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    with pytest.raises(SystemExit):
        car("--help")
    printed = capsys.readouterr().out
    assert "\n    its example\n" in printed
    assert "Its power, 100 % of it. (default: 1.5)" in " ".join(printed.split())
    assert max(map(len, printed.splitlines())) <= 40
