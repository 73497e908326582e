"""For notebooks: find a schedule, compare families, and load what was found.

>>> import study
>>> result = study.find_schedule(dataset="digits", epochs=2, trials=4, families=("cosine", "rex"), progress=False)
>>> result.schedule.family in ("cosine", "rex")
True
>>> list(result.trials["epochs"])
[2.0, 2.0, 2.0, 2.0]

Calls print their progress; `progress=False` makes them quiet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from search_spaces.errors import InputError, require
from search_spaces.schedule import Schedule
from study.arguments import naming_arguments, options_of
from study.assembly import plan_comparison, plan_search, reproducing, within
from study.cli import plain_console
from study.executors.options import ExecutorOptions
from study.machine import torch_threads
from study.objective import Unit
from study.reports.findings import Comparison, Findings
from study.search.configuration import UNPRUNED, Configuration, SearchOptions
from study.search.limit import Limit
from study.search.reproduce import Reproduced
from study.shown import compare_and_show, extend_and_show, search_and_show
from study.source import Source, make_objective, typed_source
from study.storage.studies import read_studies
from study.storage.url import storage_url
from study.training.training_options import TrainingOptions
from study.training.training_source import TrainingSource, name_of
from study.workloads.objects import workload_source
from study.workloads.options import DATA_ROOT, WorkloadOptions

S = TypeVar("S", bound=SearchOptions)


class Result(Findings):
    """The results of a study, with methods that train its trials again, or its schedule for longer."""

    @naming_arguments
    def extend(
        self,
        epochs: int | None = None,
        steps: int | None = None,
        runs: int = 1,
        confirm_seeds: int = 0,
        storage: str | Path | None = None,
        data_root: str | Path = DATA_ROOT,
        progress: bool = True,
        trust: bool = False,
        **objects: Any,
    ) -> Schedule:
        """The schedule for a longer run, as `scripts/extend.py` finds it: at most ten times as long as a full run.

        epochs or steps: of the longer run, in the unit of the study. runs: to train: 1 for the recommended schedule, 2
        or 3 for as many of the best ones, or 0. confirm_seeds: with how many seeds to train the chosen one again.
        storage: that keeps the study, and then these runs too. trust, objects: as for `reproduce`.
        """
        unit = self.record.settings.unit
        budget = epochs if unit == "epochs" else steps
        if budget is None:
            raise InputError(f"the budget of study {self.record.name!r} is in {unit}: give {unit}=...")
        console = plain_console(quiet=not progress)
        url, repeats = storage_url(storage), (runs, confirm_seeds)
        return extend_and_show(self.record, url, budget, *repeats, console, Path(data_root), trust=trust, **objects)

    @naming_arguments
    def reproduce(
        self, trial: int, data_root: str | Path = DATA_ROOT, trust: bool = False, **objects: Any
    ) -> list[Reproduced]:
        """Train a trial again as it was trained; returns the stored value and the new one for each of its runs.

        trust: run the command or functions that the study names, although they were not typed in the working directory.
        objects: data, model, optimizer, workload or train, if the study was made of Python objects.
        Raises InputError if something that the study was made with is missing now, or may not run.
        """
        chosen = self.record.trial(trial)
        with torch_threads(self.record.session_of(chosen).threads):
            return list(reproducing(self.record, chosen, Path(data_root), trust, **objects))


def source_and_options(
    given: Mapping[str, Any], options: Mapping[str, Any], search: type[S]
) -> tuple[Source, S, ExecutorOptions]:
    """What is trained, and the options of the search and of the executor.

    given: model, data, optimizer, workload and train, as names or Python objects; None is not given. options: all
    others, by name. Raises InputError for what does not go together.
    """
    if given["train"] is None and options.get("command") is None:
        workload, search_options, executor = options_of(options, WorkloadOptions, search, ExecutorOptions)
        source = workload_source(workload, **{k: v for k, v in given.items() if k != "train"})
        return typed_source(source, executor), search_options, executor
    whole = "command" if given["train"] is None else "train"
    for name, value in given.items():
        require(name == "train" or value is None, f"{whole} replaces {name}: remove {name}", value)
    named = {} if given["train"] is None else {"train": name_of(given["train"])}
    training, search_options, executor = options_of({**options, **named}, TrainingOptions, search, ExecutorOptions)
    return typed_source(TrainingSource.of(training, given["train"]), executor), search_options, executor


@naming_arguments
def find_schedule(
    *,
    model: Any = None,
    data: Any = None,
    optimizer: Any = None,
    workload: Any = None,
    train: Any = None,
    trials: int = 50,
    max_cost: float | None = None,
    max_hours: float | None = None,
    storage: str | Path | None = None,
    study: str | None = None,
    enqueue: str | Path | Sequence[str | Path] = (),
    device: str = "auto",
    data_root: str | Path = DATA_ROOT,
    progress: bool = True,
    show: Sequence[str] = (),
    reference: str | None = None,
    confirm_seeds: int | None = None,
    accept_changes: bool = False,
    artifacts: str | Path | None = None,
    **options: Any,
) -> Result:
    """Search for the best learning-rate schedule, as `scripts/search.py` does with the flags of the same names.

    model, optimizer: a name, or a function that makes one. data: (x, y), a Dataset, a dict of such with train, val and
    test, or Data; instead of it `dataset` takes a name. workload: a name, or a Workload. train: instead of all these, a
    function that trains, or its name: a generator of (schedule, epochs, seed) that yields its validation value; with
    it, metric, direction, peak_lr and worst may be given. storage: a file or a database URL that keeps the study, so
    that the same call continues it; None keeps it in memory.
    trials: of the study in total, including earlier calls. max_cost, max_hours: the most that they may cost, in full
    runs or hours; otherwise there are fewer, or cheaper rungs. progress: whether to print the progress and the verdict.
    show: tables to print before the verdict: families, importance, peaks, audit, edges. reference: what the answer is
    compared with: a family, a JSON file of export.py, or "none"; None is a cosine. confirm_seeds: fresh seeds that
    confirm the answer, 0 for none; None is 8, or fewer if a full run takes more than a minute.
    accept_changes: whether a stored study continues although your files or model have changed. artifacts: the folder or
    s3://BUCKET/PREFIX that keeps pictures and curves of a stored study's trials; None is where they were kept before,
    or beside the storage.
    options: all other flags of the command line, such as epochs, families, sampler, cohort.
    Raises InputError for options that do not fit each other. On Ctrl-C, a stored study raises KeyboardInterrupt; a
    study in memory, and any study in a notebook, returns its results so far.
    """
    given = {"model": model, "data": data, "optimizer": optimizer, "workload": workload, "train": train}
    source, configuration, executor = source_and_options(given, options, Configuration)
    objective = make_objective(source, device, Path(data_root), executor)
    known = [str(one) for one in ([enqueue] if isinstance(enqueue, str | Path) else enqueue)]
    console = plain_console(quiet=not progress)
    url = storage_url(storage)
    plan = plan_search(
        source,
        objective,
        configuration,
        url,
        study,
        None,
        known,
        reference,
        console.print,
        accept_changes,
        artifacts if artifacts is None else str(artifacts),
    )
    [limit] = options_of({"max_cost": max_cost, "max_hours": max_hours}, Limit)
    plan, trials = within(plan, limit, executor, trials)
    return Result(search_and_show(plan, executor, trials, console, show, confirm_seeds))


@naming_arguments
def compare_families(
    *,
    model: Any = None,
    data: Any = None,
    optimizer: Any = None,
    workload: Any = None,
    train: Any = None,
    epochs: int | Sequence[int] = 20,
    steps: int | Sequence[int] | None = None,
    trials_per_family: int = 50,
    confirm_seeds: int = 16,
    search_seeds: int = 1,
    storage: str | Path | None = None,
    name: str | None = None,
    device: str = "auto",
    data_root: str | Path = DATA_ROOT,
    progress: bool = True,
    artifacts: str | Path | None = None,
    **options: Any,
) -> Comparison:
    """Compare families of schedules fairly, as `scripts/benchmark.py` does with the flags of the same names.

    Each family is tuned separately with the same number of trials, all full runs unless a pruner is named; its best
    schedule is trained again with fresh seeds and evaluated on test. epochs: one budget or several. steps: the same in
    optimizer steps, instead of epochs. The other options are those of `find_schedule`.
    """
    options = {"pruner": UNPRUNED.pruner} | options
    given = {"model": model, "data": data, "optimizer": optimizer, "workload": workload, "train": train}
    source, search_options, executor = source_and_options(given, options, SearchOptions)
    objective = make_objective(source, device, Path(data_root), executor)
    unit: Unit = "epochs" if steps is None else "steps"
    one_or_more, url = epochs if steps is None else steps, storage_url(storage)
    budgets = [one_or_more] if isinstance(one_or_more, int) else list(one_or_more)
    repeats, console = (search_seeds, confirm_seeds), plain_console(quiet=not progress)
    plan = plan_comparison(
        source,
        objective,
        search_options,
        budgets,
        *repeats,
        url,
        name,
        unit,
        console.print,
        artifacts if artifacts is None else str(artifacts),
    )
    return Comparison(compare_and_show(plan, executor, trials_per_family, console))


def load(study: str, storage: str | Path | None) -> Result | Comparison:
    """The results of a stored study or comparison of families; raises InputError if this name does not exist."""
    url = storage_url(storage)
    if url is None:
        raise InputError("load needs the storage that holds the study: a file or a database URL, but None was given")
    records = read_studies(url, study)
    return Result(records[0]) if records[0].name == study else Comparison(records)
