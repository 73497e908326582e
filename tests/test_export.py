"""The lines of PyTorch that the search prints set the same rates as the schedule they came from."""

import pytest
import torch

from search_spaces import FAMILIES, Cyclic, InverseTime
from study.export import torch_code
from study.records import plain_arguments

CASES = [(cls, {}) for cls in FAMILIES.values()]
CASES += [(cls, {"warmup_fraction": 0.1}) for cls in FAMILIES.values() if not cls.climbs_by_itself]
CASES += [(Cyclic, {"mode": "exp_range", "cycle_momentum": True})]


@pytest.mark.parametrize(("cls", "parameters"), CASES)
def test_the_code_sets_the_rates_of_the_schedule(cls, parameters):
    schedule = cls(peak_lr=0.3, **parameters)
    code = torch_code(schedule, 200, "torch.optim.SGD(model.parameters(), lr={lr}, momentum=0.9)")
    assert "search_spaces" not in code
    assert "study" not in code
    made = {"model": torch.nn.Linear(1, 1)}
    exec(code, made)
    losses = [1.0] * schedule.evaluations
    curve = []
    for step in range(1, 201):
        group = made["optimizer"].param_groups[0]
        curve.append((group["lr"], group["momentum"]))
        made["optimizer"].step()
        if "plateau" not in made:
            made["scheduler"].step()
            continue
        # As the comments in the code say.
        warmup_steps = schedule.split(200)[0]
        if step <= warmup_steps:
            made["warmup"].step()
        if step % 10 == 0 and step >= warmup_steps:
            made["plateau"].step(1.0)
    assert curve == schedule.simulate(200, losses)


def test_functions_are_recorded_as_source():
    schedule = InverseTime(peak_lr=1.0, end_ratio=0.5, power=1.0)
    assert plain_arguments(schedule.resolve(100)) == {
        "warmup_steps": 0,
        "scheduler": "LambdaLR",
        "lr_lambda": "partial(inverse_time, decay_rate=0.01, power=1.0)",
    }
