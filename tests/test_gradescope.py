"""The autograder for Gradescope: what the zip holds, and what it writes for each submission."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tests" / "cases" / "schemas" / "gradescope.schema.json"
SCRIPTS = ("setup.sh", "run_autograder")

needs_bash = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="Gradescope runs Ubuntu"
)


def build(path: Path) -> None:
    """Builds the zip as `make gradescope` does, in another place."""
    subprocess.run([sys.executable, ROOT / "tools" / "gradescope.py", path], check=True, timeout=60)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, freshly built."""
    path = tmp_path_factory.mktemp("gradescope") / "dist" / "gradescope.zip"
    build(path)
    return path


@pytest.fixture
def autograder(archive: Path, tmp_path: Path) -> Path:
    """A folder as Gradescope lays it out, with a submission that is graded without a run."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "source")
    shutil.copytree(ROOT / "tests" / "submissions" / "syntax-error", tmp_path / "submission")
    (tmp_path / "submission_metadata.json").write_text("{}", encoding="utf-8")
    return tmp_path


def run_autograder(root: Path, python: str = sys.executable) -> Any:
    """Grades as Gradescope does and returns the results it would read."""
    subprocess.run(
        ["bash", str(root / "source" / "run_autograder")],
        env={**os.environ, "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": python},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    results = json.loads((root / "results" / "results.json").read_text("utf-8"))
    jsonschema.validate(results, json.loads(SCHEMA.read_text("utf-8")))
    return results


def test_the_same_files_give_the_same_zip(archive: Path, tmp_path: Path) -> None:
    """Whoever builds the autograder from the same files gets the same bytes."""
    again = tmp_path / "again.zip"
    build(again)
    assert again.read_bytes() == archive.read_bytes()


def test_the_zip_holds_what_gradescope_needs(archive: Path) -> None:
    """Both scripts may be executed, the grader has its rubric, and nothing left over is there."""
    with zipfile.ZipFile(archive) as opened:
        modes = {entry.filename: entry.external_attr >> 16 for entry in opened.infolist()}
    assert all(modes[name] & 0o111 for name in SCRIPTS)
    assert {"rubric.yaml", "pyproject.toml", "grader/cli.py", "assignment/README.md"} <= set(modes)
    assert [name for name in modes if "__pycache__" in name or name.endswith(".db")] == []


@needs_bash
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_are_sound(name: str) -> None:
    """bash reads them, and shellcheck, where it is installed, finds nothing."""
    path = ROOT / "gradescope" / name
    for command in (["bash", "-n"], ["shellcheck"]):
        if shutil.which(command[0]):
            subprocess.run([*command, path], check=True, timeout=60)


@needs_bash
def test_a_submission_is_graded_by_what_is_in_the_zip(autograder: Path) -> None:
    """The results are those of the zip's own grader and rubric, for the files handed in."""
    rubric = autograder / "source" / "rubric.yaml"
    text = rubric.read_text("utf-8").replace("title: Libraries imported", "title: Imports, all")
    rubric.write_text(text, encoding="utf-8")
    results = run_autograder(autograder)
    tests = {test["name"]: test for test in results["tests"]}
    assert (results["score"], len(tests)) == (90, 12)
    assert sum(test["score"] for test in tests.values()) == 90
    assert tests["q1: Imports, all"]["status"] == "passed"
    assert "Python cannot read" in tests["run0: The script runs with a duration of 0"]["output"]
    assert results["stdout_visibility"] == "hidden"


@needs_bash
@pytest.mark.parametrize("fault", ["no Python", "no submission", "no rubric"])
def test_a_failure_says_that_it_is_one(autograder: Path, fault: str) -> None:
    """When nothing could be graded, the results say that the zero is no mark, also after others."""
    if fault == "no submission":
        shutil.rmtree(autograder / "submission")
    elif fault == "no rubric":
        (autograder / "source" / "rubric.yaml").write_text("criteria: 3", encoding="utf-8")
    else:
        (autograder / "results").mkdir()
        (autograder / "results" / "results.json").write_text('{"score": 100}', encoding="utf-8")
    python = "/nowhere/python" if fault == "no Python" else sys.executable
    results = run_autograder(autograder, python)
    assert results["score"] == 0
    assert "could not be graded" in results["output"]
    assert "not a mark" in results["output"]
    assert results["extra_data"] == {"graded": False}
