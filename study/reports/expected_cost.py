"""What a search is expected to cost, in words, before it starts."""

from __future__ import annotations

from study.analysis.own_schedule import steps_are_seen
from study.objective import Engine, duration, length_in_words
from study.search.configuration import PRUNES_MIDWAY
from study.search.expected_cost import ExpectedCost, Runs, expected_runs
from study.search.finals import LONG_RUN, SEEDS, most_runs
from study.search.study_plan import OpenStudy, StudyPlan
from study.speed import Speed


def expected_line(study: OpenStudy, trials: int) -> str:
    """What the search still costs until the study holds this many trials, at the speed of its engine."""
    plan, record = study.plan, study.record
    whole = search_cost(plan, trials, study.engine, study.speed)
    done = sum(budget for trial in record.trials for budget in trial.epochs_used)  # a run that diverged counts whole
    left, more = whole.left_after(done * record.steps_per_epoch), " more" if record.trials else ""
    cost = f"{at_most(plan)}{cost_in_words(left, assumed_steps(plan))}"
    return f"Expected: {trials - len(record.trials)}{more} trials, {cost}"


def planned_line(plan: StudyPlan, trials: int) -> str:
    """The same before the study is opened, without the time, unless it is known already."""
    engine, speed = (plan.chosen.engine, plan.chosen.speed) if plan.chosen else (Engine(), Speed())
    cost = search_cost(plan, trials, engine, speed)
    return f"Expected: {trials} trials, {at_most(plan)}{cost_in_words(cost, assumed_steps(plan))}"


def at_most(plan: StudyPlan) -> str:
    """What to say before a cost that nobody knows: how early Optuna's pruners will prune."""
    return "at most " if plan.configuration.pruner in PRUNES_MIDWAY else ""


def confirming_line(plan: StudyPlan, trials: int, seeds: int | None, speed: Speed) -> str | None:
    """What confirming the answer costs at most; None if it is not confirmed."""
    if seeds == 0:
        return None
    objective, budget = plan.objective, plan.configuration.budget
    steps, chosen = objective.steps(budget), SEEDS if seeds is None else seeds
    if seeds is None and speed.known and speed.seconds(1, steps, Engine()) > LONG_RUN:
        return "Then confirming: about as many full runs again (--confirm-seeds)"
    most = most_runs(trials, plan.reference is not None, chosen)
    cost = ExpectedCost.of([Runs(most, budget)], objective, budget, Engine(), Speed())
    return f"Then confirming: at most {cost_in_words(cost, assumed_steps(plan))} (--confirm-seeds)"


def search_cost(plan: StudyPlan, trials: int, engine: Engine, speed: Speed) -> ExpectedCost:
    """The expected cost of a whole search."""
    configuration, objective = plan.configuration, plan.objective
    runs = expected_runs(configuration, objective.steps(1), trials, plan.reference is not None)
    return ExpectedCost.of(runs, objective, configuration.budget, engine, speed, trials)


def assumed_steps(plan: StudyPlan) -> int | None:
    """The steps that an epoch counts as, if nobody sees how many it has."""
    command, unit = plan.record.get("command"), plan.configuration.unit
    seen = plan.objective.attributes()["first_run"]["seen"] if command else True
    return None if steps_are_seen(command, seen, unit) else plan.objective.steps(1)


def full_length(plan: StudyPlan) -> str:
    """The length of a full run: in steps, if these are seen."""
    budget, seen = plan.configuration.budget, assumed_steps(plan) is None
    return f"{plan.objective.steps(budget)} steps" if seen else length_in_words(budget, plan.configuration.unit)


def cost_in_words(cost: ExpectedCost, assumed_steps: int | None = None) -> str:
    """Steps, full runs and time. assumed_steps: of an epoch, if nobody sees them; epochs stand for the steps then.

    >>> cost_in_words(ExpectedCost(12000, 12, 3725)), cost_in_words(ExpectedCost(800, 2, None))
    ('12,000 steps = 12 full runs, about 1 h 2 min', '800 steps = 2 full runs')
    >>> cost_in_words(ExpectedCost(800, 2, None), assumed_steps=100)
    '8 epochs = 2 full runs'
    """
    amount = f"{cost.steps:,.0f} steps" if assumed_steps is None else f"{cost.steps / assumed_steps:,.0f} epochs"
    took = "" if cost.seconds is None else f", about {duration(cost.seconds)}"
    return f"{amount} = {cost.full_runs:.3g} full runs{took}"
