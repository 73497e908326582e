"""Sensitivity to peak_lr: spans against rows with a known answer, and in a real search."""

import pytest

from study.analysis.peak_lr import peak_spans, span_rows
from tests.example_studies import ranged, row
from tests.helpers import open_small, run_search


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_the_span_is_that_of_the_better_half(direction, sign):
    tried = [("cosine", 0.5, 0.3), ("cosine", 0.4, 0.1), ("cosine", 0.6, 0.35), ("cosine", 0.9, 4.0)]
    tried += [("cosine", 0.8, 0.01), ("rex", 0.1, 1.0), ("rex", 0.2, 1.0), ("rex", 0.3, 1.0)]
    rows = [row(family, peak, sign * value) for family, value, peak in tried]
    assert peak_spans(ranged(rows, direction)) == {"cosine": (5, 0.1, 0.1, 0.35, 0.01, 4.0)}
    rows += [row("rex", 4.5, sign * 0.05, diverged=True)]
    assert list(peak_spans(ranged(rows, direction))) == ["cosine"], "three that did not diverge are too few"
    rows += [row("rex", 2.5, sign * 0.05, full=sign * 0.9)]
    spans = peak_spans(ranged(rows, direction))
    assert spans["rex"] == (4, 2.5, 1.0, 2.5, 1.0, 2.5)
    assert span_rows(spans)[0] == ["cosine", "5", "0.1", "0.1", "0.35", "3.5", "400"]


def test_the_spans_of_a_real_search_lie_within_what_was_tried(storage, workload):
    run_search(storage, workload, 30)
    with open_small(storage, workload) as opened:
        study = opened.record
    assert peak_spans(study)
    for family, span in peak_spans(study).items():
        own = [trial.peak_lr for trial in study.trials if trial.family == family]
        assert min(own) <= span.all_low <= span.low <= span.best <= span.high <= span.all_high <= max(own)
