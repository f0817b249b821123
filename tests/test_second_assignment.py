"""Another assignment, graded by its rubric alone: another script, other words, other points."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.assignment import default_rubric, load_assignment

ROOT = Path(__file__).resolve().parent.parent
LOANS = ROOT / "tests" / "second_assignment"
RUBRIC = LOANS / "rubric.yaml"
SCHEMA = json.loads((ROOT / "grader" / "schemas" / "report.schema.json").read_text("utf-8"))
RUBRIC_SCHEMA = ROOT / "grader" / "schemas" / "rubric.schema.json"
PLACES = {
    "starter": LOANS / "starter",
    "complete": LOANS / "submissions" / "complete",
    "half": LOANS / "submissions" / "half",
}

# The samples are graded once, all at the same time: they mostly sleep.
pytestmark = pytest.mark.xdist_group("second assignment")

Report = dict[str, Any]


def run_grader(*arguments: str, rubric: Path = RUBRIC) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments, "--rubric", str(rubric)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=120,
        cwd=ROOT,
        check=False,
    )


@pytest.fixture(scope="session")
def graded() -> dict[str, tuple[int, Report]]:
    def one(place: Path) -> tuple[int, Report]:
        done = run_grader("grade", str(place), "--format", "json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    with ThreadPoolExecutor(len(PLACES)) as pool:
        return dict(zip(PLACES, pool.map(one, PLACES.values()), strict=True))


def verdicts(report: Report) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in report["criteria"]}


def test_the_rubric_passes_its_own_check() -> None:
    """`rubric check` finds no fault and marks every example as the rubric wants it."""
    done = run_grader("rubric", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "12 criteria, 60 points; 31 of 31 examples as expected.\n"


def test_every_question_has_examples_of_right_and_wrong_answers() -> None:
    """Three examples or more, at least one that earns the points and one that does not."""
    for name, question in load_assignment(RUBRIC).rubric.questions.items():
        wanted = {example.verdict.value for example in question.examples}
        assert len(question.examples) >= 3, name
        assert {"correct", "incorrect"} <= wanted, name


def test_all_types_of_questions_are_used() -> None:
    """The recipe shows each type, and both ways to say what is right: script and rubric."""
    types = json.loads(RUBRIC_SCHEMA.read_text("utf-8"))["properties"]["criteria"]
    known = set(types["additionalProperties"]["discriminator"]["mapping"])
    rubric = load_assignment(RUBRIC).rubric
    assert {criterion.type for criterion in rubric.criteria.values()} == known
    sources = {getattr(question, "of", None) for question in rubric.questions.values()}
    assert {None, "imports", "processes", "records", "constant", "main"} <= sources


def test_reports_follow_the_published_schema(graded: dict[str, tuple[int, Report]]) -> None:
    """A report on another assignment has the same shape and says which one it is about."""
    for _, report in graded.values():
        jsonschema.validate(report, SCHEMA)
        assert report["assignment"] == "library-loans"
        assert report["max_score"] == 60


def test_complete_earns_every_point(graded: dict[str, tuple[int, Report]]) -> None:
    """Everything done is everything earned, and nobody has to look at it again."""
    status, report = graded["complete"]
    assert set(verdicts(report).values()) == {"correct"}
    assert (status, report["score"], report["needs_review"]) == (0, 60, False)
    quick, slow = report["runs"]
    assert (quick["rows"], quick["lock_errors"]) == (12, 0)
    assert slow["lock_errors"] > 0
    assert slow["rows"] < 12


def test_half_earns_what_its_answers_deserve(graded: dict[str, tuple[int, Report]]) -> None:
    """Each verdict is its own: the shares of partial answers are the rubric's."""
    status, report = graded["half"]
    assert {row["id"]: (row["verdict"], row["score"]) for row in report["criteria"]} == {
        "run-quick": ("correct", 4),
        "run-slow": ("correct", 6),
        "quick": ("incorrect", 0),
        "slow": ("missing", 0),
        "modules": ("partial", 1.5),
        "columns": ("partial", 1),
        "desks": ("correct", 3),
        "lent": ("incorrect", 0),
        "days": ("correct", 3),
        "pause": ("partial", 2),
        "start": ("missing", 0),
        "duties": ("partial", 4),
    }
    assert (status, report["score"]) == (1, 24.5)


def test_what_students_receive_earns_the_runs_alone(
    graded: dict[str, tuple[int, Report]],
) -> None:
    """None of the starter's own text is taken for an answer or a transcript."""
    status, report = graded["starter"]
    lost = {name: verdict for name, verdict in verdicts(report).items() if verdict != "correct"}
    assert set(lost.values()) == {"missing"}
    assert set(verdicts(report)) - set(lost) == {"run-quick", "run-slow"}
    assert status == 1
    assert "unchanged-template" in [note["kind"] for note in report["notes"]]


def test_what_the_rubric_knows_needs_no_script(tmp_path: Path) -> None:
    """Without any script, answers given in the rubric are marked and only the others skipped."""
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text(RUBRIC.read_text("utf-8").replace("starter: starter\n", ""), "utf-8")
    fork = tmp_path / "fork"
    fork.mkdir()
    shutil.copy(PLACES["complete"] / "ANSWERS.md", fork)
    chosen = [f"--only={name}" for name in ("modules", "columns", "desks", "days")]
    done = run_grader("grade", str(fork), "--format", "json", *chosen, rubric=rubric)
    assert verdicts(json.loads(done.stdout)) == {
        "modules": "skipped",
        "columns": "correct",
        "desks": "skipped",
        "days": "correct",
    }


@pytest.mark.parametrize("rubric", [default_rubric(), RUBRIC], ids=["shipped", "second"])
def test_the_grader_names_no_assignment(rubric: Path) -> None:
    """No file of the grader holds the script, constants or table of either rubric."""
    spec = load_assignment(rubric).rubric
    script = spec.script
    own = (spec.assignment, Path(script.file).stem, *script.constants, script.table)
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, own))})\b", re.IGNORECASE)
    found = (p for p in (ROOT / "grader").rglob("*") if p.is_file() and p.suffix != ".pyc")
    files = [p for p in found if "shipped" not in p.parts]
    assert len(files) > 40
    assert [p for p in files if named.search(p.read_text("utf-8"))] == []
