"""When a loss counts as diverged, against the rule of EXPLODED, for first losses of either sign."""

import math

from hypothesis import example, given
from hypothesis import strategies as st

from study.training.divergence import EXPLODED, Divergence

LOSSES = st.floats(-1e6, 1e6)


@given(first=LOSSES, loss=LOSSES)
@example(first=1.0, loss=1001.0)
@example(first=-1.0, loss=999.0)
def test_a_loss_that_exceeds_the_first_by_more_than_a_thousand_times_its_size_has_blown_up(first, loss):
    limit = first + EXPLODED * abs(first)
    assert Divergence({7: first}).has(7, loss) == (loss > limit)


@given(first=LOSSES)
def test_what_is_no_number_has_blown_up_too(first):
    assert Divergence({0: first}).has(0, math.nan)
    assert Divergence({0: first}).has(0, math.inf)
    assert not Divergence({0: first}).has(0, first)
