"""copy_study.py as a user types it."""

import optuna
import pytest

from study.storage.copying import COPIED, copy_study_to
from study.storage.place import ARTIFACT
from study.storage.studies import connect_to_read, read_studies
from study.storage.url import DEFAULT_STORAGE

SEARCH = ("search.py", "--dataset", "digits", "--epochs", 1, "--families", "constant", "--engine", "loop")
SEARCH += ("--confirm-seeds", 0)


def note_of(storage, study):
    connected = connect_to_read(storage)
    noted = connected.get_study_system_attrs(connected.get_study_id_from_name(study))
    return "".join(value for key, value in noted.items() if key.startswith("dashboard:note_str"))


def test_it_says_what_it_copied_and_the_search_continues(command, tmp_path):
    assert command(*SEARCH, "--study", "mine", "--trials", 2).code == 0
    to = f"sqlite:///{tmp_path}/other.db"
    copied = command("copy_study.py", "--study", "mine", "--to", to, "--name", "its copy")
    assert (copied.code, copied.out, copied.err) == (0, "Copied study 'mine': 2 trials, 4 artifacts\n", "")
    assert "--storage sqlite:///other.db" in note_of(to, "its copy")
    again = command(*SEARCH, "--study", "its copy", "--storage", to, "--trials", 2)
    assert "already has 2 trials" in again.out
    back = command("copy_study.py", "--study", "its copy", "--from", to, "--to", "sqlite:///results/studies.db")
    assert back.code == 0
    for path in tmp_path.rglob("*"):
        if ARTIFACT.fullmatch(path.name):
            path.unlink()
    lost = command("copy_study.py", "--study", "mine", "--to", to, "--name", "without")
    assert lost.out.endswith(
        "note: 4 artifacts are not where the study says: run this command in the folder that holds them\n"
    )
    second = command("copy_study.py", "--study", "its copy", "--from", to, "--to", "sqlite:///results/studies.db")
    assert (second.code, second.out) == (2, "")
    assert second.err.startswith("error: sqlite:///results/studies.db already holds a study 'its copy'")


@pytest.mark.slow
def test_a_benchmark_is_copied_whole(command, tmp_path):
    benchmark = ("--dataset", "digits", "--epochs", 1, "--families", "constant", "rex", "--trials-per-family", 1)
    assert command("benchmark.py", *benchmark, "--confirm-seeds", 1, "--name", "all", "--engine", "loop").code == 0
    to = f"sqlite:///{tmp_path}/other.db"
    named = command("copy_study.py", "--study", "all", "--to", to, "--name", "other")
    assert (named.code, named.err) == (
        2,
        "error: 'all' is a benchmark, whose studies keep their names: remove --name\n",
    )
    original, second = (record.name for record in read_studies(DEFAULT_STORAGE, "all"))
    cut_off = optuna.create_study(storage=to, study_name=second)
    cut_off.set_user_attr(COPIED, {"study": second})
    copy_study_to(DEFAULT_STORAGE, original, to, original)
    copied = command("copy_study.py", "--study", "all", "--to", to)
    said = f"Study {original!r} was copied before\nCopied study {second!r}: 1 trials, 2 artifacts\n"
    assert (copied.code, copied.out, copied.err) == (0, said, "")
    assert [record.settings.families for record in read_studies(to, "all")] == [("constant",), ("rex",)]
    assert len(optuna.get_all_study_names(to)) == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ["--to", "sqlite:///results/../results/studies.db"],
            "error: --from and --to are the same database: give --name for the copy, or another --to",
        ),
        (["--to", "mysql://h/d"], "error: 'mysql://h/d' cannot keep studies"),
        (["--to", "sqlite:///x.db", "--artifacts", "gs://b"], "error: --artifacts 'gs://b' is neither a folder nor"),
        (
            ["--to", "sqlite:///x.db"],
            "error: there is no database results/studies.db: check --storage, or search first",
        ),
    ],
)
def test_mistakes(flags, said, command):
    result = command("copy_study.py", "--study", "mine", *flags)
    assert result.code == 2
    assert result.err.startswith(said)
