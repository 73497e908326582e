"""preview.py: curves against formulas worked out here, the gallery, and messages for invalid input."""

import csv
import io
import math
import re
import struct
from dataclasses import fields

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from search_spaces import EVERY_FAMILY, Cosine
from study.reports.gallery import SAMPLES, draw_gallery, draw_panel
from tests.helpers import start


def columns(text):
    """Lr and momentum of each line; the steps count from 0."""
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["step", "lr", "momentum"]
    assert [int(row[0]) for row in rows] == list(range(len(rows)))
    return [float(row[1]) for row in rows], [float(row[2]) for row in rows]


def files(folder):
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_cosine_follows_its_formula_to_the_last_digit(tmp_path):
    flags = "--peak-lr 0.1 --warmup-fraction 0.05 --floor-ratio 0.01 --total-steps 1000 --csv curve.csv"
    process = start("preview.py", "cosine", *flags.split(), cwd=tmp_path)
    assert process.communicate()[0] == ""
    assert process.returncode == 0
    lr, momentum = columns((tmp_path / "curve.csv").read_text())
    rise = [0.1 * (step + 1) / 51 for step in range(50)]
    fall = [0.001 + 0.099 * (1 + math.cos(math.pi * step / 950)) / 2 for step in range(950)]
    assert lr == pytest.approx(rise + fall, rel=1e-9)
    assert momentum == [0.9] * 1000
    schedule = Cosine(peak_lr=0.1, warmup_fraction=0.05, floor_ratio=0.01)
    assert lr == [rate for rate, _ in schedule.simulate(1000)], "the file loses no digit"


def test_one_cycle_moves_momentum_against_the_rate(command):
    flags = "--peak-lr 1 --total-steps 101 --pct-start 0.25 --div-factor 4 --end-ratio 0.05 --anneal-strategy linear"
    result = command("preview.py", "one_cycle", *flags.split())
    assert (result.code, result.err) == (0, "")
    rise, fall = [step / 25 for step in range(25)], [step / 75 for step in range(76)]
    lr, momentum = columns(result.out)
    assert lr == pytest.approx([0.25 + 0.75 * share for share in rise] + [1 - 0.95 * share for share in fall])
    assert momentum == pytest.approx([0.95 - 0.1 * share for share in rise] + [0.85 + 0.1 * share for share in fall])
    result = command("preview.py", "one_cycle", *flags.split(), "--no-cycle-momentum")
    assert columns(result.out)[1] == [0.9] * 101


def test_plateau_reduces_where_it_should_by_hand(command, tmp_path):
    # Five evaluations in ten steps come after 2, 4, 6, 8 and 10 of them. A patience of 0.2 * 5 = 1 tolerates the
    # first loss that is no better than 0.5, not the second: steps 0 to 7 run at the peak, 8 and 9 at half of it.
    (tmp_path / "losses.txt").write_text("1.0\n0.5\n0.6\n5e-1\n0.4\n")
    flags = "--peak-lr 0.1 --factor 0.5 --patience-fraction 0.2 --losses losses.txt --total-steps 10"
    result = command("preview.py", "plateau", *flags.split())
    assert (result.code, result.err) == (0, "")
    assert columns(result.out)[0] == pytest.approx([0.1] * 8 + [0.05] * 2)
    result = command("preview.py", "plateau", *flags.split(), "--warmup-fraction", 0.2)
    assert columns(result.out)[0] == pytest.approx([0.1 / 3, 0.2 / 3] + [0.1] * 6 + [0.05] * 2)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    process = start("preview.py", "rex", "--peak-lr", 1, "--total-steps", 20_000, cwd=tmp_path)
    assert process.stdout.readline() == "step,lr,momentum\n"
    process.stdout.close()
    assert process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("cosin --peak-lr 1", "unknown family 'cosin': did you mean 'cosine'? Valid: constant, step, multistep"),
        ("cosine --peak-lr -1", "peak_lr must be above 0 and finite, but -1.0 was given"),
        ("step --peak-lr 1 --gamma 2", "gamma must be above 0, at most 1, but 2.0 was given"),
        ("cyclic --peak-lr 1 --warmup-fraction 0.1", "cyclic already includes a warm-up: remove warmup_fraction"),
        ("cosine --peak-lr 1 --total-steps 0", "--total-steps must be from 1 to 10,000,000, but 0 was given"),
        (
            "cosine --peak-lr 1 --total-steps 100000000000",
            "--total-steps must be from 1 to 10,000,000, but 100000000000",
        ),
        ("one_cycle --peak-lr 1 --total-steps 2", "one_cycle needs at least 3 steps"),
        ("cosine --peak-lr 1 --losses good.txt", "cosine does not observe losses: remove --losses good.txt"),
        ("plateau --peak-lr 1", "plateau observes validation losses: give --losses FILE"),
        ("plateau --peak-lr 1 --losses nowhere.txt", "cannot read nowhere.txt: No such file or directory"),
        ("plateau --peak-lr 1 --losses .", "cannot read .: Is a directory"),
        ("plateau --peak-lr 1 --losses empty.txt", "empty.txt is empty"),
        ("plateau --peak-lr 1 --losses word.txt", "word.txt, line 2: a validation loss must be a finite number, but"),
        ("plateau --peak-lr 1 --losses nan.txt", "nan.txt, line 1: a validation loss must be a finite number, but"),
        ("plateau --peak-lr 1 --losses good.txt --total-steps 2", "3 losses need at least as many --total-steps, but"),
        ("cosine --peak-lr 1 --csv nowhere/curve.csv", "cannot write nowhere/curve.csv: No such file or directory"),
        ("--gallery nowhere/gallery.png", "cannot write nowhere/gallery.png: No such file or directory"),
    ],
)
def test_bad_input_is_answered_in_one_line(command, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setattr("study.reports.gallery.draw_gallery", lambda families: b"picture")
    before = {"good.txt": "3\n2\n1\n", "empty.txt": "\n", "word.txt": "1\na\n", "nan.txt": "nan\n", "old.csv": "kept"}
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    for output in [[]] if "nowhere/" in arguments else [["--csv", "new.csv"], ["--csv", "old.csv"]]:
        result = command("preview.py", *arguments.split(), *output)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: ")
        assert message in result.err
        assert result.err.count("\n") == 1, "one line"
        assert files(tmp_path) == before, "nothing is written"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("step --peak-lr 1 --gamma abc", "--gamma must be a number, but 'abc' was given"),
        ("step", "--peak-lr must be given. All flags: preview.py step --help"),
        ("plateau --peak-lr 1 --evaluations 3", "unknown flag --evaluations. All flags: preview.py plateau --help"),
        ("--galery a", "unknown flag --galery: did you mean --gallery? All flags: preview.py [FAMILY] --help"),
    ],
)
def test_a_flag_that_cannot_be_read_is_one_message(command, tmp_path, arguments, said):
    result = command("preview.py", *arguments.split())
    assert (result.code, result.out, result.err) == (2, "", f"error: {said}\n")
    assert not files(tmp_path)


def test_a_mistake_ends_the_process_without_a_traceback(tmp_path):
    process = start("preview.py", "plateu", cwd=tmp_path)
    printed, _ = process.communicate()
    assert process.returncode == 2
    assert printed.startswith("error: unknown family 'plateu': did you mean 'plateau'? Valid: constant, ")
    assert printed.count("\n") == 1


def test_help_says_what_there_is(command):
    result = command("preview.py", "--help")
    assert result.code == 0
    assert [word for word in ["--gallery", *EVERY_FAMILY] if word not in result.out] == []
    examples = [line for line in result.out.splitlines() if line.strip().startswith("python scripts/preview.py")]
    assert len(examples) == 3, "a line each"
    assert [line for line in result.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("family", EVERY_FAMILY.values(), ids=EVERY_FAMILY)
def test_help_of_a_family_has_every_parameter_and_its_formula(command, family):
    result = command("preview.py", family.family, "--help")
    assert result.code == 0
    listed = set(re.findall(r"--[a-z0-9-]+", result.out))
    own = {field.name for field in fields(family)} - {"evaluations"}  # plateau's are counted in the file of losses
    own = {f"no_{name}" if getattr(family, name, None) is True else name for name in own}
    flags = {f"--{name.replace('_', '-')}" for name in own | {"total_steps", "losses", "csv", "help"}}
    assert listed == flags
    [formula] = re.findall(r"^ +(lr.*)$", family.__doc__, re.M)
    assert f"\n    {formula}\n" in result.out, "on a line of its own"


@pytest.mark.slow
def test_gallery_is_the_same_picture_each_time(tmp_path):
    (tmp_path / "results").mkdir()
    process = start("preview.py", cwd=tmp_path)
    assert process.communicate()[0] == ""
    assert process.returncode == 0
    picture = (tmp_path / "results" / "gallery.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    assert 1200 <= width <= 2000, "sharp at a README's 900 pixels"
    assert 1.0 <= height / width <= 1.5
    assert 100_000 <= len(picture) <= 800_000
    with mpl.rc_context({"axes.linewidth": 9}):
        assert picture == draw_gallery(), "whatever the time, the process and the user's settings"


@pytest.mark.parametrize("family", EVERY_FAMILY.values(), ids=EVERY_FAMILY)
def test_gallery_panel_shows_shapes_that_differ(family):
    axes = Figure().add_subplot()
    draw_panel(axes, family)
    assert axes.get_title() == family.family
    assert axes.get_legend().get_title().get_text() == family.torch_class.__name__
    samples = len(SAMPLES.get(family.family, [{}]))
    assert samples <= 3, "there are three colours"
    curves = [tuple(line.get_ydata()) for line in axes.lines]
    assert len(set(curves)) == len(curves) == samples + (not family.has_own_warmup) + (family.evaluations > 0)
    assert all(min(curve) > 0 and max(curve) == pytest.approx(1) for curve in curves)
    assert all(len(set(curve)) > 1 for curve in curves) or issubclass(family, EVERY_FAMILY["constant"])
    if not family.has_own_warmup:
        assert curves[samples][:101] == pytest.approx([(step + 1) / 101 for step in range(101)]), "a tenth of the run"


def test_gallery_shows_no_family_that_is_gone():
    assert set(SAMPLES) <= set(EVERY_FAMILY)
