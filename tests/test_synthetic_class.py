"""The class that benchmarks grade: varied, broken here and there, and always the same."""

from __future__ import annotations

import ast
import csv
import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
from synthetic_class import (
    EDITS,
    FILES,
    README,
    SCRIPT,
    SCRIPT_FAULTS,
    SIGNED,
    STARTER,
    TRANSCRIPTS,
    make_class,
)

from grader.roster import read_roster

STUDENTS = 30
SEED = 2
"""With it, some students of a small class pasted no run, some swapped theirs, some copied one."""
GIVEN = {name: (STARTER / name).read_text("utf-8") for name in FILES}
LOCKED = "database is locked"

Files = Mapping[PurePosixPath, str]
"""Path -> text."""


def git(repository: Path, *arguments: str) -> bytes:
    """What git says of a repository."""
    command = ("git", "-c", "core.autocrlf=false", "--git-dir", str(repository), *arguments)
    return subprocess.run(command, check=True, capture_output=True).stdout


def commits(folder: Path) -> dict[str, str]:
    """Repository -> its last commit, for those that have one."""
    refs = (folder / "repositories").glob("*/refs/heads/main")
    return {path.parts[-4]: path.read_text("ascii") for path in refs}


def files(repository: Path) -> Files:
    """What a repository holds."""
    with tarfile.open(fileobj=io.BytesIO(git(repository, "archive", "main"))) as archive:
        held = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        return {PurePosixPath(name): file.read().decode() for name, file in held.items() if file}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class."""
    return make_class(tmp_path_factory.mktemp("class"), STUDENTS, SEED).parent


@pytest.fixture(scope="module")
def work(folder: Path) -> list[Files]:
    """What each student handed in, but for those who handed in nothing."""
    return [files(folder / "repositories" / name) for name in commits(folder)]


def texts(work: list[Files], name: str) -> list[str]:
    """A file as each student handed it in."""
    return [text for each in work for path, text in each.items() if path.name == name]


def is_python(script: str) -> bool:
    """Whether Python can read a script."""
    try:
        ast.parse(script)
    except SyntaxError:
        return False
    return True


def test_same_seed_makes_the_same_students_in_any_class(folder: Path, tmp_path: Path) -> None:
    """The seed tells every commit, and but for what is broken a smaller class has the same."""
    make_class(tmp_path / "again", STUDENTS, SEED)
    make_class(tmp_path / "smaller", STUDENTS // 2, SEED)
    make_class(tmp_path / "other", STUDENTS, SEED + 1)
    known = commits(folder).items()
    assert commits(tmp_path / "again").items() == known
    assert len(commits(tmp_path / "smaller").items() & known) > STUDENTS // 5
    assert not commits(tmp_path / "other").items() & known


def test_roster_can_be_read_and_one_repository_is_missing(folder: Path) -> None:
    """Only the line of the missing repository is at fault, and the LMS's columns are filled."""
    roster = read_roster(folder / "roster.csv")
    (fault,) = roster.faults
    assert "there is no folder" in str(fault.reason)
    assert len(roster.students) == STUDENTS - 1
    assert all(student.email and student.columns["canvas_id"] for student in roster.students)


def test_one_repository_is_empty_and_one_branch_is_gone(folder: Path) -> None:
    """One repository holds no commit, and one line names a branch that its repository lacks."""
    with (folder / "roster.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    homes = [folder / line["repository"] for line in lines]
    heads = [git(home, "for-each-ref", "--format=%(refname)") for home in homes if home.exists()]
    assert sorted(heads) == [b"", *[b"refs/heads/main\n"] * (STUDENTS - 2)]
    assert [line["ref"] for line in lines if line["ref"]] == ["my-answers"]


def test_scripts_differ_and_one_is_no_python(work: list[Files]) -> None:
    """Many hand in the script as it was given, many do not, and one has a syntax error."""
    scripts = texts(work, SCRIPT)
    assert 0.2 * len(scripts) < len(set(scripts)) < 0.8 * len(scripts)
    assert sum(not is_python(script) for script in scripts) == 1


@pytest.mark.parametrize("words", [".Event().wait()\n", "recreate_databse()\n", "while True:\n"])
def test_one_script_hangs_one_crashes_and_one_floods(work: list[Files], words: str) -> None:
    """Each of these faults is in one script, which Python can read."""
    (script,) = (script for script in texts(work, SCRIPT) if words in script)
    assert is_python(script)


def test_what_is_edited_is_in_the_starter() -> None:
    """No edit has lost its place in the script that students receive."""
    edits = (EDITS, SIGNED, *SCRIPT_FAULTS.values())
    assert [old for each in edits for old in each if old not in GIVEN[SCRIPT]] == []


def test_answers_differ_but_for_those_who_have_none(work: list[Files]) -> None:
    """No two pages are the same, except for those that were left as they were given."""
    pages = texts(work, README)
    untouched = pages.count(GIVEN[README])
    assert untouched > 0
    assert len(set(pages)) == len(pages) - untouched + 1


def test_transcripts_are_own_or_missing_or_swapped_or_copied(work: list[Files]) -> None:
    """Most show a run of the student's own; in each way in which that goes wrong, a few do not."""
    short, long = (texts(work, name) for name in TRANSCRIPTS)
    missing = long.count(GIVEN["out3.txt"])
    swapped = sum(LOCKED in transcript for transcript in short)
    copied = len(long) - len(set(long)) - missing + 1
    assert min(missing, swapped, copied) > 0
    assert missing + swapped + copied < len(long) / 3
    assert sum(LOCKED in transcript for transcript in long) == len(long) - missing - swapped


def test_students_use_two_layouts(work: list[Files]) -> None:
    """All files are in `assignment/`, or all at the root."""
    places = [{path.parent.as_posix() for path in each} for each in work]
    assert all({path.name for path in each} == GIVEN.keys() for each in work)
    assert {"assignment"} in places
    assert {"."} in places
    assert max(map(len, places)) == 1


def test_students_commit_by_several_names(folder: Path) -> None:
    """The course's commit comes first, then those of one student by up to three names."""
    homes = [folder / "repositories" / name for name in commits(folder)]
    authors = [git(home, "log", "--format=%an", "main").decode().splitlines() for home in homes]
    assert all(each[-1] == "The course" for each in authors)
    assert max(len(set(each)) for each in authors) > 2
