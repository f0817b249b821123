"""The settings for VS Code: what they name exists, on Windows too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"the fork": ROOT, "the assignment alone": ROOT / "assignment"}
FILES = ("settings.json", "tasks.json", "extensions.json")

every_folder = pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / ".vscode" / name).read_text("utf-8"))


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs this Python as VS Code does: in the folder that is open, and without a shell."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", FILES)
def test_either_folder_may_be_opened(name: str) -> None:
    """Whether a student opens the fork or only the assignment in it, the settings are the same."""
    fork, assignment = FOLDERS.values()
    assert read(fork, name) == read(assignment, name)


@every_folder
def test_the_testing_pane_lists_the_criteria(folder: Path) -> None:
    """With the settings' arguments pytest finds every criterion, and no other test."""
    settings = read(folder, "settings.json")
    assert settings["python.testing.pytestEnabled"] is True
    arguments = settings["python.testing.pytestArgs"]
    # VS Code leaves out what it takes for a path when it re-runs one test.
    assert all(argument.startswith("--") for argument in arguments)
    options = ("-q", "--collect-only", "-p", "no:cacheprovider", "--rootdir=.")
    done = run_python(folder, "-m", "pytest", *arguments, *options)
    items = [line for line in done.stdout.splitlines() if "::" in line]
    assert (done.returncode, len(items)) == (0, 12)
    assert all("[" in item for item in items)


@every_folder
def test_the_task_grades_the_open_folder(folder: Path) -> None:
    """The task starts the grader by its module, without a shell, on the folder that is open."""
    (task,) = read(folder, "tasks.json")["tasks"]
    assert (task["type"], task["command"]) == ("process", "${command:python.interpreterPath}")
    arguments = [text.replace("${workspaceFolder}", str(folder)) for text in task["args"]]
    done = run_python(folder, *arguments, "--only", "q3", "--format", "json")
    report = json.loads(done.stdout)
    assert [each["id"] for each in report["criteria"]] == ["q3"]
    assert report["submission"]["files"]["script"].endswith("multiple_processes.py")
