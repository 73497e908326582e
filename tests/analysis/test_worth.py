"""When a search last improved."""

from study.analysis.worth import last_improvement
from tests.example_studies import ended, study_record


def test_the_last_improvement_and_what_the_search_had_cost_by_then():
    values = [(0.5, 0.3), (0.6, None), (0.4, None), (0.4, 0.2), (0.7, None)]
    study = study_record([ended(*one, params={"family": "rex", "peak_lr": 0.1}) for one in values])
    found = last_improvement(study)
    assert (found.trial, found.full_runs, found.of) == (2, 3 * 2 / 20, 5 * 2 / 20)
    assert last_improvement(study_record([])) is None
