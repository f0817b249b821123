"""Overrides: the marks that a person changes, from the file to the report."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import pytest

from grader.assignment import load_assignment
from grader.errors import RubricError
from grader.override_file import parse_overrides
from grader.overrides import Override, names_of
from tests.support.command import run_grader

ROOT = Path(__file__).resolve().parent.parent
COMPLETE = ROOT / "tests" / "submissions" / "complete"
SCHEMA = json.loads((ROOT / "grader" / "schemas" / "report.schema.json").read_text("utf-8"))
RUBRIC = load_assignment(ROOT / "rubric.yaml").rubric
COMMIT = "0123456789abcdef0123456789abcdef01234567"

README = """# Answers

How many functions are defined?

{answer}
"""
ENTRY = {
    "submission": "ada",
    "criterion": "q3",
    "verdict": "correct",
    "comment": "Counted the main block too",
    "by": "M. Curie",
}


def entry(**changes: str | None) -> str:
    """One entry of the file; a value of None leaves its key out."""
    values = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    lines = [f"{key}: {value}" for key, value in values.items()]
    return "- " + "\n  ".join(lines) + "\n"


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """A submission that answers q3 with 8, which is wrong."""
    folder = tmp_path / "forks" / "ada"
    folder.mkdir(parents=True)
    shutil.copy(COMPLETE / "multiple_processes.py", folder)
    (folder / "README.md").write_text(README.format(answer="There are 8 functions."), "utf-8")
    return folder


def run_grade(
    folder: Path, overrides: str, *options: str, only: str = "q3", cwd: Path = ROOT
) -> CompletedProcess[str]:
    file = folder.parent / "overrides.yaml"
    file.write_text(overrides, "utf-8")
    arguments = ("--only", only, "--overrides", str(file), *options)
    return run_grader("grade", str(folder), *arguments, cwd=cwd)


def graded(folder: Path, overrides: str, *options: str) -> tuple[int, dict[str, Any]]:
    done = run_grade(folder, overrides, "--format", "json", *options)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    return done.returncode, report


def faults(text: str) -> list[str]:
    with pytest.raises(RubricError) as caught:
        parse_overrides(text, "o.yaml", RUBRIC)
    return list(caught.value.faults)


# ---------------------------------------------------------------- changed marks


def test_a_changed_mark_counts_and_the_old_one_stays_visible(ada: Path) -> None:
    """Score, total and exit status follow the person; the report says who changed what, and why."""
    status, report = graded(ada, entry())
    (result,) = report["criteria"]
    assert (result["verdict"], result["score"], report["score"], status) == ("correct", 5, 5, 0)
    assert (result["needs_review"], result["confidence"]) == (False, 1)
    assert result["feedback"]["what"] == (
        "Changed by M. Curie from incorrect (0 of 5) to correct (5 of 5): "
        "Counted the main block too. Your answer comes down to 8."
    )
    assert result["feedback"]["hint"] is None
    assert [note for note in report["notes"] if note["kind"].startswith("override")] == [
        {
            "kind": "override",
            "text": "q3: Changed by M. Curie from incorrect (0 of 5) to correct (5 of 5): "
            "Counted the main block too.",
        }
    ]


def test_without_the_file_the_mark_is_the_graders(ada: Path) -> None:
    """The submission that these tests change the mark of loses its points by itself."""
    status, report = graded(ada, "# nobody yet\n")
    assert (report["criteria"][0]["verdict"], report["score"], status) == ("incorrect", 0, 1)
    assert not [note for note in report["notes"] if note["kind"].startswith("override")]


@pytest.mark.parametrize(
    ("mark", "verdict", "score"),
    [
        pytest.param({"verdict": "partial"}, "partial", 2.5, id="a verdict earns its share"),
        pytest.param({"verdict": "Correct"}, "correct", 5, id="a verdict in capitals"),
        pytest.param({"verdict": "missing"}, "missing", 0, id="missing earns nothing"),
        pytest.param({"score": "5"}, "correct", 5, id="all points are correct"),
        pytest.param({"score": "0"}, "incorrect", 0, id="no points are incorrect"),
        pytest.param({"score": "4.25"}, "partial", 4.25, id="points between are partial"),
    ],
)
def test_a_mark_is_a_verdict_or_points(mark: dict[str, str], verdict: str, score: float) -> None:
    """Either of the two says what the other one is."""
    (override,) = parse_overrides(entry(**{"verdict": None, **mark}), "o.yaml", RUBRIC)
    assert (override.verdict.value, override.score) == (verdict, score)


def test_a_mark_that_is_lowered_brings_its_hint(ada: Path) -> None:
    """Whoever loses points by a person's mark is told where to look, too."""
    (ada / "README.md").write_text(README.format(answer="7"), "utf-8")
    status, report = graded(ada, entry(verdict=None, score="1"))
    (result,) = report["criteria"]
    assert (result["score"], status) == (1, 1)
    assert "from correct (5 of 5) to partial (1 of 5)" in result["feedback"]["what"]
    assert result["feedback"]["hint"] == RUBRIC.criteria["q3"].hint


def test_the_terminal_tells_of_the_change(ada: Path) -> None:
    """A reader of the terminal report sees that the mark is not the grader's."""
    done = run_grade(ada, entry())
    assert "Changed by M. Curie from incorrect" in " ".join(done.stdout.split())
    assert done.stderr == ""


def test_the_same_overrides_give_the_same_bytes(ada: Path) -> None:
    """Grading again changes nothing."""
    first, second = (run_grade(ada, entry(), "--format", "json").stdout for _ in range(2))
    assert first == second


def test_a_second_change_shows_the_first(ada: Path) -> None:
    """Where two entries name the submission differently, the later counts and both are told."""
    later = entry(submission="forks/ada", verdict="partial", by="L. Meitner", comment="Half.")
    _, report = graded(ada, entry() + later)
    (result,) = report["criteria"]
    assert result["score"] == 2.5
    assert result["feedback"]["what"].startswith(
        "Changed by L. Meitner from correct (5 of 5) to partial (2.5 of 5): Half. "
        "Changed by M. Curie from incorrect (0 of 5) to correct (5 of 5): "
    )


def test_only_what_was_graded_is_changed(ada: Path) -> None:
    """An entry for a criterion that --only leaves out waits for its turn, in silence."""
    done = run_grade(ada, entry(criterion="q7"), "--format", "json")
    report = json.loads(done.stdout)
    assert (done.stderr, report["score"], report["max_score"]) == ("", 0, 5)


# ---------------------------------------------------------------- the text that was looked at


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("There are 8 functions.", id="as it is"),
        pytest.param('"  there are **8**\\n  functions"', id="in another form"),
    ],
)
def test_the_text_that_was_looked_at_is_recognised(ada: Path, text: str) -> None:
    """Spaces, case and Markdown are no change of the text."""
    done = run_grade(ada, entry(text=text), "--format", "json")
    assert (json.loads(done.stdout)["needs_review"], done.stderr) == (False, "")


def test_the_text_of_a_long_answer_may_be_all_of_it(ada: Path) -> None:
    """A report quotes a few lines; a person may have looked at all of them."""
    lines = [f"- function {name}" for name in "abcdefg"]
    (ada / "README.md").write_text(README.format(answer="\n".join(lines)), "utf-8")
    block = "|\n" + "".join(f"    {line}\n" for line in lines)
    assert graded(ada, entry(text=block))[1]["needs_review"] is False
    assert graded(ada, entry(text=block.replace("function g", "function h")))[1]["needs_review"]


def test_a_changed_text_asks_for_another_look(ada: Path) -> None:
    """The mark still applies, but the report and stderr say that it was for another text."""
    (ada / "README.md").write_text(README.format(answer="There are 9 functions."), "utf-8")
    done = run_grade(ada, entry(text="There are 8 functions."), "--format", "json")
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    (result,) = report["criteria"]
    assert (result["verdict"], result["needs_review"]) == ("correct", True)
    assert result["confidence"] < 1
    assert "The text has changed since" in result["feedback"]["what"]
    warning = "q3: the student's text has changed since M. Curie looked at it."
    assert {"kind": "override-outdated", "text": warning} in report["notes"]
    assert done.stderr == f"grader: warning: {warning}\n"


def test_a_text_that_is_gone_has_changed(ada: Path) -> None:
    """A student who deletes the answer does not keep the mark unseen."""
    (ada / "README.md").write_text("# Answers\n", "utf-8")
    assert graded(ada, entry(text="There are 8 functions."))[1]["needs_review"] is True


# ---------------------------------------------------------------- whose it is


def override_for(submission: str) -> Override:
    (override,) = parse_overrides(entry(submission=submission), "o.yaml", RUBRIC)
    return override


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("ada", id="folder name"),
        pytest.param("ADA/", id="in capitals"),
        pytest.param("./forks/ada", id="relative path"),
        pytest.param("../forks/ada", id="path from elsewhere"),
        pytest.param(r"forks\ada", id="backslashes"),
        pytest.param("/home/class/forks/ada", id="absolute path"),
        pytest.param("Ada Lovelace", id="student"),
        pytest.param("0123456", id="seven digits of the commit"),
        pytest.param(COMMIT.upper(), id="all of the commit"),
    ],
)
def test_a_folder_is_found_by(said: str) -> None:
    """The end of its path, its student or its commit names a submission."""
    names = names_of("/home/class/forks/ada", url=False, student="Ada Lovelace")
    assert override_for(said).concerns(names, COMMIT)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("bob", id="another folder"),
        pytest.param("da", id="part of a name"),
        pytest.param("class/ada", id="a folder left out"),
        pytest.param("012345", id="too short for a commit"),
        pytest.param("1234567", id="inside of the commit"),
        pytest.param("Lovelace", id="part of the student's name"),
    ],
)
def test_a_folder_is_not_found_by(said: str) -> None:
    """A mark is never changed for a submission that is only alike."""
    names = names_of("/home/class/forks/ada", url=False, student="Ada Lovelace")
    assert not override_for(said).concerns(names, COMMIT)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param("https://example.org/ada/project", True, id="URL"),
        pytest.param("https://example.org/ada/project.git", True, id="with .git"),
        pytest.param("https://example.org/ada/project@topic/x", True, id="with the branch"),
        pytest.param("https://example.org/ada/project@main", False, id="another branch"),
        pytest.param("ada/project", True, id="owner and name"),
        pytest.param("project", False, id="the name that a whole class shares"),
    ],
)
def test_a_url_is_found_by(said: str, found: bool) -> None:
    """A URL is named by itself or by its end, with the owner at least."""
    names = names_of("https://example.org/ada/project@topic/x", url=True)
    assert override_for(said).concerns(names, None) is found


def test_a_submission_without_a_commit_is_not_found_by_one() -> None:
    """Digits match nothing where there is no commit."""
    assert not override_for("0123456").concerns(names_of("/x/ada", url=False), None)


def test_the_folder_one_stands_in_has_its_name(ada: Path) -> None:
    """`grader grade .` is for the folder's name, not for a dot."""
    (ada.parent / "o.yaml").write_text(entry(), "utf-8")
    arguments = ("--only", "q3", "--overrides", "../o.yaml")
    done = run_grader("grade", ".", *arguments, cwd=ada)
    assert done.returncode == 0


def test_the_rest_of_the_class_is_passed_over_in_silence(ada: Path) -> None:
    """One file holds the entries of a whole class."""
    done = run_grade(ada, entry(submission="bob") + entry(submission="eve"), "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    assert "override" not in done.stdout.replace("overrides", "")


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(
            entry(criterion="q33"),
            "o.yaml:2: criterion: no criterion 'q33'; did you mean 'q3'?",
            id="unknown criterion",
        ),
        pytest.param(
            entry(coment="x"),
            "o.yaml:6: coment: is not known here; did you mean 'comment'?",
            id="unknown key",
        ),
        pytest.param(
            entry(verdict="right"),
            "o.yaml:3: verdict: must be one of correct, partial, incorrect, missing, got 'right'",
            id="unknown verdict",
        ),
        pytest.param(
            entry(score="5"),
            "o.yaml:1: entry 1: give one of `verdict` and `score`, not both",
            id="both",
        ),
        pytest.param(
            entry(verdict=None),
            "o.yaml:1: entry 1: give one of `verdict` and `score`, not both",
            id="neither",
        ),
        *(
            pytest.param(
                entry(verdict=None, score=score),
                f"o.yaml:5: score: must be a number from 0 to 5, got {score!r}",
                id=f"score {score}",
            )
            for score in ("5.01", "-1", "nan", "inf", "five", "true")
        ),
        pytest.param(entry(by=None), "o.yaml:1: entry 1: by is missing", id="nobody"),
        pytest.param(entry(comment=""), "o.yaml:4: comment: must not be empty", id="no reason"),
        pytest.param(
            entry(comment="x" * 401),
            "o.yaml:4: comment: must be at most 400 characters, got 401",
            id="long comment",
        ),
        pytest.param(entry(by="[a, b]"), "o.yaml:5: by: must be text", id="a list for text"),
        pytest.param(
            entry(submission="."),
            "o.yaml:1: submission: must be the submission's folder, URL, student or commit",
            id="a dot",
        ),
        pytest.param(
            entry() + entry(submission="./ada/", score="1", verdict=None),
            "o.yaml:6: entry 2: q3 of ./ada/ was changed on line 1 already",
            id="twice",
        ),
        pytest.param(
            entry() + "  by: L. Meitner\n",
            "o.yaml:6: by: stands here a second time",
            id="a key twice",
        ),
        pytest.param(
            "- ada\n", "o.yaml:1: entry 1: must be a block of `key: value` lines", id="no block"
        ),
        pytest.param(
            "submission: ada\n",
            "o.yaml:1: must be a list; each entry begins with `- submission:`",
            id="no list",
        ),
        pytest.param(
            "- &a [x]\n- *a\n",
            "o.yaml:2: aliases (`*name`) cannot be used in overrides",
            id="alias",
        ),
        pytest.param("- a: [\n", "o.yaml:2: not YAML:", id="not YAML"),
        pytest.param("- a: \x00\n", "o.yaml:1: not YAML:", id="control character"),
        pytest.param("[" * 100_000, "o.yaml:1: not YAML: nested too deeply", id="deep brackets"),
        pytest.param("- " * 9_000, "o.yaml:1: not YAML: nested too deeply", id="deep lists"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, fault: str) -> None:
    """What is wrong, where, and what was probably meant."""
    (found,) = faults(text)
    assert found.startswith(fault)


def test_all_faults_are_told_at_once() -> None:
    """Nobody corrects a file one run at a time."""
    text = entry(criterion="q33", by=None) + entry(verdict="right", when="now") + "- 7\n"
    assert [fault.split(":")[1] for fault in faults(text)] == ["1", "2", "7", "10", "11"]


def test_nested_brackets_take_no_time() -> None:
    """A file that is nothing but brackets is refused at once, not after minutes."""
    began = time.perf_counter()
    faults("[" * 900_000)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("text", ["", "# later\n", "[]\n"])
def test_a_file_without_entries_changes_nothing(text: str) -> None:
    """An empty file is a good start."""
    assert parse_overrides(text, "o.yaml", RUBRIC) == ()


def test_a_commit_of_digits_is_no_number() -> None:
    """YAML would read 0123456 as octal and 1234567 as a number; a commit keeps its digits."""
    assert override_for("0123456").submission == "0123456"


def test_a_faulty_file_is_exit_2_before_anything_is_graded(ada: Path) -> None:
    """The faults go to stderr, each with the file's name, and stdout stays empty."""
    done = run_grade(ada, entry(criterion="q33", verdict="right"), only="run3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("overrides.yaml:") == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "There is no file", id="missing"),
        pytest.param(b"#" * (2 * 1024 * 1024 + 1), "is larger than", id="huge"),
        pytest.param(b"# " + b"x" * 1_000_000, "is larger than", id="large"),
    ],
)
def test_an_unusable_file_is_exit_2(ada: Path, content: bytes | None, said: str) -> None:
    """A file that is not there, or that nobody wrote by hand, is said to be so."""
    file = ada.parent / "marks.yaml"
    if content is not None:
        file.write_bytes(content)
    # The option given last counts.
    done = run_grade(ada, "", "--overrides", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_file_may_be_in_any_encoding(ada: Path) -> None:
    """Names keep their accents whatever the editor saved."""
    file = ada.parent / "marks.yaml"
    file.write_bytes(entry(by="Émilie").encode("utf-16"))
    done = run_grade(ada, "", "--overrides", str(file), "--format", "json")
    assert "Changed by Émilie from" in done.stdout


def test_a_comment_cannot_steer_the_terminal(ada: Path) -> None:
    """Escape sequences in a comment are shown as characters, not obeyed."""
    done = run_grade(ada, entry(comment='"red \\e]0;title\\a"'))
    assert "\x1b" not in done.stdout
    assert "Changed by M. Curie" in done.stdout
