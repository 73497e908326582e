"""Artifacts in a folder or a bucket: where the flag says, found again by whoever reads the study."""

import contextlib
import http.client
import logging
import socket
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread

import optuna
import pytest
from optuna.artifacts import ArtifactMeta, get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage

from search_spaces import InputError
from study.assembly import opened, plan_search
from study.executors.options import ExecutorOptions
from study.reports.dashboard.server import make_server_for
from study.storage.artifact_places import AllPlaces, artifact_store, check_reachable, opened_artifact, stored_places
from study.storage.copying import copy_artifacts
from study.storage.place import check_artifacts
from study.storage.s3 import client
from study.storage.studies import connect_to_read
from study.training.workload_objective import WorkloadObjective
from tests.helpers import DIGITS, LOOP, SMALL

NUMBER = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture(scope="module")
def s3():
    """A server of S3 on this machine with a bucket named team."""
    moto_server = pytest.importorskip("moto.server", reason="needs moto and flask-cors, of the extra dev")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "very-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        client.cache_clear()
        client().create_bucket(Bucket="team")
        yield client()
        client().close()
        client.cache_clear()
        server.stop()


QUICK = replace(SMALL, epochs=2, rung_fractions=(0.5,), trials_per_bracket=5)


def search_in(place, storage, workload, trials=5):
    plan = plan_search(DIGITS, WorkloadObjective(workload), QUICK, storage, "small", artifacts=place)
    with opened(plan, ExecutorOptions(), LOOP) as study:
        for _ in study.search(trials):
            pass
        assert study.watcher.problem is None
        return study.optuna_study.user_attrs


def files_of(storage):
    """The artifacts of the study's trials, as the dashboard finds them."""
    connected = connect_to_read(storage)
    everywhere = AllPlaces(connected, storage)
    found = []
    for trial in optuna.load_study(study_name="small", storage=connected).get_trials():
        for meta in get_all_artifact_meta(trial, storage=connected):
            with contextlib.closing(everywhere.open_reader(meta.artifact_id)) as file:
                found.append((trial.number, meta.filename, file.read()))
    return found


def served(storage):
    """The answer of the dashboard to a request for the first picture: its type and its content."""
    connected = connect_to_read(storage)
    trials = connected.get_all_trials(1)
    found = ((one, meta) for one in trials for meta in get_all_artifact_meta(one, storage=connected))
    trial, meta = next((one, meta) for one, meta in found if meta.mimetype == "image/svg+xml")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with make_server_for(storage, port) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                number = connected.get_trial_id_from_study_id_trial_number(1, trial.number)
                connection.request("GET", f"/artifacts/1/{number}/{meta.artifact_id}")
                answer = connection.getresponse()
                return answer.status, answer.headers["Content-Type"], answer.read()
        finally:
            server.shutdown()
            thread.join()


def test_a_bucket_keeps_them_under_a_prefix(s3, storage, workload, tmp_path):
    attributes = search_in("s3://team/lr/", storage, workload)
    assert attributes["artifacts"] == ["s3://team/lr/"]
    names = [one["Key"] for one in s3.list_objects_v2(Bucket="team")["Contents"]]
    found = files_of(storage)
    assert len(names) == len(found) >= 2
    assert all(name.startswith("lr/") for name in names)
    assert any(content.startswith(b"<svg") for _, _, content in found)
    status, kind, content = served(storage)
    assert (status, kind) == (200, "image/svg+xml")
    assert content in [content for _, _, content in found]
    assert "very-secret" not in (tmp_path / "studies.db").read_bytes().decode(errors="replace")
    assert not Path(f"{tmp_path}/studies.db.artifacts").exists()
    artifact_store("s3://team/lr").remove(names[0].removeprefix("lr/"))
    with pytest.raises(ArtifactNotFound):
        opened_artifact(["s3://team/lr"], names[0].removeprefix("lr/"))


def test_a_study_remembers_its_places(storage, workload, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "artifacts" not in search_in(None, storage, workload, 5)
    first = len(files_of(storage))
    attributes = search_in("shared", storage, workload, 10)
    assert attributes["artifacts"] == [f"{tmp_path}/studies.db.artifacts", f"{tmp_path}/shared"]
    monkeypatch.chdir("/")
    attributes = search_in(None, storage, workload, 15)
    assert stored_places(attributes, storage)[-1] == f"{tmp_path}/shared"
    monkeypatch.chdir(tmp_path)
    assert len(list(Path("shared").iterdir())) + first == len(files_of(storage))
    assert len(list(Path("studies.db.artifacts").iterdir())) == first > 0


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://", "does not name a bucket: give s3://BUCKET/PREFIX"),
        ("s3://key:secret@team/x", r"--artifacts 's3://key:\*\*\*@team/x' does not name a bucket"),
        ("gs://team", "is neither a folder nor a bucket: give FOLDER or s3://BUCKET/PREFIX"),
        ("", "is neither a folder nor a bucket"),
    ],
)
def test_what_is_no_place_is_refused(place, said):
    with pytest.raises(InputError, match=said):
        check_artifacts(place)


def test_a_bucket_that_cannot_be_used_is_refused_at_the_start(s3, monkeypatch):
    check_reachable("s3://team/any/prefix")
    with pytest.raises(InputError, match=r"cannot use the bucket nobody \(.*404.*Not Found\): check --artifacts"):
        check_reachable("s3://nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client.cache_clear()
    with pytest.raises(InputError, match=r"cannot use the bucket team .*: check ~/.aws or AWS_ENDPOINT_URL"):
        check_reachable("s3://team")
    with pytest.raises(OSError, match="Could not connect"):
        artifact_store("s3://team").open_reader("any")
    client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    with pytest.raises(InputError, match=r"cannot use S3 .*localhost:9000.*: check ~/.aws or AWS_ENDPOINT_URL"):
        check_reachable("s3://team")


def test_a_bucket_that_is_lost_while_it_is_read_is_an_oserror(s3, monkeypatch):
    from botocore.exceptions import ResponseStreamingError

    artifact_store("s3://team").write(NUMBER, BytesIO(b"content"))

    def fail(body, amt=None):
        raise ResponseStreamingError(error="reset by peer")

    monkeypatch.setattr("botocore.response.StreamingBody.read", fail)
    with pytest.raises(OSError, match="reset by peer"):
        opened_artifact(["s3://team"], NUMBER)


def test_a_place_that_cannot_be_reached_hides_no_other(s3, tmp_path, monkeypatch):
    (tmp_path / NUMBER).write_bytes(b"content")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client.cache_clear()
    with opened_artifact(["s3://team", str(tmp_path)], NUMBER) as file:
        assert file.read() == b"content"
    with pytest.raises(OSError, match="Could not connect"):
        opened_artifact([str(tmp_path), "s3://team", str(tmp_path)], NUMBER.replace("0", "1"))
    client.cache_clear()


def test_without_boto3_a_stored_bucket_is_refused_before_training(s3, storage, workload, monkeypatch):
    search_in("s3://team/lr", storage, workload, 1)
    client.cache_clear()
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(InputError, match=r"artifacts in S3 need the package boto3: pip install -e '.\[s3\]'"):
        search_in(None, storage, workload, 2)
    connected = connect_to_read(storage)
    assert len(connected.get_all_trials(1)) == 1
    with pytest.raises(ArtifactNotFound, match="need the package boto3"):
        AllPlaces(connected, storage).open_reader(NUMBER)
    client.cache_clear()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make the folder"):
        check_reachable(str(tmp_path / "file" / "artifacts"))


def test_an_upload_goes_to_the_default_place(storage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    optuna.create_study(storage=storage, study_name="small")
    everywhere = AllPlaces(RDBStorage(storage), storage)
    Path("studies.db.artifacts").mkdir()
    (tmp_path / "text").write_text("hello")
    with open("text", "rb") as file:
        everywhere.write(NUMBER, file)
    with everywhere.open_reader(NUMBER) as file:
        assert file.read() == b"hello"
    everywhere.remove(NUMBER)
    assert not list(Path("studies.db.artifacts").iterdir())


def test_it_is_removed_from_all_places_that_can_be_reached(s3, storage, tmp_path, monkeypatch):
    study = optuna.create_study(storage=storage, study_name="small")
    everywhere = AllPlaces(RDBStorage(storage), storage)
    study.set_user_attr("configuration", {})
    study.set_user_attr("artifacts", ["s3://team", str(tmp_path)])
    (tmp_path / NUMBER).touch()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client.cache_clear()
    with pytest.raises(OSError, match="Could not connect"):
        everywhere.remove(NUMBER)
    assert not (tmp_path / NUMBER).exists()
    client.cache_clear()


def test_a_database_cannot_name_files_of_the_users(storage, tmp_path, monkeypatch):
    """A stranger's study may say that anything is an artifact of its trials, anywhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    study = optuna.create_study(storage=storage, study_name="small")
    study.set_user_attr("artifacts", [str(tmp_path / "mine")])
    everywhere = AllPlaces(RDBStorage(storage), storage)
    everywhere.read_places()
    for name in ("thesis.txt", "../mine/thesis.txt", str(tmp_path / "mine" / "thesis.txt")):
        with pytest.raises(ArtifactNotFound):
            everywhere.open_reader(name)
        everywhere.remove(name)
    meta = ArtifactMeta(artifact_id="thesis.txt", filename="curve.csv", mimetype="text/csv", encoding=None)
    assert copy_artifacts([meta], [str(tmp_path / "mine")], str(tmp_path / "copy")) == 1
    assert not (tmp_path / "copy").exists()
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
