"""The format of the records: names and meaning of the attributes that are stored.

A study's attributes: `format` (FORMAT), `configuration` (all that decides what is found, but the engine; `enqueued` in
it: the parameters of the trials that it begins with, if it was given some; `reference`: its name, whether it is within
the search space, and the parameters of its trials, if the study has one; `objects`: digests of functions that were
given as Python objects, by the part that they make), `engine` (engine, cohort, workers and threads: how its runs are
trained, what was asked for, and the speed that was measured), `limit` (of its cost, if there is one, and the trials and
rungs that were fitted to it), `workload` (its name), `group` (the benchmark it belongs to, its own name otherwise),
`metric` (name, direction, unit, worst), `optimizer_code` (how it is made), `steps_per_epoch`, `made_of` (digests of the
user's modules and of a fresh model, see made_of.py), `accepted` (changes of them, in words, and how many trials were
stored then), `artifacts` (where those of its trials are kept, if that was given, the present place last), `copied_from`
(its name and the time, if it was copied by copy_study.py), `validation_rows` (that a value is the mean over; both are
missing in studies made before they were kept), `clip_norm` (of gradients, if they are clipped),
`confirmed` (of a benchmark: the trial evaluated on test, the seeds, the test metrics, and the runs that failed, if any
did), `finals` (of a search: what was
trained again to confirm its answer, see finals.py), `sessions` (provenance of every start, in order), `unfinished` (the
runs that a bracket has behind it, while it is trained; `ahead` in it: the same of the next bracket, if it has begun).

A trial's attributes: `record` and `curve` (columns, one row per evaluation of the last run); for Hyperband and
successive halving `pruner_notes` (what they must find again). A record holds
`place` (`generation` is the bracket, its size, position in it, batch), `seeds` (sampler, train, split),
`torch` (the resolved arguments, for the full run), `epochs_used` and `cohort` (runs trained together, 1 is the plain
loop), both at each rung, `engine` (of the last rung), `too_large` (cohorts that did not fit into memory),
`best_epoch`, `diverged`, `audited_from` (epochs at which the trial would have been pruned, but for an audit; None for
all others), `seconds` (of training; those of a cohort are shared among its steps), `raw_value` (of weights that are not
averaged, if those of the value are), `reference` (true, for a trial of the reference), `outside` (its parameters, if
they lie outside the search space; Optuna has none then, and has it as pruned), `complete` (whether such a trial ran to
its end) and `digest` (of all that is stored of the trial, but for `seconds`; trials stored before have none). The files
of a trial that ran to its end, its picture and its curve as CSV, are noted where Optuna notes artifacts (artifacts.py).
"""

from __future__ import annotations

import re

from search_spaces import EVERY_FAMILY

FORMAT = 3
"""Version of this record format; a study of another version is refused."""
STORED_NAMES = {"least_steps": "least_updates", "trials_per_bracket": "trials_per_generation"}
"""Parts of a configuration whose stored key is an older name, so that studies made before can be opened."""
GAUSSIAN_PROCESSES = ("gp", "gp-optuna")
"""Samplers that learn from complete trials only."""
STORED_SAMPLERS = {"gp": "gp-per-batch", "gp-optuna": "gp"}
"""Samplers whose stored name is another: in studies made before there were two Gaussian processes, `gp` is Optuna's."""
CURVE_POINTS = 50
"""Most evaluations kept of a run; also the most that are made."""


def group_of(study: str, stored: str) -> str:
    """The benchmark that a study belongs to, or its own name. stored: the group in its records.

    A study that was copied or renamed, which Optuna and its dashboard can do, keeps the group of the original.

    >>> group_of("bench-20-epochs-rex", "bench"), group_of("kept", "first")
    ('bench', 'kept')
    """
    part = rf"{re.escape(stored)}-\d+-(epochs|steps)-({'|'.join(EVERY_FAMILY)})(-search-\d+)?"
    return stored if re.fullmatch(part, study) else study


def sampler_named(stored: str) -> str:
    """The name of a sampler, by its stored name."""
    return {kept: name for name, kept in STORED_SAMPLERS.items()}.get(stored, stored)


def evaluations_of(budget: int) -> int:
    """How often a run of a search is evaluated: every epoch of the budget, or CURVE_POINTS times in a longer one."""
    return min(budget, CURVE_POINTS)
