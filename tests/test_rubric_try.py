"""`grader rubric try`: one answer, marked on the spot and explained."""

from __future__ import annotations

import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.command import run_grader

ROOT = Path(__file__).resolve().parent.parent
COMPLETE = ROOT / "tests" / "submissions" / "complete"


def run_try(*arguments: str, given: bytes = b"", cwd: Path = ROOT) -> CompletedProcess[str]:
    return run_grader("rubric", "try", *arguments, given=given, cwd=cwd)


def rows(done: CompletedProcess[str]) -> dict[str, str]:
    """Label -> text of the explanation, wrapped lines put together."""
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = {}
    label = ""
    for line in done.stdout.splitlines()[2:]:
        label = line[:12].strip() or label
        found[label] = f"{found.get(label, '')} {line[12:].strip()}".strip()
    return found


def test_an_answer_is_marked_and_explained() -> None:
    """Verdict, points, confidence, what was found, what was expected and where it is from."""
    done = run_try("q3", "There are eight functions.")
    assert done.stdout.startswith("q3: Number of functions\n")
    explained = rows(done)
    assert explained["Verdict"] == "incorrect, 0 of 5 points"
    assert 0 < float(explained["Confidence"]) <= 1
    assert explained["Review"] == "not needed"
    assert explained["Found"] == "8"
    assert explained["Expected"] == "7 (from the starter's multiple_processes.py)"
    assert explained["Why"]
    assert explained["Hint"]
    assert done.stderr == ""


def test_a_right_answer_needs_no_hint() -> None:
    """All points, and nothing to look at next."""
    explained = rows(run_try("q3", "7"))
    assert explained["Verdict"] == "correct, 5 of 5 points"
    assert "Hint" not in explained


def test_a_doubt_is_told() -> None:
    """An answer that a person should look at says so, and why."""
    explained = rows(run_try("q3", "6 or 7"))
    assert explained["Review"].startswith("needed: ")
    assert "A person should look: " in explained["Why"]


def test_low_confidence_is_a_reason_of_its_own() -> None:
    """The rubric's `review_below` is named where it is the reason."""
    explained = rows(run_try("q3", "6 or 7"))
    assert float(explained["Confidence"]) < 0.7
    assert explained["Review"] == "needed: the confidence is below 0.7"


def test_the_explanation_fits_80_columns() -> None:
    """Long reasons are wrapped, also when the output is piped, and hold no colour."""
    done = run_try("q5", "create_table creates the table, drop_table drops it. " * 20)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


def test_the_help_has_examples_and_fits_80_columns() -> None:
    """A beginner sees what to type."""
    done = run_try("--help")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.count("grader rubric try") >= 4


# ---------------------------------------------------------------- where the answer is from


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "ascii"])
def test_an_answer_from_a_file(tmp_path: Path, encoding: str) -> None:
    """--file reads it whatever its encoding."""
    file = tmp_path / "answer.txt"
    file.write_bytes("- seven\r\n".encode(encoding))
    assert rows(run_try("q3", "--file", str(file)))["Found"] == "7"


def test_an_answer_from_a_pipe() -> None:
    """A dash reads what is piped in, bytes of any encoding."""
    assert rows(run_try("q3", "-", given="seven".encode("utf-16")))["Found"] == "7"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("- the seven of them, in the script", id="a list mark"),
        pytest.param("-- seven", id="two dashes"),
        pytest.param("-> 7", id="an arrow"),
    ],
)
def test_an_answer_may_begin_with_a_dash(answer: str) -> None:
    """What looks like an option is an answer where one is expected."""
    assert rows(run_try("q3", answer))["Found"] == "7"


@pytest.mark.parametrize("answer", ["", "  \n "], ids=["nothing", "spaces"])
def test_an_empty_answer_is_missing(answer: str) -> None:
    """No words earn no points, and are no error."""
    explained = rows(run_try("q3", answer))
    assert explained["Verdict"] == "missing, 0 of 5 points"
    assert explained["Why"] == "The answer is empty."


def test_the_script_of_a_submission_decides(tmp_path: Path) -> None:
    """--submission marks by that student's own script, as grading would."""
    script = (COMPLETE / "multiple_processes.py").read_text("utf-8")
    (tmp_path / "multiple_processes.py").write_text(
        f"def extra():\n    pass\n\n\n{script}", "utf-8"
    )
    explained = rows(run_try("q3", "8", "--submission", str(tmp_path)))
    assert explained["Verdict"] == "correct, 5 of 5 points"
    assert explained["Expected"] == "8 (from multiple_processes.py)"


def test_the_readme_of_that_submission_is_no_answer(tmp_path: Path) -> None:
    """Only the given words are marked, not what the student wrote."""
    shutil.copytree(COMPLETE, tmp_path / "fork")
    explained = rows(run_try("q3", "5", "--submission", str(tmp_path / "fork")))
    assert (explained["Found"], explained["Verdict"]) == ("5", "incorrect, 0 of 5 points")


def test_another_rubric_can_be_tried(tmp_path: Path) -> None:
    """--rubric marks by a rubric that is being written."""
    text = (ROOT / "rubric.yaml").read_text("utf-8").replace("starter: assignment\n", "")
    file = tmp_path / "rubric.yaml"
    file.write_text(text.replace("title: Number of functions", "title: How many defs"), "utf-8")
    done = run_try("q3", "7", "--rubric", str(file))
    assert done.stdout.startswith("q3: How many defs\n")
    assert "(from edition " in rows(done)["Expected"]


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("q33", "7"), "did you mean 'q3'?", id="a slip"),
        pytest.param(("Q3", "7"), "did you mean 'q3'?", id="in capitals"),
        pytest.param(("pets", "7"), "there are: q1, q2, q3", id="no question"),
        pytest.param(("out0", "7"), "is no question that is answered in words", id="no answer"),
        pytest.param(("q3",), "in quotes", id="no answer given"),
        pytest.param(("q3", "7", "--file", "rubric.yaml"), "one answer", id="two answers"),
        pytest.param(("q3", "there", "are"), "quotes", id="no quotes"),
        pytest.param(("q3", "7", "--rubrik", "x"), "'--rubrik'", id="unknown option"),
        pytest.param(("q3", "--file", "no-such.txt"), "no file no-such.txt", id="no such file"),
        pytest.param(("q3", "--file", "tests"), "is a folder", id="a folder"),
        pytest.param(("q3", "7", "--submission", "no-such"), "no-such", id="no such submission"),
        pytest.param(("q3", "7", "--rubric", "no-such.yaml"), "no-such.yaml", id="no such rubric"),
        pytest.param(("q3", "7" * 20_000), "larger than 16 KB", id="a huge answer"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_2(arguments: tuple[str, ...], said: str) -> None:
    """What cannot be marked is named on stderr, and stdout stays empty."""
    done = run_try(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_huge_answer_is_refused(tmp_path: Path, way: str) -> None:
    """Nobody waits for an answer of a million words."""
    file = tmp_path / "answer.txt"
    file.write_bytes(b"seven " * 100_000)
    done = (
        run_try("q3", "--file", str(file))
        if way == "file"
        else run_try("q3", "-", given=file.read_bytes())
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "is larger than 16 KB" in done.stderr


def test_an_answer_cannot_steer_the_terminal() -> None:
    """Escape sequences in an answer or a question's name are not passed on."""
    assert "\x1b" not in run_try("q1", "os, \x1b]0;title\x07sys").stdout
    assert "\x1b" not in run_try("q\x1b[31m", "7").stderr
