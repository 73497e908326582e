"""What is loaded before a command has read its flags: nothing heavy, so that help and mistakes are answered at once."""

import json
import subprocess
import sys

import pytest

from tests.helpers import ROOT

HEAVY = [
    "torch",
    "torchvision",
    "optuna",
    "optuna_dashboard",
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "plotly",
    "ray",
]
SCRIPTS = sorted(str(path.relative_to(ROOT / "scripts")) for path in (ROOT / "scripts").rglob("*.py"))
HELP = [[script, "--help"] for script in SCRIPTS if "examples" not in script]
MISTAKES = [
    ["search.py", *words.split()]
    for words in (
        "--trails 3",
        "--trials many",
        "--epochs 0",
        "--families cosin",
        "--space clasic",
        "--space wrong.toml",
        "--dataset mnst",
        "--task ranking",
        "--model resnet50",
        "--model torchvision:resnet5",
        "--optimizer adm",
        "--pruner asha",
        "--sampler bayes",
        "--engine lock",
        "--executor ray",
        "--device gpu",
        "--train-seed 1000",
        "--storage studies.db",
    )
] + [["export.py", "--study", "a", "--format", "keras"], ["preview.py", "cosin"], ["reproduce.py"], ["report.py"]]
RUN = """
import contextlib, io, json, runpy, sys
for script, *words in json.loads(sys.argv[1]):
    sys.argv = [script, *words]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_path(f"{sys.argv[0]}", run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, said.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def answers(commands, folder):
    """(exit code, what was said, the packages loaded by then) of each command, all in one new process."""
    typed = [[str(ROOT / "scripts" / script), *words] for script, *words in commands]
    process = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(typed)], cwd=folder, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in process.stdout.splitlines()]


@pytest.mark.parametrize(("commands", "code"), [(HELP, 0), (MISTAKES, 2)], ids=["help", "mistakes"])
def test_nothing_heavy_is_loaded_before_flags_are_read(commands, code, tmp_path):
    (tmp_path / "wrong.toml").write_text("[cosine]\nflor_ratio = 0.1\n")
    found = answers(commands, tmp_path)
    assert len(found) == len(commands)
    for command, (ended, said, loaded) in zip(commands, found, strict=True):
        assert ended == code, (command, said)
        assert [name for name in HEAVY if name in loaded] == [], command
        assert code == 0 or said.startswith("error: "), command
        assert code == 0 or said.count("\n") == 1, command


def test_what_is_heavy_is_seen(tmp_path):
    [(code, said, loaded)] = answers([["export.py", "--study", "a"]], tmp_path)
    assert (code, said.count("\n"), "optuna" in loaded) == (2, 1, True), said


def test_a_study_s_names_are_loaded_when_they_are_used():
    """`from study.workloads import Workload` as before, though the package itself loads nothing."""
    import study.workloads

    assert set(study.workloads.__all__) <= set(dir(study.workloads))
    assert study.workloads.Split.__module__ == "study.workloads.data"
    with pytest.raises(AttributeError, match="has no attribute 'Wrkload'"):
        study.workloads.Wrkload  # noqa: B018


def test_what_only_the_end_needs_is_not_loaded_before_a_search(tmp_path):
    planned = ["search.py", "--dataset", "digits", "--dry-run"]
    [(code, said, loaded)] = answers([planned], tmp_path)
    assert (code, "torch" in loaded) == (0, True), said
    assert {"matplotlib", "plotly", "optuna_dashboard"} & set(loaded) == set()
