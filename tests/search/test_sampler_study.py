"""The study in memory that suggests trials: as Optuna's own, without a look at all trials for each question."""

import optuna
from hypothesis import given
from hypothesis import strategies as st
from optuna.samplers import RandomSampler
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from study.search.sampler_study import InMemory

PEAKS = [0.1, 0.2, 0.3]


def asked(storage, steps):
    """(number, peak) of each trial that is asked for, when these steps are taken."""
    study = optuna.create_study(storage=storage, sampler=RandomSampler(seed=0))
    found, open_now = [], []
    for step in steps:
        if isinstance(step, float):
            study.enqueue_trial({"peak_lr": step})
        elif step == "ask":
            trial = study.ask()
            open_now.append(trial)
            found.append((trial.number, trial.suggest_float("peak_lr", 0.01, 1.0)))
        elif open_now:
            study.tell(open_now.pop(0), 0.5)
    return found, [trial.state for trial in study.get_trials()]


@given(st.lists(st.sampled_from(["ask", "ask", "tell", *PEAKS]), max_size=20))
def test_trials_are_those_of_optunas_storage_in_memory(steps):
    assert asked(InMemory(), steps) == asked(InMemoryStorage(), steps)


def test_all_trials_are_looked_at_only_if_one_may_be_enqueued(monkeypatch):
    looked, looks = [], InMemoryStorage.get_all_trials

    def noted(self, study_id, deepcopy=True, states=None):
        looked.append(states)
        return looks(self, study_id, deepcopy, states)

    monkeypatch.setattr(InMemoryStorage, "get_all_trials", noted)
    study = optuna.create_study(storage=InMemory(), sampler=RandomSampler(seed=0))
    study.ask()
    assert (TrialState.WAITING,) not in looked
    study.enqueue_trial({"peak_lr": 0.3})
    assert study.ask().suggest_float("peak_lr", 0.01, 1.0) == 0.3
    assert (TrialState.WAITING,) in looked
