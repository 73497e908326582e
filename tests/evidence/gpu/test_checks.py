"""What is checked on a GPU: the pieces on the CPU, and all of it if there is a GPU.

Every test that needs a GPU stands in this file: one of them fills its memory, and files are run side by side.
"""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from search_spaces import REX
from study.evidence.gpu import checks
from study.evidence.gpu.agreement import Agreement, compare_with_cpu, example_runs
from study.evidence.gpu.asking import Asked, search_beside_gpu, search_on
from study.evidence.gpu.cards import CardsFound, train_on_cards
from study.evidence.gpu.checks import FULL, MLP, SMALL, TRANSFORMER, Checked, introduction, sections
from study.evidence.gpu.memory import ASKED, MemoryFound, fill_memory, with_wide_model
from study.evidence.speed.studies import StudyOutcome
from study.training.lockstep import Lockstep
from tests.helpers import DIGITS, Crowded, trainer
from tests.helpers import SMALL as SMALL_SEARCH

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_both_ways_of_training_are_compared_with_the_plain_loop(workload):
    loop, lockstep = compare_with_cpu(workload, CPU)
    assert (loop.way, loop.difference, loop.same_rates) == ("loop", 0.0, True)
    assert (lockstep.way, lockstep.same_rates) == ("lockstep of 4", True)
    assert 0 < lockstep.difference < 1e-6
    assert loop.agrees
    assert lockstep.agrees


def test_they_are_compared_in_single_precision(workload, monkeypatch):
    """Also if convolutions may be rounded to TF32, as they may by default."""
    seen, update = [], Lockstep.update

    def noted(*arguments):
        seen.append(torch.backends.cudnn.allow_tf32)
        return update(*arguments)

    monkeypatch.setattr(Lockstep, "update", noted)
    assert torch.backends.cudnn.allow_tf32
    compare_with_cpu(workload, CPU)
    assert set(seen) == {False}
    assert torch.backends.cudnn.allow_tf32


def test_the_compared_runs_learn(workload):
    """Runs that stay where they began would agree whatever trained them."""
    found = list(trainer(workload).train(example_runs(workload)))
    for run in range(4):
        first, *_, last = (e.loss for e in found if e.run == run)
        assert last < 0.95 * first


def test_an_update_that_is_slightly_wrong_is_noticed(workload, monkeypatch):
    class Wrong(Lockstep):
        def update(self, x, y):
            losses = super().update(x, y)
            with torch.no_grad():
                for parameter in self.parameters.values():
                    parameter.mul_(0.999)
            return losses

    monkeypatch.setattr("study.training.workload_objective.Lockstep", Wrong)
    loop, lockstep = compare_with_cpu(workload, CPU)
    assert loop.agrees
    assert not lockstep.agrees
    assert not Agreement("digits", "loop", 0.0, same_rates=False).agrees


def test_the_wide_model_takes_the_bytes_that_it_is_given(workload):
    wide = with_wide_model(workload, 4 * 512**2)
    weights = sum(parameter.nbytes for parameter in wide.make_model().parameters())
    assert 4 * 512**2 < weights < 1.2 * 4 * 512**2
    assert wide.steps_per_epoch == 5


@pytest.mark.parametrize(("share", "problems"), [(0.8, []), (1.2, ["a cohort of the estimated 4 runs did not fit"])])
def test_a_cohort_is_bounded_beforehand_and_halved_when_that_is_not_enough(workload, share, problems, monkeypatch):
    """The memory is pretended: the estimate sees 24 MiB, and more than three runs run out."""
    free = 24 * 4 * 512**2
    monkeypatch.setattr("study.training.workload_objective.free_memory", lambda device: free)
    monkeypatch.setattr("study.training.workload_objective.MEMORY_SHARE", share)
    monkeypatch.setattr("study.training.workload_objective.Lockstep", Crowded)
    found = fill_memory(workload, CPU, free)
    assert (found.tried, found.settled, found.ended) == ((16, 8, 4), 2, 16)
    assert found.problems == problems


def test_what_is_wrong_with_memory_is_said():
    assert MemoryFound(2**30, 4, True, (16, 8), 4, 16).problems == []
    assert MemoryFound(2**30, 1, True, (), 16, 15).problems == [
        "the estimate allows 1 runs together, where about 6 fit",
        f"{ASKED} runs fitted, so nothing was halved: the model is too small for this check",
        "1 of 16 runs did not come to their end",
    ]


def test_a_search_in_this_process_says_whether_cuda_was_started(data_root, monkeypatch):
    configuration = replace(SMALL_SEARCH, sampler="gp", startup_trials=5)
    asked = search_on(DIGITS, configuration, 10, data_root, "cpu")
    assert (asked.outcome.trials, asked.touched_cuda) == (10, torch.cuda.is_initialized())
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    assert search_on(DIGITS, configuration, 5, data_root, "cpu").touched_cuda


def test_a_process_that_starts_cuda_fails_the_check(monkeypatch, tmp_path):
    outcome = StudyOutcome(REX(peak_lr=0.1), trials=50, epochs=240.0, seconds=10.0, training=6.0)
    monkeypatch.setattr(checks, "search_on", lambda *what: Asked(outcome, True))
    for touched, problems in ((False, []), (True, ["the process that only asks has started CUDA"])):
        monkeypatch.setattr(checks, "search_beside_gpu", lambda *what, touched=touched: Asked(outcome, touched))
        text, found = checks.studies(SMALL, CPU, tmp_path)
        assert found == problems
        assert "| 50 | 10.0 | 12.0 | 72.0 | 40% | - |" in text


def test_a_check_that_breaks_off_does_not_stop_the_others(monkeypatch, tmp_path):
    def broken(*arguments):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(checks, "agreement", broken)
    monkeypatch.setattr(checks, "processes_on_cards", lambda *arguments: ("equal", []))
    monkeypatch.setattr(checks, "studies", lambda *arguments: ("fine", []))
    monkeypatch.setattr(checks, "speed", lambda *arguments: ("fast", []))
    first, *others = sections(SMALL, CPU, tmp_path)
    assert "an illegal memory access" in str(first)
    assert "- **FAILED**: RuntimeError: see above" in str(first)
    assert [section.text for section in others] == [
        "Not checked: only the memory of a GPU can be filled.", "equal", "fine", "fast",
    ]  # fmt: skip


def test_the_report_begins_with_the_card(monkeypatch):
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "NVIDIA H100")
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: SimpleNamespace(total_memory=80 * 2**30))
    assert introduction(CUDA).startswith("# NVIDIA H100, 81,920 MiB, CUDA ")


def test_without_a_gpu_the_script_says_so(command, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = command("gpu_check.py", "--output", "gpu.md")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("There is no GPU here that torch sees, so nothing was checked.")
    assert not (tmp_path / "gpu.md").exists()


def test_bad_options_are_one_message(command):
    result = command("gpu_check.py", "--device", "gpu")
    assert (result.code, result.out) == (2, "")
    assert "unknown device 'gpu'" in result.err
    assert "cannot write nowhere/gpu.md" in command("gpu_check.py", "--device", "cpu", "--output", "nowhere/gpu.md").err


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["something is wrong"], 1)])
def test_the_script_prints_and_writes_every_section(problems, code, command, tmp_path, monkeypatch):
    def found(*arguments):
        yield Checked("Memory", "A table.", problems)
        yield Checked("Speed", "Another.")

    monkeypatch.setattr(checks, "sections", found)
    result = command("gpu_check.py", "--device", "cpu", "--output", "gpu.md")
    assert (result.code, result.err) == (code, "")
    report = (tmp_path / "gpu.md").read_text()
    assert result.out == f"{report}\n"
    assert [line for line in report.splitlines() if line.startswith("#")][1:] == ["## Memory", "## Speed"]
    assert ("- **FAILED**: something is wrong" in report) == bool(problems)


@pytest.mark.slow
@pytest.mark.timeout(900)  # starts some ten processes, each of which imports torch
def test_all_checks_run_on_the_cpu(data_root):
    """In small sizes, as with --device cpu; searches and timings in processes of their own."""
    found = {section.title: section for section in sections(SMALL, CPU, data_root)}
    assert [section.problems for section in found.values()] == [[]] * 5
    for way in ("tutorial", "loop", "lockstep of 8"):
        assert f" | {way} | " in found["Speed of training"].text
    assert "that process has not touched CUDA" in found["Studies, and the process that asks"].text


@pytest.mark.cuda
@pytest.mark.parametrize("what", FULL.compared, ids=lambda what: what.model)
def test_a_gpu_trains_what_the_cpu_trains(what, data_root):
    found = compare_with_cpu(what.load(data_root), CUDA)
    assert [one for one in found if not one.agrees] == []


@pytest.mark.cuda
@pytest.mark.parametrize("cohort", [1, 4])
@pytest.mark.parametrize("what", [MLP, TRANSFORMER], ids=lambda what: what.model)
def test_a_gpu_computes_the_same_bits_every_time_and_is_then_as_before(what, cohort, data_root):
    workload = what.load(data_root).to(CUDA)
    first, again = (list(trainer(workload, cohort).train(example_runs(workload))) for _ in range(2))
    assert first == again
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.cuda
def test_a_gpus_memory_bounds_and_halves_cohorts(data_root):
    assert fill_memory(MLP.load(data_root), CUDA, SMALL.free).problems == []


def test_processes_that_see_the_same_card_or_train_something_else_are_noticed():
    assert CardsFound(["0", "1"], ["1", "0"], True).problems == []
    assert CardsFound([], ["all", "all"], True).problems == []
    assert CardsFound(["0", "1"], ["0", "0"], True).problems == ["the processes see 0, 0, not one card each"]
    assert CardsFound(["0"], ["0"], False).problems == ["processes train something else than one process"]


@pytest.mark.cuda
def test_a_process_for_each_card_trains_what_one_process_does(data_root):
    assert train_on_cards(MLP.load(data_root), CUDA).problems == []


@pytest.mark.cuda
def test_the_process_that_asks_leaves_a_gpu_alone(data_root):
    asked = search_beside_gpu(MLP, SMALL.configuration, SMALL.trials, data_root)
    assert not asked.touched_cuda


@pytest.mark.cuda
def test_a_study_on_a_gpu_finds_a_schedule(data_root):
    assert search_on(MLP, SMALL.configuration, SMALL.trials, data_root, "cuda").outcome.trials == SMALL.trials
