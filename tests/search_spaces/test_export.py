"""Exported code sets the learning rates that the study trained with, in a process without this project."""

import ast
import json
import subprocess
import sys
from importlib.util import find_spec
from itertools import product

import numpy as np
import pytest
import torch

from search_spaces import EVERY_FAMILY, WSD, Cyclic, InverseTime, MultiStep, OneCycle, Plateau, ScheduleFree, Step
from search_spaces.export import FORMATS, Exported, prolonging_code, shown_code, torch_code
from search_spaces.muon import MuonWithAdamW
from search_spaces.schedule import evaluation_steps
from study.storage.trial_row import plain_arguments

SGD = "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)"
LENGTHS = (200, 137, 40, 3)
"""That a study may have trained, and others, too short for some of the phases."""
LOSSES = [1.0, 0.8, 0.8, 0.8, 0.8, 0.8, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]

CASES = [cls(peak_lr=0.3) for cls in EVERY_FAMILY.values()]
CASES += [cls(peak_lr=0.3, warmup_fraction=0.1) for cls in EVERY_FAMILY.values() if not cls.has_own_warmup]
CASES += [Cyclic(peak_lr=0.3, mode="exp_range", cycle_momentum=True, cycles=3)]
CASES += [WSD(peak_lr=0.3, shape="power", power=0.3, floor_ratio=0.1, warmup_fraction=0.1)]
CASES += [OneCycle(peak_lr=0.3, cycle_momentum=False, anneal_strategy="linear")]

WITHOUT_US = """
import sys
class Hidden:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("study", "search_spaces"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden)
try:
    import study
except ModuleNotFoundError:
    pass
else:
    raise AssertionError("this project can be imported")
"""
"""What hides an installed project."""

REPLAY = """
import json, sys
import torch
curves = {}
for name, code, total_steps, evaluations, observed, rates in json.load(sys.stdin):
    made = {}
    exec(code, made)
    groups = [{"params": [torch.zeros(1)], "lr": rate} for rate in rates]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    if "schedule_free" in made:
        optimizer = made["schedule_free"](optimizer, 0.9)
    try:
        scheduler = made["make_scheduler"](optimizer, total_steps, *evaluations)
    except ValueError as error:
        curves[name] = str(error)
        continue
    curve = curves[name] = []
    for step in range(1, total_steps + 1):
        curve.append([[group["lr"], group["momentum"]] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
        if str(step) in observed:
            scheduler.observe(observed[str(step)])
json.dump(curves, sys.stdout)
"""


FORKS = """
import json, os, warnings
import torch
torch.optim.SGD([torch.zeros(1)], lr=1.0)  # loads more of torch
for request in sys.stdin:
    program, folder, action = json.loads(request)
    child = os.fork()
    if not child:
        os.chdir(folder)
        for name, number, flags in (("given", 0, 0), ("answer", 1, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)):
            os.dup2(os.open(name, flags), number)
        sys.stdin = open(0, closefd=False)
        warnings.simplefilter(action)
        exec(program, {"__name__": "__main__", "sys": sys})
        sys.stdout.flush()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Loads torch once, and runs each program in a fork: what it reads and prints is in two files of its folder."""


@pytest.fixture(scope="module")
def elsewhere():
    """What a program answers in a process that has no way to import this project."""
    command = [sys.executable, "-I", "-W", "error", "-c", WITHOUT_US + FORKS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(program, given, folder, warnings="error"):
            (folder / "given").write_text(json.dumps(given))
            print(json.dumps([program, str(folder), warnings]), file=process.stdin, flush=True)
            assert process.stdout.readline() == "0\n", "its error is among what the tests printed"
            return json.loads((folder / "answer").read_text().splitlines()[-1])

        yield run


def evaluations_of(schedule):
    """What `make_scheduler` is given after total_steps."""
    return [schedule.evaluations] if schedule.evaluations else []


def test_every_family_runs_at_any_length_without_this_project(elsewhere, tmp_path):
    given, expected = [], {}
    for number, schedule in enumerate(CASES):
        code = torch_code(Exported(schedule, SGD))
        for total_steps in LENGTHS:
            losses = LOSSES[: min(total_steps, schedule.evaluations)]
            observed = dict(zip(evaluation_steps(total_steps, len(losses)), losses, strict=True)) if losses else {}
            name = f"{number} {schedule} {total_steps}"
            given.append((name, code, total_steps, evaluations_of(schedule), observed, [1.0]))
            expected[name] = [[list(pair)] for pair in schedule.simulate(total_steps, losses)]
    assert elsewhere(REPLAY, given, tmp_path) == expected


def test_unequal_groups_keep_their_ratios(elsewhere, tmp_path):
    rates, given, expected = [0.02, 0.1], [], {}
    for (number, schedule), total_steps in product(enumerate(CASES), LENGTHS):
        losses = LOSSES[: min(total_steps, schedule.evaluations)]
        observed = dict(zip(evaluation_steps(total_steps, len(losses)), losses, strict=True)) if losses else {}
        name = f"{number} {schedule} {total_steps}"
        code = torch_code(Exported(schedule, SGD))
        given.append((name, code, total_steps, evaluations_of(schedule), observed, rates))
        groups = [{"params": [torch.zeros(1)], "lr": rate} for rate in rates]
        optimizer = schedule.optimizer(torch.optim.SGD(groups, momentum=0.9))
        scheduler = schedule.build(optimizer, total_steps)
        expected[name] = []
        for step in range(1, total_steps + 1):
            expected[name].append([[group["lr"], group["momentum"]] for group in optimizer.param_groups])
            optimizer.step()
            scheduler.step()
            if step in observed:
                scheduler.observe(observed[step])
    assert elsewhere(REPLAY, given, tmp_path) == expected
    assert all(small[0] == pytest.approx(0.2 * large[0]) for curve in expected.values() for small, large in curve)


PROLONG = """
import json, sys
import torch
curves = {}
for name, code, more, old, new, done, rates in json.load(sys.stdin):
    made = {}
    exec(code, made)
    def fresh():
        groups = [{"params": [torch.zeros(1)], "lr": rate} for rate in rates]
        return torch.optim.SGD(groups, momentum=0.9)
    def go(steps):
        for _ in range(steps):
            curve.append([group["lr"] for group in run["optimizer"].param_groups])
            run["optimizer"].step()
            run["scheduler"].step()
    curve = curves[name] = []
    run = made | {"optimizer": fresh(), "new_total_steps": new, "steps_done": done}
    run["scheduler"] = made["make_scheduler"](run["optimizer"], old)
    go(done)
    saved, run["optimizer"] = run["optimizer"].state_dict(), fresh()
    run["optimizer"].load_state_dict(saved)
    exec(more, run)
    go(new - done)
json.dump(curves, sys.stdout)
"""


@pytest.mark.parametrize("rates", [[1.0], [0.02, 0.1]])
def test_a_run_that_is_going_is_prolonged_as_the_comments_say(rates, elsewhere, tmp_path):
    """Up to the last possible step, and from an early one; the whole curve is that of the longer run."""
    given, expected = [], {}
    for cls, warmup in product((WSD, Step, MultiStep), (0.0, 0.1)):
        schedule = cls(peak_lr=0.3, warmup_fraction=warmup)
        exported = Exported(schedule, SGD)
        until = schedule.extendable_until(200)
        said, *lines = prolonging_code(exported, 200).splitlines()
        assert f"# A run of 200 steps can be given more until step {until}. " in said
        more = "\n".join(line.removeprefix("# ") for line in lines)
        for done in (until, 3):
            name = f"{schedule} {done}"
            given.append((name, torch_code(exported), more, 200, 500, done, rates))
            curve = schedule.prolonged(200, 500).simulate(500)
            expected[name] = [[lr * rate / max(rates) for rate in rates] for lr, _ in curve]
    found = elsewhere(PROLONG, given, tmp_path, "ignore")
    assert found.keys() == expected.keys()
    for name, curve in found.items():
        np.testing.assert_allclose(curve, expected[name], rtol=1e-12)


AVERAGE_OF_MORE = """
import json, sys
import torch
code, more = json.load(sys.stdin)
run = {"new_total_steps": 400, "steps_done": 50, "model": torch.nn.Linear(1, 1)}
exec(code, run)
run["optimizer"] = torch.optim.SGD(run["model"].parameters(), lr=1.0)
run["make_scheduler"](run["optimizer"], 200)
before = run["averaged_model"](run["model"], 200, averaging_fraction=0.2)
for _ in range(3):
    before.update_parameters(run["model"])
    run["model"].weight.data += 1
run["saved_average"] = before.state_dict()
exec(more, run)
averaged = run["averaged"]
moved = float(averaged.module.weight - before.module.weight)
print(json.dumps([moved, int(averaged.n_averaged), averaged.avg_fn.keywords["decay"]]))
"""


def test_the_average_of_a_run_that_is_given_more_steps_is_loaded_and_has_its_decay(elsewhere, tmp_path):
    exported = Exported(WSD(peak_lr=0.3), SGD, averaging_fraction=0.2)
    more = "\n".join(line.removeprefix("# ") for line in prolonging_code(exported, 200).splitlines()[1:])
    found = elsewhere(AVERAGE_OF_MORE, [torch_code(exported), more], tmp_path, "ignore")
    assert found == [0.0, 3, pytest.approx(np.exp(-1 / (0.2 * 400)))]


def test_a_schedule_that_needs_no_change_has_an_average_that_does():
    said = prolonging_code(Exported(Plateau(peak_lr=0.3), SGD, averaging_fraction=0.2), 200).splitlines()
    assert said[1].endswith("  # its decay depends on total_steps")
    assert said[2].startswith("# averaged.load_state_dict(")
    assert len(prolonging_code(Exported(Cyclic(peak_lr=0.3), SGD, averaging_fraction=0.2), 200).splitlines()) == 1


def test_what_needs_no_change_and_what_cannot_be_prolonged():
    assert "at any time" in prolonging_code(Exported(Plateau(peak_lr=0.3), SGD), 200)
    assert "cannot be given more steps" in prolonging_code(Exported(Cyclic(peak_lr=0.3), SGD), 200)


def test_a_run_that_is_too_short_is_refused(elsewhere, tmp_path):
    schedules = [family(peak_lr=0.3) for family in EVERY_FAMILY.values() if family.least_steps > 1]
    given = [(s.family, torch_code(Exported(s, SGD)), s.least_steps - 1, [], {}, [1.0]) for s in schedules]
    assert elsewhere(REPLAY, given, tmp_path) == {
        "cyclic": "cyclic needs total_steps to be a whole number >= 2, but 1 was given",
        "one_cycle": "one_cycle needs total_steps to be a whole number >= 3, but 2 was given",
    }


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("schedule", CASES, ids=lambda schedule: f"{schedule.family}-{schedule.warmup_fraction}")
def test_the_code_is_short_and_ours_is_not_in_it(name, schedule):
    code = FORMATS[name](Exported(schedule, SGD))
    tree = ast.parse(code)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    standard = {"collections.abc", "functools", "math", "typing", "warnings"}
    if schedule.replaces_optimizer:
        standard |= {"importlib.util", "schedulefree"}
    assert imported <= standard | {"torch", "torch.optim", "torch.optim.lr_scheduler", "transformers"}
    (made,) = (node for node in tree.body if getattr(node, "name", "") == "make_scheduler")
    assert "self" not in {node.id for node in ast.walk(made) if isinstance(node, ast.Name)}
    assert max(map(len, code.splitlines())) <= 120
    assert code.count("\n") < (350 if schedule.torch_class.__module__.startswith("search_spaces") else 300)
    assert "type: ignore" not in code


WITH_MUON = """
import json, sys
import torch
code, line = json.load(sys.stdin)
made = {}
exec(code, made)
torch.manual_seed(0)
made["model"] = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(3)))
exec(line, made)
scheduler = made["make_scheduler"](made["optimizer"], 10)
for _ in range(10):
    made["optimizer"].zero_grad()
    made["model"](torch.ones(2, 4)).square().sum().backward()
    made["optimizer"].step()
    scheduler.step()
print(json.dumps([parameter.tolist() for parameter in made["model"].parameters()]))
"""
MUON_CALL = "search_spaces.muon.MuonWithAdamW(model, ['0.weight', '2.weight'], lr={lr}, weight_decay=0.1)"


def train_ten_steps(model, optimizer, scheduler):
    """As the programs above do."""
    for _ in range(10):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).square().sum().backward()
        optimizer.step()
        scheduler.step()


def test_the_code_has_muon_in_it_and_trains_the_same_weights_without_this_project(elsewhere, tmp_path):
    schedule = WSD(peak_lr=0.01, warmup_fraction=0.2)
    code = torch_code(Exported(schedule, MUON_CALL))
    (line,) = (line.removeprefix("# ") for line in code.splitlines() if line.startswith("# optimizer = "))
    found = elsewhere(WITH_MUON, [code, line], tmp_path)
    torch.manual_seed(0)
    model = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(3)))
    optimizer = MuonWithAdamW(model, ["0.weight", "2.weight"], lr=1.0, weight_decay=0.1)
    train_ten_steps(model, optimizer, schedule.build(optimizer, 10))
    assert found == [parameter.tolist() for parameter in model.parameters()]


@pytest.mark.parametrize("name", FORMATS)
def test_the_code_for_frameworks_has_muon_in_it(name):
    code = FORMATS[name](Exported(WSD(peak_lr=0.01), MUON_CALL))
    assert code.count("class MuonWithAdamW(Optimizer):") == 1
    assert "search_spaces" not in code
    assert "MuonWithAdamW: scripts/export.py" in shown_code(Exported(WSD(peak_lr=0.01), MUON_CALL))


GROUPS = (
    '[{"params": [p for p in model.parameters() if p.ndim >= 2]}, '
    '{"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0}]'
)
YOURS = f"""


def make_optimizer(model, weight_decay=0.05):
    groups = {GROUPS}
    groups += [dict(params=[torch.zeros(1, requires_grad=True)], weight_decay=2 * weight_decay)]
    return torch.optim.AdamW(groups, weight_decay=weight_decay)
"""


@pytest.mark.parametrize(
    ("call", "line", "kinds"),
    [
        (
            "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9, weight_decay=0.0005)",
            "torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.4)",
            (0.4, 0.4),
        ),
        (
            f"torch.optim.AdamW({GROUPS}, lr={{lr}}, weight_decay=0.1)",
            f"torch.optim.AdamW({GROUPS}, lr=0.01, weight_decay=0.4)",
            (0.4, 0.0),
        ),
        ("make_optimizer(model)", "with_weight_decay(make_optimizer(model), 0.4)", (0.2, 0.0)),
        (
            "make_optimizer(model, weight_decay=0.1)",
            "with_weight_decay(make_optimizer(model, weight_decay=0.1), 0.4)",
            (0.2, 0.0),
        ),
    ],
)
def test_the_code_trains_with_the_weight_decay_of_the_trial(call, line, kinds, elsewhere, tmp_path):
    """kinds: the decay of matrices and of vectors. In a function of yours another group has twice that of matrices."""
    schedule = WSD(peak_lr=0.01, warmup_fraction=0.2)
    code = torch_code(Exported(schedule, call, weight_decay=0.4))
    assert f"# optimizer = {line}\n" in code
    found = elsewhere(WITH_MUON, [code + YOURS, f"import torch\noptimizer = {line}"], tmp_path)
    torch.manual_seed(0)
    model = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(3)))
    groups = [
        {"params": [one for one in model.parameters() if (one.ndim > 1) is matrices], "weight_decay": decay}
        for matrices, decay in zip((True, False), kinds, strict=True)
    ]
    optimizer = torch.optim.SGD(groups, lr=1.0, momentum=0.9) if "SGD" in call else torch.optim.AdamW(groups, lr=1.0)
    train_ten_steps(model, optimizer, schedule.build(optimizer, 10))
    for values, parameter in zip(found, model.parameters(), strict=True):
        np.testing.assert_allclose(values, parameter.detach(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", FORMATS)
def test_the_code_for_frameworks_has_the_weight_decay_too(name):
    code = FORMATS[name](Exported(WSD(peak_lr=0.01), MUON_CALL, weight_decay=0.3))
    assert "MuonWithAdamW(model, ['0.weight', '2.weight'], lr=0.01, weight_decay=0.3)" in code
    yours = FORMATS[name](Exported(WSD(peak_lr=0.01), "mine.make(model)", weight_decay=0.3))
    assert yours.count("def with_weight_decay(") == 1
    assert "with_weight_decay(mine.make(model), 0.3)" in yours
    free = FORMATS[name](Exported(ScheduleFree(peak_lr=0.01), "mine.make(model)", weight_decay=0.3))
    assert "schedule_free(with_weight_decay(mine.make(model), 0.3), beta=beta)" in free
    assert "with_weight_decay" not in FORMATS[name](Exported(WSD(peak_lr=0.01), "mine.make(model)"))


AVERAGED = """
import json, sys
import torch
code, lines = json.load(sys.stdin)
made = {"total_steps": 20}
exec(code, made)
torch.manual_seed(0)
model = made["model"] = torch.nn.Linear(4, 4)
exec(lines[0], made)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(20):
    optimizer.zero_grad()
    model(torch.ones(2, 4)).square().sum().backward()
    exec(lines[1], made)
    optimizer.step()
    exec(lines[2], made)
print(json.dumps(made["averaged"].module.weight.tolist()))
"""


def test_comments_say_how_weights_are_averaged_and_gradients_clipped(elsewhere, tmp_path):
    exported = Exported(WSD(peak_lr=0.1), SGD, clip_norm=0.5, averaging_fraction=0.2)
    code = torch_code(exported)
    starts = ("# averaged = ", "# torch.nn.utils.clip_grad_norm_(", "# averaged.update_parameters(")
    lines = [next(line for line in code.splitlines() if line.startswith(start)) for start in starts]
    found = elsewhere(AVERAGED, [code, [line.removeprefix("# ") for line in lines]], tmp_path)
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    weights = []
    for _ in range(20):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).square().sum().backward()
        norm = torch.stack([one.grad.square().sum() for one in model.parameters()]).sum().sqrt()
        for parameter in model.parameters():
            parameter.grad *= min(1.0, 0.5 / norm)
        optimizer.step()
        weights.append(model.weight.detach().double())
    decay = np.exp(-1 / 4)
    average = weights[0]
    for weight in weights[1:]:
        average = decay * average + (1 - decay) * weight
    np.testing.assert_allclose(found, average, atol=1e-6)


def test_code_for_frameworks_says_both_in_their_words():
    exported = Exported(WSD(peak_lr=0.1), SGD, clip_norm=1.0, averaging_fraction=0.2)
    assert "# Trainer(gradient_clip_val=1.0)  # clips" in FORMATS["lightning"](exported)
    assert "# TrainingArguments(max_grad_norm=1.0)  # clips" in FORMATS["transformers"](exported)
    for name in FORMATS:
        assert "\ndef averaged_model(" in FORMATS[name](exported)
        assert "# averaged = averaged_model(model, total_steps, averaging_fraction=0.2)\n" in FORMATS[name](exported)
        plain = FORMATS[name](Exported(WSD(peak_lr=0.1), SGD))
        assert "clip" not in plain
        assert "averag" not in plain


def test_the_trainer_of_transformers_is_told_not_to_clip_what_was_not_clipped():
    """It clips to a norm of 1 by default; the others do not."""
    codes = {
        (name, norm): FORMATS[name](Exported(WSD(peak_lr=0.1), SGD, clip_norm=norm))
        for name, norm in product(FORMATS, (0.0, None))
    }
    said = "# TrainingArguments(max_grad_norm=0.0)  # gradients were not clipped"
    assert codes["transformers", 0.0].splitlines()[-1] == said
    del codes["transformers", 0.0]
    assert not [case for case, code in codes.items() if "clip" in code]


def test_code_for_frameworks_says_when_averaged_weights_are_saved_and_batch_norm_is_estimated():
    exported = Exported(ScheduleFree(peak_lr=0.1), SGD)
    update = "torch.optim.swa_utils.update_bn(training_batches, model)"
    for name in FORMATS:
        (line,) = (line for line in FORMATS[name](exported).splitlines() if update in line)
        assert line.strip() == f"# {update}  # then, if the model has batch norm"
        assert update not in FORMATS[name](Exported(WSD(peak_lr=0.1), SGD))
    assert "\n# optimizer.eval()  # before save_model, " in FORMATS["transformers"](exported)


def test_functions_are_recorded_as_source():
    schedule = InverseTime(peak_lr=1.0, end_ratio=0.5, power=1.0)
    assert plain_arguments(schedule.resolve(100)) == {
        "warmup_steps": 0,
        "scheduler": "LambdaLR",
        "lr_lambda": "partial(inverse_time, decay_rate=0.01, power=1.0)",
    }


IN_LIGHTNING = """
import json, lightning, torch
from torch.utils.data import DataLoader, TensorDataset
curves = {}
for name, code, evaluations in json.load(sys.stdin):
    made = {}
    exec(code, made)
    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.weight, self.rates, self.losses = torch.nn.Parameter(torch.ones(1)), [], []
        def training_step(self, batch, index):
            self.rates.append(self.optimizers().param_groups[0]["lr"])
            return self.weight.sum()
        def validation_step(self, batch, index):
            self.log("val_loss", 1.0 + 0 * self.weight.sum())
        def configure_optimizers(self):
            return made["configure_optimizers"](self, *evaluations)
        def on_validation_start(self):
            if "on_validation_start" in made:
                made["on_validation_start"](self)
        def on_validation_end(self):
            self.losses.append(float(self.trainer.callback_metrics["val_loss"]))
            if "on_validation_end" in made:
                made["on_validation_end"](self)
        def on_train_batch_start(self, batch, index):
            if "on_train_batch_start" in made:
                made["on_train_batch_start"](self)
    module, rows = Module(), DataLoader(TensorDataset(torch.zeros(10, 1)))
    lightning.Trainer(
        max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0,
    ).fit(module, rows, rows)
    curves[name] = [module.rates, module.losses]
print(json.dumps(curves))
"""

SAVED_BY_LIGHTNING = """
import json, lightning, torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset
made, saved = {}, []
code, folder = json.load(sys.stdin)
exec(code, made)
class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
    def training_step(self, batch, index):
        return self.weight.sum()
    def validation_step(self, batch, index):
        self.log("val_loss", self.weight.sum())
    def configure_optimizers(self):
        return made["configure_optimizers"](self)
for hook in ("on_validation_start", "on_validation_end", "on_train_batch_start"):
    if hook in made:
        setattr(Module, hook, lambda self, *args, called=made[hook]: called(self))
for interval in (1.0, 0.5):
    rows, checkpoints = DataLoader(TensorDataset(torch.zeros(10, 1))), ModelCheckpoint(folder, monitor="val_loss")
    lightning.Trainer(
        max_epochs=3, val_check_interval=interval, accelerator="cpu", logger=False, callbacks=[checkpoints],
        enable_progress_bar=False, enable_model_summary=False,
    ).fit(module := Module(), rows, rows)
    weights = torch.load(checkpoints.best_model_path)["state_dict"]["weight"]
    saved.append([float(checkpoints.best_model_score), float(weights), float(module.weight)])
print(json.dumps(saved))
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("lightning") is None, reason="needs lightning, of the extra examples")
def test_lightning_saves_the_averaged_weights_that_it_evaluated(elsewhere, tmp_path):
    """The loss is the weight: its best value is the weight in the checkpoint, and at the end that of the model."""
    code = FORMATS["lightning"](Exported(ScheduleFree(peak_lr=0.1), SGD))
    for evaluated, saved, final in elsewhere(SAVED_BY_LIGHTNING, [code, str(tmp_path)], tmp_path, "default"):
        assert evaluated == saved == final < 1.0


IN_TRANSFORMERS = """
import json, tempfile, torch, transformers
curves = {}
class Watch(transformers.TrainerCallback):
    def __init__(self):
        self.rates, self.losses = [], []
    def on_step_begin(self, args, state, control, optimizer=None, **kwargs):
        self.rates.append(optimizer.param_groups[0]["lr"])
    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        self.losses.append(metrics["eval_loss"])
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
    def forward(self, x, labels):
        return {"loss": 1.0 + 0 * self.weight.sum(), "logits": x}
for name, code, evaluations in json.load(sys.stdin):
    made = {}
    exec(code, made)
    model, watch, rows = Model(), Watch(), [{"x": torch.zeros(1), "labels": torch.zeros(1)}] * 10
    callbacks = [watch, *([made["ObserveValidation"]()] if "ObserveValidation" in made else [])]
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder, max_steps=40, per_device_train_batch_size=1, per_device_eval_batch_size=10, use_cpu=True,
            eval_strategy="steps", eval_steps=10, save_strategy="no", report_to="none", disable_tqdm=True,
            metric_for_best_model="loss", prediction_loss_only=True,
        )
        optimizers = made["make_optimizers"](model, 40, *evaluations)
        transformers.Trainer(
            model, arguments, train_dataset=rows, eval_dataset=rows, optimizers=optimizers, callbacks=callbacks
        ).train()
    curves[name] = [watch.rates, watch.losses]
print(json.dumps(curves))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("package", "program"), [("lightning", IN_LIGHTNING), ("transformers", IN_TRANSFORMERS)])
def test_code_for_a_framework_runs_in_it(package, program, elsewhere, tmp_path):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install -e '.[examples]'")
    observations = {"evaluations": 4, "patience_fraction": 0.25}
    schedules = [
        WSD(peak_lr=0.1, warmup_fraction=0.1),
        OneCycle(peak_lr=0.1),
        Plateau(peak_lr=0.1, **observations),
        Plateau(peak_lr=0.1, warmup_fraction=0.1, **observations),
        ScheduleFree(peak_lr=0.1, warmup_fraction=0.1),
    ]
    cases = {
        f"{schedule} {code}": (schedule, FORMATS[package](Exported(schedule, code)))
        for schedule, code in product(schedules, (SGD, "torch.optim.NAdam(model.parameters())"))
        if code is SGD or not schedule.replaces_optimizer
    }
    curves = elsewhere(
        program, [(name, code, evaluations_of(one)) for name, (one, code) in cases.items()], tmp_path, "default"
    )
    for name, (schedule, _) in cases.items():
        rates, losses = curves[name]
        assert losses == [1.0] * 4
        assert rates == [lr for lr, _ in schedule.simulate(40, losses)]
        assert min(rates) < 0.1


@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_the_code_that_is_shown_is_the_exported_code_without_what_all_share(family):
    exported = Exported(EVERY_FAMILY[family](peak_lr=0.1), "torch.optim.SGD(model.parameters(), lr={lr})")
    shown, whole = shown_code(exported), torch_code(exported)
    body = shown[shown.index("def make_scheduler(") : shown.index("\n# The whole file, with ")]
    assert body in whole
    assert "class " not in shown
    needs = "torch and schedulefree" if exported.replaces_optimizer else "only torch"
    assert f"Scheduler: scripts/export.py. It needs {needs}." in shown
    assert len(shown.splitlines()) < 75


@pytest.mark.skipif(find_spec("ruff") is None, reason="needs ruff, of the extra dev")
def test_linters_leave_the_imports_of_exported_code_as_they_are(tmp_path):
    """Whoever pastes it into a project may have a formatter there."""
    for family in EVERY_FAMILY:
        code = torch_code(Exported(EVERY_FAMILY[family](peak_lr=0.1), "torch.optim.SGD(model.parameters(), lr={lr})"))
        (tmp_path / f"{family}.py").write_text(f"{code}\n")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "I", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
