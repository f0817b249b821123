"""Whole submissions through the real command: files in, report out."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions"
SCHEMA = json.loads((ROOT / "grader" / "schemas" / "report.schema.json").read_text("utf-8"))
QUESTIONS = [f"q{number}" for number in range(1, 9)]

# The samples are graded once, all at the same time: they mostly sleep.
pytestmark = pytest.mark.xdist_group("samples")

Report = dict[str, Any]


def run_grader(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=120,
        cwd=ROOT,
        check=False,
    )


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Report]]:
    folder = tmp_path_factory.mktemp("forks")
    untouched = folder / "untouched"
    shutil.copytree(ROOT / "assignment", untouched)
    places = {path.name: path for path in sorted(SAMPLES.iterdir())}
    places |= {"untouched": untouched, "complete again": SAMPLES / "complete"}

    def one(place: Path) -> tuple[int, Report]:
        done = run_grader("grade", str(place), "--format", "json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    with ThreadPoolExecutor(len(places)) as pool:
        return dict(zip(places, pool.map(one, places.values()), strict=True))


def verdicts(report: Report) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in report["criteria"]}


def lost(report: Report) -> dict[str, str]:
    return {name: verdict for name, verdict in verdicts(report).items() if verdict != "correct"}


def row(report: Report, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in report["criteria"] if r["id"] == name)
    return found


def test_every_report_follows_the_published_schema(
    graded: dict[str, tuple[int, Report]],
) -> None:
    """What is written is what the schema promises to other programs."""
    for _, report in graded.values():
        jsonschema.validate(report, SCHEMA)


def test_complete_earns_every_point(graded: dict[str, tuple[int, Report]]) -> None:
    """A complete submission earns 100 of 100, needs no review, and exits 0."""
    status, report = graded["complete"]
    assert lost(report) == {}
    assert (status, report["score"], report["max_score"]) == (0, 100.0, 100.0)
    assert not report["needs_review"]
    quick, slow = report["runs"]
    assert (quick["rows"], quick["lock_errors"]) == (6, 0)
    assert (slow["rows"], slow["lock_errors"]) == (4, 2)


def test_two_reports_of_the_same_input_differ_only_under_runs(
    graded: dict[str, tuple[int, Report]],
) -> None:
    """Nothing but the runs' own measurements changes from one grading to the next."""
    first, second = dict(graded["complete"][1]), dict(graded["complete again"][1])
    assert first.pop("runs") != []
    assert second.pop("runs") != []
    assert json.dumps(first) == json.dumps(second)


def test_untouched_earns_the_runs_alone(graded: dict[str, tuple[int, Report]]) -> None:
    """Who has changed nothing yet gets the run points, and all the rest is missing."""
    status, report = graded["untouched"]
    assert status == 1
    assert lost(report) == dict.fromkeys(["out0", "out3", *QUESTIONS], "missing")
    assert [note["kind"] for note in report["notes"]].count("unchanged-template") == 1


def test_swapped_outputs_are_recognised(graded: dict[str, tuple[int, Report]]) -> None:
    """Both transcripts lose their points, and the feedback says that they look swapped."""
    status, report = graded["swapped-outputs"]
    assert status == 1
    assert lost(report) == {"out0": "incorrect", "out3": "incorrect"}
    for name in ("out0", "out3"):
        assert "swapped" in row(report, name)["feedback"]["what"]


def test_a_syntax_error_costs_only_the_runs(graded: dict[str, tuple[int, Report]]) -> None:
    """The runs are lost, with the line and text that Python cannot read; answers still count."""
    _, report = graded["syntax-error"]
    assert lost(report) == {"run0": "incorrect", "run3": "incorrect"}
    (quote,) = row(report, "run0")["evidence"]
    source = (SAMPLES / "syntax-error" / "multiple_processes.py").read_text("utf-8").split("\n")
    assert quote["quote"] == source[quote["line"] - 1].strip()
    assert report["runs"] == []


def test_no_files_is_all_missing(graded: dict[str, tuple[int, Report]]) -> None:
    """A folder without the assignment's files earns nothing and is told what is not there."""
    status, report = graded["no-files"]
    assert status == 1
    assert set(verdicts(report).values()) == {"missing"}
    assert report["submission"]["files"] == {"script": None, "readme": None}


def test_an_older_edition_is_marked_by_what_it_was(
    graded: dict[str, tuple[int, Report]],
) -> None:
    """Seven libraries and a lower-case constant are right where the student was given them."""
    _, report = graded["older-edition"]
    assert lost(report) == {}
    assert "edition" in [note["kind"] for note in report["notes"]]


def test_a_serialised_script_is_left_to_a_person(graded: dict[str, tuple[int, Report]]) -> None:
    """No lock error and six rows: the point is lost, and flagged, as it may be on purpose."""
    _, report = graded["serialised"]
    assert lost(report) == {"run3": "incorrect", "out3": "incorrect"}
    assert row(report, "run3")["needs_review"]
    assert not row(report, "run0")["needs_review"]


def test_lock_errors_in_a_log_file_count(graded: dict[str, tuple[int, Report]]) -> None:
    """A script that logs to a file instead of the terminal shows its lock errors there."""
    _, report = graded["logs-to-file"]
    assert lost(report) == {}
    assert next(run for run in report["runs"] if run["id"] == "run3")["lock_errors"] == 2


def test_students_never_see_expected_answers(graded: dict[str, tuple[int, Report]]) -> None:
    """Without --reveal no report holds an expected answer, and every lost point has a hint."""
    for _, report in graded.values():
        for result in report["criteria"]:
            assert result["feedback"]["expected"] is None
            assert (result["feedback"]["hint"] is None) == (result["verdict"] == "correct")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_the_runs_at_once(tmp_path: Path) -> None:
    """Interrupted in the middle of a run, the grader ends with 130 and leaves no process."""
    started = tmp_path / "started"
    script = (SAMPLES / "complete" / "multiple_processes.py").read_text("utf-8")
    marked = f"import os\nopen({str(started)!r}, 'a').write(f'{{os.getpid()}} ')\n{script}"
    (tmp_path / "multiple_processes.py").write_text(marked, "utf-8")
    grader = subprocess.Popen(
        [sys.executable, "-m", "grader", "grade", str(tmp_path), "--only=run3", "--sandbox=off"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    begun = time.monotonic()
    grader.send_signal(signal.SIGINT)
    output, errors = grader.communicate(timeout=30)
    assert (grader.returncode, output, errors.strip()) == (130, "", "grader: interrupted")
    assert time.monotonic() - begun < 8
    assert [pid for pid in started.read_text().split() if psutil.pid_exists(int(pid))] == []
