"""Records hold what their fields promise: every attribute of a study, replaced by something else, is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Required, TypedDict

import optuna
import pytest

from search_spaces import InputError
from search_spaces.optimizer_call import is_optimizer_call
from study.storage.study_record import StudyRecord
from study.storage.typed import as_tuple, check_types, is_of
from tests.helpers import run_search


class Pair(NamedTuple):
    number: int
    value: float | None


class Stored(TypedDict, total=False):
    cohort: Required[int]
    speed: float


@dataclass(frozen=True)
class Record:
    name: str
    pairs: tuple[Pair, ...]
    unit: Literal["epochs", "steps"]


@pytest.mark.parametrize(
    ("value", "hint", "whether"),
    [
        (1, float, True),
        (True, float, False),
        (True, int, False),
        (1.0, int, False),
        (None, int | None, True),
        ("steps", Literal["epochs", "steps"], True),
        ("weeks", Literal["epochs", "steps"], False),
        ((1, 2.0), tuple[float, ...], True),
        ((1, "2"), tuple[float, ...], False),
        ([1, None], tuple[float, ...], False),
        ((1, "a"), tuple[int, str], True),
        ((1,), tuple[int, str], False),
        ({"a": (1,)}, Mapping[str, tuple[int, ...]], True),
        ({"a": 1}, Mapping[str, tuple[int, ...]], False),
        ({1: 1}, Mapping[str, int], False),
        ("a", Any, True),
    ],
)
def test_a_value_is_of_a_type(value, hint, whether):
    assert is_of(value, hint) is whether


def test_a_record_names_the_field_that_is_damaged():
    check_types(Record("a", (Pair(1, None), Pair(2, 0.5)), "steps"))
    with pytest.raises(TypeError, match="value is 'x'"):
        check_types(Record("a", (Pair(1, "x"),), "steps"))
    with pytest.raises(TypeError, match="unit is 'weeks'"):
        check_types(Record("a", (), "weeks"))
    check_types({"cohort": 1, "other": "x"}, Stored)
    with pytest.raises(TypeError, match="speed is 'x'"):
        check_types({"cohort": 1, "speed": "x"}, Stored)
    with pytest.raises(KeyError, match="cohort"):
        check_types({"speed": 1.0}, Stored)
    with pytest.raises(TypeError, match="'text' is no list"):
        as_tuple("text")


@pytest.fixture(scope="module")
def stored(tmp_path_factory, workload):
    storage = f"sqlite:///{tmp_path_factory.mktemp('typed')}/studies.db"
    run_search(storage, workload, 2)
    return optuna.load_study(study_name="small", storage=storage)


def will_do(value, instead):
    """Whether a value of the same kind stands there, or none may."""
    numbers = isinstance(value, int | float) and type(instead) in (int, float)
    text = isinstance(value, str) and isinstance(instead, str)
    return numbers or text or value is None or value == instead == {}


@pytest.mark.parametrize("instead", [3, {}, "text", [3], None, {"x": 1}, -1.5, True], ids=repr)
def test_an_attribute_that_is_something_else_is_refused(instead, stored):
    for key, value in stored.user_attrs.items():
        if will_do(value, instead) or (instead is None and key in ("made_of", "validation_rows")):
            continue
        with pytest.raises(InputError, match="the records of study .* are damaged|has record format"):
            StudyRecord.of(copied(stored, {key: instead}))


SAVED = {
    "epochs_used": {"1": 1.0},
    "cohort": {"1": 5},
    "trained": 1,
    "seconds": 0.5,
    "params": {},
    "evaluations": [{"run": 0}],
    "reported": [[1, 0.5]],
}
"""What is saved of a trial under way."""


def test_trials_under_way_are_counted(stored):
    """Also those of the next bracket."""
    one = {"generation": 1, "size": 2, "candidates": {"0": SAVED, "1": SAVED}}
    for unfinished, number in [({}, 0), (one, 2), ({**one, "ahead": one}, 4), ({"ahead": one}, 2), (3, 3)]:
        assert StudyRecord.of(copied(stored, {"unfinished": unfinished})).unfinished == number


@pytest.mark.parametrize("instead", ["text", None, [3], True], ids=repr)
def test_a_part_of_a_trial_under_way_that_is_something_else_is_refused(instead, stored):
    damaged = [{**SAVED, key: instead} for key in SAVED]
    unfinished = [{"generation": 1, "size": 2, "candidates": {"0": saved}} for saved in damaged]
    unfinished += [{"ahead": unfinished[0]}, {"ahead": instead}, {"candidates": instead}, instead]
    for one in unfinished:
        with pytest.raises(InputError, match="the records of study .* are damaged"):
            StudyRecord.of(copied(stored, {"unfinished": one}))


@pytest.mark.parametrize("instead", [3, {}, "text", None, [[]]], ids=repr)
def test_a_part_of_a_trial_that_is_something_else_is_refused(instead, stored):
    parts = stored.get_trials()[0].user_attrs
    for attribute, key in [(attribute, key) for attribute, part in parts.items() for key in part]:
        if will_do(parts[attribute][key], instead) or key == "torch":  # the arguments of any scheduler
            continue
        if key == "digest" and instead is None:  # as in the records of earlier versions
            continue
        damaged = {**parts, attribute: {**parts[attribute], key: instead}}
        with pytest.raises(InputError, match="the records of study .* are damaged"):
            StudyRecord.of(copied(stored, {}, damaged))


def copied(study, attributes, of_first_trial=None):
    """A copy in memory with other attributes, also of its first trial."""
    other = optuna.create_study()
    for name, kept in {**study.user_attrs, **attributes}.items():
        other.set_user_attr(name, kept)
    first, *others = study.get_trials()
    first.user_attrs = of_first_trial or first.user_attrs
    other.add_trials([first, *others])
    return other


@pytest.mark.parametrize(
    ("code", "whether"),
    [
        ("torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)", True),
        ("mine.make(model)", True),
        ("your_optimizer(lr={lr})", True),
        ("torch.optim.SGD([{'params': model.head.parameters()}], lr={lr})", True),
        ("torch.optim.SGD(model.parameters(), lr={lr})\n    __import__('os').system('id')", False),
        ("torch.optim.SGD(model.parameters(), lr={lr}); __import__('os').system('id')", False),
        ("torch.optim.SGD(__import__('os').system('id'), lr={lr})", False),
        ("torch.optim.SGD(model.parameters(), lr=os.system('id'))", False),
        ("os.system('id')", False),
        ("subprocess.run(args='id', shell=True)", False),
        ("exec(model)", False),
        ("(lambda model: 1)(model)", False),
        ("model.__class__(model)", False),
        ("f(model, model.__reduce__())", False),
        ("torch.optim.SGD", False),
        (
            'torch.optim.AdamW([{"params": [p for p in model.parameters() if p.ndim >= 2]}, {"params": '
            '[p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0}], lr={lr}, betas=(0.9, 0.95))',
            True,
        ),
        ("mine.Muon(model, ['first.weight'], lr={lr}, weight_decay=0.1)", True),
        ("mine.make(model.parameters(), weight_decay=1e-05)", True),
        ("torch.optim.SGD([model.first.weight, model.last.weight], lr={lr}, nesterov=True)", True),
        ("torch.optim.SGD([p for n, p in model.named_parameters() if 'bias' not in n], lr={lr})", True),
        ("torch.optim.SGD([p for n, p in model.named_parameters() if not n.endswith('bias')], lr={lr})", True),
        ("torch.optim.SGD([p for p in model.parameters() if p.requires_grad and p.ndim > 1], lr={lr})", True),
        ("torch.optim.SGD(model.parameters(), {lr}, momentum=0.9)", True),
        (
            "torch.optim.SGD([{'params': model.body.parameters(), 'lr': 0.1 * {lr}}, "
            "{'params': model.head.parameters()}], lr={lr})",
            True,
        ),
        ("subprocess.run([p for p in ['sh', '-c', 'id'] if model])", False),
        ("subprocess.run(['id' for p in model.children()])", False),
        ("subprocess.run([n + 'id' for n, p in model.named_parameters()])", False),
        ("logging.config.dictConfig({'version': 1, 'x': {'()': 'os.system', 'command': 'id'}, 'a': model})", False),
        ("logging.config.dictConfig([{'params': {'()': 'os.system'}, 'a': model}])", False),
        ("subprocess.getoutput(('id', model)[0])", False),
        ("subprocess.getoutput(('id', model))", False),
        ("subprocess.run(['id', model], lr={lr})", False),
        ("os.system('id' if model else '')", False),
        ("os.system(model and 'id')", False),
        ("os.spawnv(model, file='/bin/sh', args=['sh', '-c', 'id'])", False),
        ("os.spawnl(model, '/bin/sh', '-c', 'id')", False),
        ("os.system(*['id'], lr={lr})", False),
        ("f(model, **{'lr': 1})", False),
        ("f([model for model in ['id']], lr={lr})", False),
        ("f([p.system('id') for p in model.parameters()], lr={lr})", False),
        ("(" * 5000, False),
        ("\0", False),
    ],
)
def test_only_one_call_makes_an_optimizer(code, whether):
    assert is_optimizer_call(code) is whether
