"""Evaluations that a script does not report: read from a CSV, or from its output."""

import pytest

from search_spaces import InputError
from tests.own_scripts import reported

WRITES = """
import sys, time
peak_lr, epochs, seed = map(float, sys.argv[1:4])
with open(sys.argv[4] + "/summary.csv", "w") as file:
    file.write("epoch,eval_loss\\n")
    for epoch in range(int(epochs)):
        print(f"epoch {epoch}: eval_loss = {1 / (1 + epoch + peak_lr):.4f}", flush=True)
        file.write(f"{epoch},{1 / (1 + epoch + peak_lr):.4f}\\n")
        file.flush()
        time.sleep(0.1)
"""


@pytest.mark.parametrize("how", [{"csv": "{run_dir}/*.csv"}, {"pattern": r"eval_loss = ([\d.]+)"}])
def test_evaluations_are_read_from_a_csv_or_from_the_output(script, how):
    found = reported(script(WRITES, "{peak_lr} {epochs} {seed} {run_dir}", **how), metric="eval_loss")
    values = [{"val_eval_loss": float(f"{1 / (1 + epoch + 0.05):.4f}")} for epoch in range(3)]
    assert [(one.noted.step, one.noted.values) for one in found] == list(enumerate(values, start=1))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            {"csv": "{run_dir}/summary.csv", "metric": "loss"},
            "unknown column 'loss' in summary.csv: did you",
        ),
        ({"csv": "{run_dir}/summary.csv"}, "--metric-csv needs --metric, the name of its column"),
        ({"pattern": "eval_loss = (.)"}, None),
        ({"pattern": "epoch (.*)"}, "what 'epoch (.*)' found is not a number: '0: eval_loss = 0.9524'"),
        ({"pattern": "eval_loss"}, "--metric-pattern 'eval_loss' needs one group in parentheses"),
        ({"pattern": "("}, "--metric-pattern '(' is no regular expression"),
        ({"pattern": "accuracy (.*)"}, "the script ended without an evaluation"),
    ],
)
def test_evaluations_that_cannot_be_read(script, how, said):
    metric = how.pop("metric", None)
    if said is None:
        assert len(reported(script(WRITES, "{peak_lr} {epochs} {seed} {run_dir}", **how))) == 3
        return
    with pytest.raises(InputError) as raised:
        reported(script(WRITES, "{peak_lr} {epochs} {seed} {run_dir}", **how), metric=metric)
    assert said in str(raised.value)
