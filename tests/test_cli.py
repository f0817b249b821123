"""The command line: help, choices, exit statuses, what goes to which stream."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import run_grader

ROOT = Path(__file__).resolve().parent.parent
COMPLETE = str(ROOT / "tests" / "submissions" / "complete")
COMMANDS = (
    (),
    ("grade",),
    ("ci",),
    ("class",),
    ("run",),
    ("comment",),
    ("rubric",),
    ("rubric", "check"),
    ("rubric", "show"),
    ("rubric", "schema"),
    ("doctor",),
)


def run_process(
    *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=60,
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "grader")
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    """--help says in a sentence what the command does and fits 80 columns."""
    done = run_grader(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert re.search(r"^  [A-Z].+[.:]", done.stdout, re.MULTILINE)


def test_the_help_imports_nothing_heavy() -> None:
    """Whoever asks for help does not wait for libraries that help does not need."""
    code = (
        "import sys, grader.cli\n"
        "heavy = {'rich', 'pydantic', 'git', 'markdown_it', 'rapidfuzz', 'jinja2', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_criterion_runs_no_script() -> None:
    """--only q3 judges q3 alone and starts nothing."""
    done = run_grader("grade", COMPLETE, "--only", "q3", "--format", "json")
    report = json.loads(done.stdout)
    assert [row["id"] for row in report["criteria"]] == ["q3"]
    assert report["runs"] == []
    assert (report["score"], report["max_score"], done.returncode) == (5.0, 5.0, 0)


def test_only_keeps_the_rubrics_order() -> None:
    """However the criteria are named, the report has them as the rubric has them."""
    options = ("--only", "q8", "--only", "q1", "--only", "out0")
    done = run_grader("grade", COMPLETE, *options, "--format", "json")
    assert [row["id"] for row in json.loads(done.stdout)["criteria"]] == ["out0", "q1", "q8"]


def test_reveal_shows_what_was_expected_and_where_it_is_from() -> None:
    """An instructor sees the expected answer and its source."""
    done = run_grader("grade", COMPLETE, "--only", "q3", "--reveal", "--format", "json")
    (result,) = json.loads(done.stdout)["criteria"]
    assert result["feedback"]["expected"] == "7 (from multiple_processes.py)"


def test_reports_are_saved_beside_the_one_shown(tmp_path: Path) -> None:
    """--save writes further formats; the folder holds nothing half-written."""
    options = ("--save", f"json:{tmp_path / 'r.json'}", "--save", f"markdown:{tmp_path / 'r.md'}")
    done = run_grader("grade", COMPLETE, "--only", "q1", *options)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json", "r.md"]
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["score"] == 5.0
    assert "Libraries imported" in (tmp_path / "r.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("grade", "no-such-folder"), "no-such-folder", id="no such folder"),
        pytest.param(("grade", COMPLETE, "--only", "q99"), "q99", id="no such criterion"),
        pytest.param(("grade", COMPLETE, "--save", "report.json"), "FORMAT:FILE", id="bad save"),
        pytest.param(("grade", COMPLETE, "--save", "pdf:x"), "json", id="unknown save format"),
        pytest.param(("grade", COMPLETE, "--format", "pdf"), "markdown", id="unknown format"),
        pytest.param(("grade", COMPLETE, "--rubric", "none.yaml"), "none.yaml", id="no rubric"),
        pytest.param(("grade", "ext::sh -c true"), "ext::", id="dangerous URL"),
        pytest.param(("nonsense",), "nonsense", id="no such command"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_2(arguments: tuple[str, ...], said: str) -> None:
    """What cannot be used is named on stderr; stdout stays empty for programs."""
    done = run_grader(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unwritable_target_is_wrong_usage(tmp_path: Path) -> None:
    """A report that cannot be written is said so, not lost in silence."""
    target = tmp_path / "no" / "such" / "folder" / "r.json"
    done = run_grader("grade", COMPLETE, "--only", "q1", "--save", f"json:{target}")
    assert done.returncode == 2
    assert "Cannot write" in done.stderr


def test_the_rubric_never_comes_from_the_submission(tmp_path: Path) -> None:
    """A rubric.yaml that a student leaves in the fork has no say."""
    (tmp_path / "rubric.yaml").write_text("criteria: {}", "utf-8")
    done = run_grader("grade", ".", "--only", "q1", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["criteria"][0]["verdict"] == "missing"


def test_piped_output_has_no_colour() -> None:
    """A report that is piped or saved holds no escape sequence."""
    done = run_process("grade", COMPLETE, "--only", "q1", FORCE_COLOR="1")
    assert "\x1b" not in done.stdout
    assert "Libraries imported" in done.stdout


def test_doctor_says_that_this_machine_is_ready() -> None:
    """Where these tests run, the grader can work; each finding is a line."""
    done = run_process("doctor")
    assert done.returncode == 0
    for what in ("Python", "SQLite", "git", "Rubric", "Temporary folder"):
        assert f"{what}: " in done.stdout


def test_doctor_names_a_missing_git_and_how_to_get_it(tmp_path: Path) -> None:
    """Without git folders can still be graded, so it is a note and not a failure."""
    done = run_process("doctor", PATH=str(tmp_path))
    assert done.returncode == 0
    assert "git: not found" in done.stdout
    assert "git-scm.com" in done.stdout


def test_rubric_show_lists_every_criterion_and_the_total() -> None:
    """An instructor reads what is looked at and what it is worth."""
    done = run_grader("rubric", "show")
    assert done.returncode == 0
    assert "100 points" in done.stdout
    for name in ("run0", "run3", "out0", "out3", *(f"q{n}" for n in range(1, 9))):
        assert re.search(rf"^ *{name}\b", done.stdout, re.MULTILINE)
