"""The scripts that are searched, with the real packages: few changed lines, and what they do is what is shown."""

import ast
import shlex
import subprocess
import sys
from importlib.util import find_spec

import pytest

import study
from tests.helpers import ROOT

FOLDER = ROOT / "scripts" / "examples" / "own_training"
SCRIPTS = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
NEEDS = {"lightning_script": "lightning", "hugging_face": "transformers", "timm_script": "timm"}
OPTIONS = {
    "list_of_rates": {"steps": 200, "peak_lr": (1e-4, 1e-1)},
    "two_losses": {"metric": "objective", "epochs": 2},
    "timm_script": {"peak_lr": (1e-3, 1.0), "metric_pattern": "error ([0-9.]+)", "epochs": 4},
}
ARGUMENTS = {"list_of_rates": "{steps} {seed}", "timm_script": "--seed {seed} {timm}"}
MARK = "# +"


def added(path):
    """The lines that a search needs, as the README shows them."""
    lines = [line for line in path.read_text().splitlines() if line.endswith(MARK)]
    return ["+" + line.removesuffix(MARK).rstrip() for line in lines]


@pytest.mark.parametrize("name", SCRIPTS)
def test_at_most_six_lines_are_added_and_the_readme_shows_them(name):
    lines = added(SCRIPTS[name])
    assert len(lines) <= 6
    assert lines or "{timm}" in SCRIPTS[name].read_text()
    shown = (FOLDER / "README.md").read_text().partition(f"## [{name}.py]")[2].partition("\n## ")[0]
    assert shown.partition("```diff\n")[2].partition("```")[0].splitlines() == lines
    title, _, typed = ast.get_docstring(ast.parse(SCRIPTS[name].read_text())).partition("\n\n")
    assert title in shown
    assert f"```bash\n{' '.join(typed.split())}\n```" in shown


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_searched(name):
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed: pip install -e '.[examples]'")
    shows_rates = name != "timm_script"
    options = OPTIONS.get(name, {"epochs": 2})
    arguments = ARGUMENTS.get(name, "{epochs} {seed}")
    command = f"{shlex.quote(sys.executable)} {SCRIPTS[name]} {arguments}"
    found = study.find_schedule(
        command=command,
        trials=1 if shows_rates else 2,
        families=["rex"] if shows_rates else ["linear", "step"],
        sampler="random",
        pruner="none",
        reference="none",
        confirm_seeds=0,
        progress=False,
        **options,
    )
    if shows_rates:
        [trial] = found.record.trials
        rates = [float(rate) for rate in trial.schedule.rates(found.record.total_steps)]
        held = [rates[step - 1] for step in trial.curve.steps]
        assert list(trial.curve.lr) == pytest.approx(held, rel=1e-4)
    else:
        one, other = found.record.trials
        assert one.value != other.value


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bare_loop", "list_of_rates"])
def test_outside_a_study_a_script_does_as_before(name):
    ran = subprocess.run([sys.executable, SCRIPTS[name], "2", "0"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
