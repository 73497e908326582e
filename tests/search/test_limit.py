"""A limit of the cost: what it refuses, and how it is written."""

import math

import pytest

from search_spaces import InputError
from study.search.limit import Limit


@pytest.mark.parametrize("flag", ["--max-cost", "--max-hours"])
@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan])
def test_it_is_above_zero_and_finite(flag, value):
    with pytest.raises(InputError, match=f"{flag} must be above 0, but {value!r} was given"):
        Limit(**{flag.removeprefix("--").replace("-", "_"): value})


def test_there_is_one():
    with pytest.raises(InputError, match="give --max-cost or --max-hours, not both"):
        Limit(max_cost=5, max_hours=1)


def test_it_names_itself():
    assert (str(Limit(max_cost=5.0)), str(Limit(max_hours=0.25))) == ("--max-cost 5", "--max-hours 0.25")
    assert Limit(max_cost=5.0).given
    assert not Limit().given
    assert Limit().value == math.inf
