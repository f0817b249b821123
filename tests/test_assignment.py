"""What students receive: it runs everywhere, and it gives no answer away."""

from __future__ import annotations

import ast
import multiprocessing
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ASSIGNMENT = REPOSITORY / "assignment"
COMPLETE = REPOSITORY / "tests" / "submissions" / "complete"
SCRIPT = "multiple_processes.py"
CHECK = "00_check_core.py"
REPORT = "00_report_core.txt"

FUNCTIONS = ["recreate_database", "create_table", "drop_table", "insert_pet"]
FUNCTIONS += ["process_one", "process_two", "process_three"]
MODULES = "datetime logging multiprocessing os platform sqlite3 sys time".split()
PETS = [("Ace", "Dog"), ("Buddy", "Dog"), ("Cooper", "Rabbit")]
PETS += [("Dingo", "Dog"), ("Emma", "Rabbit"), ("Felix", "Cat")]
QUESTIONS = [
    "1. What libraries did we import?",
    "2. Where do we set the TASK_DURATION_SECONDS?",
    "3. How many functions are defined?",
    "4. What are the function names?",
    "5. In general, what does each function do?",
    "6. Where does the execution begin? Hint: generally at the end of the file.",
    "7. How many processes do we start?",
    "8. How many records does each process insert?",
]
FACTS = ["Operating system", "Python version", "Python interpreter", "Virtual environment"]
FACTS += ["Working folder", "Git version", "Git remote", "SQLite version", "Process start method"]

START = """
import multiprocessing, runpy
multiprocessing.set_start_method({method!r})
runpy.run_path({script!r}, run_name="__main__")
"""
OFFLINE = """
import runpy, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "urllib.Request"):
        raise SystemExit("wants the network: " + event)
    if event != "subprocess.Popen":
        return
    command = arguments[1] if isinstance(arguments[1], str) else " ".join(arguments[1])
    if "git" in command and not command.endswith(("--version", "config --get remote.origin.url")):
        raise SystemExit("asks git for what may need the network: " + command)
sys.addaudithook(refuse)
runpy.run_path({script!r}, run_name="__main__")
"""
WITHOUT_SQLITE = """
import runpy, sys
sys.modules["sqlite3"] = None
runpy.run_path({script!r}, run_name="__main__")
"""


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in `folder` and return what it printed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )


def pets(folder: Path) -> list[tuple[str, str]]:
    """Return the pets in the database, by name."""
    with closing(sqlite3.connect(folder / "shared.db")) as connection:
        return connection.execute("SELECT name, breed FROM pets ORDER BY name").fetchall()


def facts(report: str) -> dict[str, str]:
    """Return the facts of a check report by their label."""
    pairs = (line.split(":", 1) for line in report.splitlines() if ":" in line)
    return {label: found.strip() for label, found in pairs}


def saved_report(folder: Path) -> str:
    """Return the report that the check script wrote."""
    return (folder / REPORT).read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a fresh copy of the project script, not yet run."""
    shutil.copy(ASSIGNMENT / SCRIPT, tmp_path)
    return tmp_path


@pytest.fixture
def check(tmp_path: Path) -> Path:
    """A folder outside any repository with a copy of the check script."""
    shutil.copy(ASSIGNMENT / CHECK, tmp_path)
    return tmp_path


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_short_tasks_insert_every_pet(project: Path, method: str) -> None:
    """With the duration 0 all six pets are in the table, however processes are started."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    done = run(project, "-c", START.format(method=method, script=SCRIPT))
    assert pets(project) == PETS
    assert done.returncode == 0
    assert "ERROR" not in done.stderr
    assert done.stderr.count("STARTING UP") == 1
    assert re.search(r"^SUCCESS", done.stderr, re.MULTILINE)


def test_output_has_its_promised_lines(project: Path) -> None:
    """Each line shows time and level, and each insert says what it was called with."""
    output = run(project, SCRIPT).stderr
    stamp = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - INFO - "
    called = [f"Called {name}()." for name in FUNCTIONS if name != "insert_pet"]
    called += [
        f"Called insert_pet() with process=P{number // 2 + 1}, name={name}, breed={breed}."
        for number, (name, breed) in enumerate(PETS)
    ]
    for line in called:
        assert re.search(stamp + re.escape(line) + "$", output, re.MULTILINE)


def test_second_run_starts_afresh(project: Path) -> None:
    """Running the script twice leaves six pets, not twelve."""
    run(project, SCRIPT)
    run(project, SCRIPT)
    assert pets(project) == PETS


def test_long_tasks_lock_each_other_out(project: Path) -> None:
    """With the duration 3 two inserts are lost to the lock. (Takes 12 seconds of real time.)"""
    script = project / SCRIPT
    source = script.read_text(encoding="utf-8")
    script.write_text(source.replace("SECONDS = 0", "SECONDS = 3"), encoding="utf-8")
    done = run(project, SCRIPT)
    error = re.compile(r"(?m) - ERROR - ERROR while P\d inserting pet (\w+): database is locked$")
    lost = error.findall(done.stderr)
    assert len(pets(project)) == 4
    assert len(lost) == 2
    assert done.stderr.count("database is locked") == 2
    assert {name for name, _ in pets(project)}.isdisjoint(lost)
    assert "SUCCESS" not in done.stderr
    assert done.returncode == 0


def test_importing_does_nothing(project: Path) -> None:
    """A process that reads the script again to learn its functions starts nothing."""
    done = run(project, "-B", "-c", f"import {Path(SCRIPT).stem}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in project.iterdir()] == [SCRIPT]


def test_script_has_the_facts_that_are_asked_for() -> None:
    """Imports, functions and constants are those of the questions, the constant near line 40."""
    body = ast.parse((ASSIGNMENT / SCRIPT).read_text(encoding="utf-8")).body
    imports = [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    constants = {
        node.targets[0].id: node
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert imports == MODULES
    assert [node.name for node in body if isinstance(node, ast.FunctionDef)] == FUNCTIONS
    assert list(constants) == ["TASK_DURATION_SECONDS", "DIVIDER", "DB_NAME"]
    assert ast.literal_eval(constants["TASK_DURATION_SECONDS"].value) == 0
    assert abs(constants["TASK_DURATION_SECONDS"].lineno - 40) <= 5
    assert isinstance(body[-1], ast.If)


def test_check_reports_every_fact_without_network(check: Path) -> None:
    """The report names each fact, is printed and saved alike, and needs no connection."""
    done = run(check, "-c", OFFLINE.format(script=CHECK))
    report = saved_report(check)
    found = facts(report)
    assert done.returncode == 0, done.stderr
    assert report in done.stdout
    assert list(found) == FACTS
    assert all(found.values())
    assert Path(found["Python interpreter"]) == Path(sys.executable)
    assert Path(found["Working folder"]).samefile(check)
    assert found["SQLite version"] == sqlite3.sqlite_version
    assert found["Virtual environment"].startswith("yes") == (sys.prefix != sys.base_prefix)
    assert report.endswith("Can this Python run the assignment? YES\n")


def test_check_outside_a_repository(check: Path) -> None:
    """A folder that is no clone is named as such, and is no obstacle."""
    run(check, CHECK, GIT_CEILING_DIRECTORIES=str(check.parent))
    assert facts(saved_report(check))["Git remote"].startswith("none found")


def test_check_without_git(check: Path) -> None:
    """Where git is not installed the report says so, and where to get it."""
    empty = check / "empty"
    empty.mkdir()
    done = run(check, CHECK, PATH=str(empty))
    assert done.returncode == 0
    assert facts(saved_report(check))["Git version"].startswith("not found (install it")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_check_names_the_remote_without_its_password(check: Path) -> None:
    """The remote is in the report, and a password in its address is not."""
    url = "https://student:s3cret@example.org/student/project.git"
    subprocess.run(["git", "init", "--quiet"], cwd=check, check=True)
    subprocess.run(["git", "config", "remote.origin.url", url], cwd=check, check=True)
    run(check, CHECK)
    assert facts(saved_report(check))["Git remote"] == "https://example.org/student/project.git"


def test_check_says_what_is_missing(check: Path) -> None:
    """A Python without SQLite cannot run the assignment, and the report says what to do."""
    run(check, "-c", WITHOUT_SQLITE.format(script=CHECK))
    report = saved_report(check)
    assert "Can this Python run the assignment? NO" in report
    assert "This Python cannot import sqlite3. Please reinstall Python." in report


def test_check_prints_what_the_terminal_cannot_show(check: Path) -> None:
    """A folder's name with letters the terminal lacks is shown with marks and saved in full."""
    folder = check / "übung"
    folder.mkdir()
    shutil.move(check / CHECK, folder)
    done = run(folder, CHECK, PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert done.returncode == 0
    assert "?bung" in done.stdout
    assert "übung" in facts(saved_report(folder))["Working folder"]


def test_check_where_nothing_can_be_saved(check: Path) -> None:
    """When the report cannot be written the student still sees it, and what to do."""
    (check / REPORT).mkdir()
    done = run(check, CHECK)
    assert done.returncode == 0
    assert "Can this Python run the assignment? YES" in done.stdout
    assert "Please move the whole folder" in done.stdout


def readme(folder: Path = ASSIGNMENT) -> str:
    """Return the text of a folder's README."""
    return (folder / "README.md").read_text(encoding="utf-8")


def test_readme_has_seven_tasks_and_eight_questions() -> None:
    """Tasks 1 to 7 are headings in order, and the questions stand in Task 5."""
    lines = readme().splitlines()
    tasks = [line for line in lines if line.startswith("## Task")]
    task5, task6 = lines.index(tasks[4]), lines.index(tasks[5])
    assert [line[:10] for line in tasks] == [f"## Task {number}." for number in range(1, 8)]
    assert [line for line in lines[task5:task6] if re.match(r"\d\. ", line)] == QUESTIONS


def test_readme_gives_no_answer_away() -> None:
    """Neither function names, nor the main guard, nor any count of them is in the README."""
    text = readme().lower()
    for answer in [*FUNCTIONS, "__name__", "import datetime", "seven functions", "7 functions"]:
        assert answer not in text
    assert not re.search(r"\b(3|three|2|two|6|six)\s+(process|record|pet|insert)", text)


def test_readme_says_how_to_run_the_grader() -> None:
    """Both ways to grade one's own work are there, and the lines that Windows needs."""
    windows = ["py -m venv .venv", r".venv\Scripts\activate", "pip install -e ."]
    for command in ["make grade SUBMISSION=assignment", "grader grade assignment", *windows]:
        assert f"\n{command}\n" in readme()


@pytest.mark.parametrize(("name", "seconds"), [("out0.txt", "0"), ("out3.txt", "3")])
def test_placeholders_say_what_to_paste(name: str, seconds: str) -> None:
    """Each placeholder is a few whole sentences that nobody could take for a run."""
    text = (ASSIGNMENT / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    assert 3 <= len(lines) <= 5
    assert all(len(line.split()) >= 4 for line in lines)
    assert f"set to {seconds} seconds" in text
    assert not re.search(r"insert|locked|STARTING|SUCCESS", text)


def test_complete_sample_has_the_current_script() -> None:
    """The complete sample's script is what students receive, left at 3 seconds."""
    given = (ASSIGNMENT / SCRIPT).read_text(encoding="utf-8")
    handed_in = (COMPLETE / SCRIPT).read_text(encoding="utf-8")
    assert handed_in == given.replace("SECONDS = 0", "SECONDS = 3")


def test_complete_sample_has_the_current_readme() -> None:
    """The complete sample's README is what students receive, with answers added."""
    handed_in = iter(readme(COMPLETE).splitlines())
    assert [line for line in readme().splitlines() if line not in handed_in] == []


def test_kept_copy_is_what_students_receive() -> None:
    """The grader's own copy of the starter is up to date (else run `make schemas`)."""
    kept = REPOSITORY / "grader" / "shipped" / "assignment"
    given = {path.name: path.read_bytes() for path in ASSIGNMENT.iterdir() if path.is_file()}
    assert {path.name: path.read_bytes() for path in kept.iterdir() if path.is_file()} == given


def test_students_work_in_the_starter_itself(tmp_path: Path) -> None:
    """In a student's fork `assignment/` holds answers, which are not taken for the template's."""
    shutil.copytree(
        REPOSITORY / "grader", tmp_path / "grader", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copyfile(REPOSITORY / "rubric.yaml", tmp_path / "rubric.yaml")
    shutil.copytree(COMPLETE, tmp_path / "assignment")
    command = [sys.executable, "-m", "grader", "grade", "assignment", "--only=q1", "--only=out0"]
    for rubric in ([], ["--rubric=rubric.yaml"]):
        done = subprocess.run(
            [*command, *rubric], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, "25 of 25 points" in done.stdout) == (0, True), done.stderr
