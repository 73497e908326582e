"""Measurements of schedules refuse a search of anything besides."""

from dataclasses import replace

import pytest

from search_spaces import InputError
from study.evidence.schedules_alone import require_schedules_alone
from study.evidence.searched_study import objective_of, searched_study
from tests.helpers import DIGITS, SMALL


def test_weight_decay_is_refused_before_anything_is_trained(tmp_path, data_root):
    space = tmp_path / "space.toml"
    space.write_text("weight_decay = { low = 0.001, high = 0.01 }\n")
    for search in (replace(SMALL, search=("weight_decay",)), replace(SMALL, space=str(space))):
        with pytest.raises(InputError, match="evaluates schedules alone: remove --search"):
            require_schedules_alone(search)
    require_schedules_alone(SMALL)
    with (
        pytest.raises(InputError, match="evaluates schedules alone"),
        searched_study(DIGITS, objective_of(DIGITS, data_root), replace(SMALL, search=("weight_decay",)), 1),
    ):
        pass
