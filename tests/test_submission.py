"""Finding and reading a student's files, in every layout and under every name they come in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from grader import submission
from grader.errors import UsageError
from grader.model import FileState, Submission
from grader.rubric import Rubric
from grader.submission import read_submission

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="made with POSIX calls")
any_name = pytest.mark.skipif(sys.platform != "linux", reason="needs a file system of any names")

RUBRIC = Rubric.model_validate(
    {
        "assignment": "two-writers",
        "script": {
            "file": "writers.py",
            "constant": "PAUSE",
            "table": "rows",
            "processes": 2,
            "records_each": 1,
        },
        "output": {
            "starts": ("begin",),
            "inserts": ("{process} adds {name}",),
            "lock_error": "database is locked",
        },
        "configurations": {
            "fast": {"duration": 0, "transcript": "out0.txt", "expect": "every_insert"},
            "slow": {"duration": 3, "transcript": "out3.txt", "expect": "lock_error"},
        },
        "criteria": {
            "run": {
                "type": "run",
                "title": "Runs",
                "points": 1,
                "hint": "Run it.",
                "configuration": "fast",
            }
        },
    }
)
USUAL = ("writers.py", "README.md", "out0.txt", "out3.txt")


def put(folder: Path, *names: str) -> None:
    """Writes files whose text is their own place below `folder`."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")


def read(folder: Path) -> Submission:
    """Reads a submission that is called after its folder."""
    return read_submission(folder, str(folder), RUBRIC)


def found(folder: Path) -> tuple[str, ...]:
    """The names under which script, README and transcripts were found; a dash for none."""
    work = read(folder)
    files = (work.script, work.readme, work.transcripts["fast"], work.transcripts["slow"])
    return tuple("-" if file.state is FileState.MISSING else file.name for file in files)


def kinds(work: Submission) -> list[str]:
    """The kinds of notes but the one on git, as no test folder is in a repository."""
    return [note.kind for note in work.notes if note.kind != "git"]


# ---------------------------------------------------------------- layouts


@pytest.mark.parametrize("prefix", ["", "assignment/", "Assignment/", "my work/"])
def test_layouts(tmp_path: Path, prefix: str) -> None:
    """The files may be at the root, in assignment/, or in one other folder."""
    put(tmp_path, *(prefix + name for name in USUAL))
    put(tmp_path, "empty/other.txt", "a/b/writers.py")
    assert found(tmp_path) == tuple(prefix + name for name in USUAL)
    assert read(tmp_path).script.text == f"# {prefix}writers.py\n"
    assert kinds(read(tmp_path)) == []


def test_script_decides_where_home_is(tmp_path: Path) -> None:
    """The folder with the script is home, even if another holds everything else."""
    put(tmp_path, "README.md", "out0.txt", "out3.txt", "src/writers.py", "src/out0.txt")
    assert found(tmp_path) == ("src/writers.py", "README.md", "src/out0.txt", "out3.txt")


def test_transcripts_decide_before_the_readme(tmp_path: Path) -> None:
    """Among folders with a script, transcripts weigh more than the README."""
    put(tmp_path, "writers.py", "README.md", "b/writers.py", "b/out0.txt", "b/out3.txt")
    put(tmp_path, "a/writers.py", "a/README.md", "a/out3.txt")
    assert found(tmp_path)[0] == "b/writers.py"


def test_readme_decides_last(tmp_path: Path) -> None:
    """Among folders with the same script and transcripts, the README decides."""
    put(tmp_path, "writers.py", "work/writers.py", "work/README.md")
    assert found(tmp_path)[0] == "work/writers.py"


def test_ties(tmp_path: Path) -> None:
    """Where all weigh the same, the root comes first, then assignment/, then the alphabet."""
    put(tmp_path, "b/writers.py", "a/writers.py")
    assert found(tmp_path)[0] == "a/writers.py"
    put(tmp_path, "assignment/writers.py")
    assert found(tmp_path)[0] == "assignment/writers.py"
    put(tmp_path, "writers.py")
    assert found(tmp_path)[0] == "writers.py"


def test_transcript_elsewhere_is_taken_with_a_note(tmp_path: Path) -> None:
    """A transcript that is missing at home is taken from another folder, and a note says so."""
    put(tmp_path, "writers.py", "README.md", "out0.txt", "results/out3.txt")
    work = read(tmp_path)
    assert work.transcripts["slow"].name == "results/out3.txt"
    assert kinds(work) == ["layout"]
    assert "results/out3.txt" in work.notes[0].text


@pytest.mark.parametrize("name", [".git", ".venv", "venv", "node_modules", "__pycache__", ".idea"])
def test_folders_that_hold_no_work(tmp_path: Path, name: str) -> None:
    """Hidden folders and those that tools fill are not looked into."""
    (tmp_path / name).mkdir()
    put(tmp_path, *(f"{name}/{file}" for file in USUAL))
    assert found(tmp_path) == ("-", "-", "-", "-")


@needs_posix
def test_linked_folder_is_not_entered(tmp_path: Path) -> None:
    """A link to another student's folder is not looked into."""
    put(tmp_path / "other", *USUAL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "assignment").symlink_to(tmp_path / "other")
    assert found(tmp_path / "mine") == ("-", "-", "-", "-")


def test_missing_files_have_their_expected_names(tmp_path: Path) -> None:
    """A file that is not there is missing under the name it should have."""
    work = read(tmp_path)
    assert (work.script.name, work.script.state) == ("writers.py", FileState.MISSING)
    assert (work.readme.name, work.readme.state) == ("README.md", FileState.MISSING)
    assert work.transcripts["slow"].name == "out3.txt"
    assert work.transcripts["slow"].state is FileState.MISSING


def test_missing_empty_and_folder_are_told_apart(tmp_path: Path) -> None:
    """No file, a file with nothing in it, and a folder of that name are three states."""
    put(tmp_path, "writers.py")
    (tmp_path / "out0.txt").write_bytes(b"\xff\xfe\r\x00\n\x00")
    (tmp_path / "out3.txt").mkdir()
    work = read(tmp_path)
    assert work.readme.state is FileState.MISSING
    assert work.transcripts["fast"].state is FileState.EMPTY
    assert work.transcripts["slow"].state is FileState.UNREADABLE


def test_full_folder_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder with too many files only so many are looked at, and a note says so."""
    monkeypatch.setattr(submission, "_MAX_ENTRIES", 10)
    put(tmp_path, *(f"{number}.txt" for number in range(10)))
    assert kinds(read(tmp_path)) == []
    put(tmp_path, "11.txt")
    assert kinds(read(tmp_path)) == ["layout"]


def test_full_folder_still_shows_what_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with too many files those that count are found under their exact names."""
    monkeypatch.setattr(submission, "_MAX_ENTRIES", 1)
    put(tmp_path, *USUAL, *(f"{number}.txt" for number in range(50)))
    assert found(tmp_path) == USUAL
    (tmp_path / "writers.py").unlink()
    put(tmp_path, "assignment/writers.py", "assignment/x.txt")
    assert found(tmp_path)[0] == "assignment/writers.py"


def test_many_folders_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many folders only so many are looked into, assignment/ always."""
    monkeypatch.setattr(submission, "_MAX_FOLDERS", 2)
    put(tmp_path, "a/x", "b/x", "c/writers.py")
    assert found(tmp_path)[0] == "-"
    put(tmp_path, "assignment/writers.py")
    assert found(tmp_path)[0] == "assignment/writers.py"


@any_name
def test_names_that_cannot_be_printed(tmp_path: Path) -> None:
    """Folders with line breaks or broken characters in their names are passed over."""
    put(tmp_path, "two\nlines/writers.py")
    (tmp_path / "bad\udcff").mkdir()
    put(tmp_path / "bad\udcff", "out0.txt")
    assert found(tmp_path) == ("-", "-", "-", "-")


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "readme.md",
        "ReadMe.MD",
        "README.markdown",
        "README.txt",
        "readme.rst",
        "README",
    ],
)
def test_readme_names(tmp_path: Path, name: str) -> None:
    """The README may have any of its suffixes or none, in capitals or not."""
    put(tmp_path, name, "README.pdf", "README_old.md")
    assert found(tmp_path)[1] == name


def test_best_readme(tmp_path: Path) -> None:
    """Markdown is preferred, and the exact name before another case."""
    put(tmp_path, "README", "README.txt")
    assert found(tmp_path)[1] == "README.txt"
    put(tmp_path, "Readme.md")
    assert found(tmp_path)[1] == "Readme.md"


@pytest.mark.parametrize(
    "name",
    [
        "out0.txt",
        "Out0.TXT",
        "out0.txt.txt",
        "out0",
        "OUT0",
        "out_0.txt",
        "out-0.txt",
        "out 0.txt",
        "Out 0",
    ],
)
def test_transcript_names(tmp_path: Path, name: str) -> None:
    """A transcript is found under the slips that beginners and Windows make."""
    put(tmp_path, "writers.py", name, "out00.txt", "out0.py", "about0.txt", "out.txt")
    assert found(tmp_path)[2:] == (name, "-")


def test_exact_transcript_name_wins(tmp_path: Path) -> None:
    """The name that was asked for comes before a slip."""
    put(tmp_path, "out 0.txt", "out0", "out0.txt", "out0.txt.txt")
    assert found(tmp_path)[2] == "out0.txt"


@any_name
def test_exact_name_wins_over_another_case(tmp_path: Path) -> None:
    """Where both are there, the script's exact name is taken."""
    put(tmp_path, "WRITERS.py", "writers.py", "Writers.py")
    assert found(tmp_path)[0] == "writers.py"


def test_script_name_in_another_case(tmp_path: Path) -> None:
    """The script is found whatever the case of its name, and under no other name."""
    put(tmp_path, "writers2.py", "writers.py.txt", "my_writers.py")
    assert found(tmp_path)[0] == "-"
    put(tmp_path, "Writers.PY")
    assert found(tmp_path)[0] == "Writers.PY"


# ---------------------------------------------------------------- contents


def test_modules_beside_the_script(tmp_path: Path) -> None:
    """The student's own modules are read, those that hide Python's own are not."""
    put(tmp_path, "work/writers.py", "work/helper.py", "work/_more.py", "elsewhere.py")
    put(tmp_path, "work/sqlite3.py", "work/Time.py", "work/sitecustomize.py", "work/00_check.py")
    assert read(tmp_path).modules == {
        "_more.py": "# work/_more.py\n",
        "helper.py": "# work/helper.py\n",
    }


def test_no_modules_without_a_script(tmp_path: Path) -> None:
    """Where there is no script there is nothing that could import a module."""
    put(tmp_path, "helper.py", "out0.txt")
    assert read(tmp_path).modules == {}


def test_modules_are_small_and_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large modules are left out, and of many only the first are read."""
    monkeypatch.setattr(submission, "_MAX_MODULES", 3)
    monkeypatch.setattr(submission, "_MAX_MODULE_BYTES", 20)
    put(tmp_path, "writers.py", *(f"m{number}.py" for number in range(5)))
    (tmp_path / "m1.py").write_text("#" * 21, encoding="utf-8")
    assert list(read(tmp_path).modules) == ["m0.py", "m2.py"]


@needs_posix
def test_linked_module_is_not_read(tmp_path: Path) -> None:
    """A module that is a link to a file elsewhere is left out."""
    put(tmp_path, "work/writers.py", "secret.txt")
    (tmp_path / "work" / "helper.py").symlink_to(tmp_path / "secret.txt")
    assert read(tmp_path / "work").modules == {}


def test_damaged_text_is_a_note(tmp_path: Path) -> None:
    """Bytes that are no text give a note with the file and its line, and the rest is read."""
    put(tmp_path, "writers.py")
    (tmp_path / "README.md").write_bytes("“a” – b\n".encode() + b"\xff\n")
    work = read(tmp_path)
    assert work.readme.text == "“a” – b\n\ufffd\n"
    assert kinds(work) == ["encoding"]
    assert work.notes[0].text.startswith("In README.md, line 2 has bytes")


def test_long_text_is_a_note(tmp_path: Path) -> None:
    """A README or a transcript of which only the beginning is looked at gives a note."""
    put(tmp_path, "writers.py", "README.md")
    (tmp_path / "out0.txt").write_text("x" * 100_001, encoding="utf-8")
    work = read(tmp_path)
    assert kinds(work) == ["length"]
    assert "out0.txt" in work.notes[0].text


def test_git_facts_are_part_of_it(tmp_path: Path) -> None:
    """Commit and remote come from the repository the folder is in; without one, a note."""
    assert [note.kind for note in read(tmp_path).notes] == ["git"]
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("a" * 40, encoding="utf-8")
    (tmp_path / ".git" / "config").write_text('[remote "o"]\nurl = u\n', encoding="utf-8")
    work = read(tmp_path)
    assert (work.commit, work.remote, work.notes) == ("a" * 40, "u", ())


def test_label_is_kept_without_secrets(tmp_path: Path) -> None:
    """The submission is called what the user gave, less a password in it."""
    assert read_submission(tmp_path, "my/files", RUBRIC).path == "my/files"
    assert read_submission(tmp_path, "https://me:pw@h/x@v1", RUBRIC).path == "https://h/x@v1"


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize("name", ["nowhere", "a\0b", "x" * 5000])
def test_no_such_folder(tmp_path: Path, name: str) -> None:
    """A folder that is not there is the user's slip, and the message says what to give."""
    with pytest.raises(UsageError, match=r"There is no folder work\. Give the folder"):
        read_submission(tmp_path / name, "work", RUBRIC)


def test_file_for_a_folder(tmp_path: Path) -> None:
    """A file where a folder is wanted is the user's slip too."""
    put(tmp_path, "writers.py")
    with pytest.raises(UsageError, match=r"work is not a folder\. Give the folder that holds"):
        read_submission(tmp_path / "writers.py", "work", RUBRIC)


def test_folder_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder the system keeps closed is told of in a sentence."""

    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match=r"The folder work cannot be opened\. Check"):
        read_submission(tmp_path, "work", RUBRIC)


def test_modules_named_like_pythons_own_are_told(tmp_path: Path) -> None:
    """A file or package that would hide a module of Python's is left out, and named."""
    (tmp_path / "writers.py").write_text("x = 1", "utf-8")
    for name in ("sqlite3.py", "helper.py", "time.txt"):
        (tmp_path / name).write_text("", "utf-8")
    (tmp_path / "logging").mkdir()
    read = read_submission(tmp_path, "x", RUBRIC)
    (text,) = [note.text for note in read.notes if note.kind == "shadowed-module"]
    assert "named like logging, sqlite3.py;" in text
    assert list(read.modules) == ["helper.py"]
