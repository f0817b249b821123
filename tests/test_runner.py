"""Running whole scripts, as a student's script is run."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import grader.sandbox
from grader.errors import GraderError
from grader.model import Ending, RunOutcome
from grader.process import Command, Ended
from grader.rubric import Limits
from grader.runner import RunJob, run_script
from grader.sandbox import bubblewrap, plain
from grader.sandbox.scratch import remove

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a right on Windows")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made; whatever stays in it was left behind."""
    folder = (tmp_path / "scratch").resolve()
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(autouse=True, params=["bubblewrap", "landlock", "none"])
def sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs in each sandbox: what is told of a script does not depend on it."""
    name: str = request.param
    if name == "none":
        monkeypatch.setattr(plain, "confines", lambda: False)
    elif name == "bubblewrap":
        needed(grader.sandbox.bubblewrap_fault())
        return name
    elif not plain.confines():
        needed("this kernel has no Landlock")
    monkeypatch.setattr(grader.sandbox, "bubblewrap_fault", lambda: "it is not wanted")
    return name


def needed(fault: str | None) -> None:
    """On the machines that test every change, nothing may be missing."""
    if fault and (os.environ.get("CI") and sys.platform == "linux"):
        pytest.fail(fault)
    if fault:
        pytest.skip(fault)


def run(
    source: str,
    *,
    name: str = "task.py",
    modules: Mapping[str, str] | None = None,
    lock_error: str = "database is locked",
    seconds: float = 60,
) -> RunOutcome:
    job = RunJob(
        id="first",
        duration=3,
        name=name,
        source=source.encode(),
        modules=modules or {},
        table="words",
        lock_error=lock_error,
        limits=Limits(wall_seconds=seconds, output_bytes=100_000),
    )
    return run_script(job)


# ---------------------------------------------------------------- the run itself


def test_whole_run_is_told(sandbox: str) -> None:
    """A run that goes well is told with its rows, whatever its database is called."""
    outcome = run("""
import os, sqlite3
os.mkdir("data")
connection = sqlite3.connect("data/my words")
connection.execute("CREATE TABLE words (word)")
connection.execute("INSERT INTO words VALUES ('a'), ('b')")
connection.commit()
print("hello")
""")
    assert outcome.ending is Ending.FINISHED
    assert (outcome.error, outcome.tail) == (None, "hello")
    found = outcome.run
    assert (found.id, found.duration, found.speed, found.sandbox) == ("first", 3, 1.0, sandbox)
    assert (found.exit_code, found.timed_out, found.rows, found.lock_errors) == (0, False, 2, 0)
    assert found.wall_seconds > 0
    assert found.wall_seconds == round(found.wall_seconds, 3)


def test_folder_holds_the_students_files_only() -> None:
    """The script finds itself and its modules in its working folder, and can import them."""
    code = "import os, helper; print(sorted(os.listdir()), helper.WORD, __file__)"
    outcome = run(code, modules={"helper.py": "WORD = 'ä'"})
    assert outcome.tail == "['helper.py', 'task.py'] ä task.py"


def test_script_wins_over_a_module_of_its_name() -> None:
    """The script that is run is the one whose constant was set."""
    assert run("print('script')", modules={"task.py": "print('module')"}).tail == "script"


@pytest.mark.parametrize(
    "name", ["../x.py", "a/../../x.py", "/x.py", r"..\x.py", "C:x.py", ".", ""]
)
def test_names_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written or run when a name leads out of the script's folder."""
    for outcome in (run("print('ran')", name=name), run("print('ran')", modules={name: ""})):
        assert outcome.ending is Ending.NOT_STARTED
        assert (outcome.run.exit_code, outcome.run.rows, outcome.tail) == (None, None, "")
        assert "does not name a file inside" in str(outcome.error)
    assert not list(tmp_path.rglob("x.py"))


def test_time_limit_is_told() -> None:
    """A run that had to be stopped says so and still shows what it printed."""
    outcome = run("import time; print('waiting'); time.sleep(600)", seconds=1)
    assert outcome.ending is Ending.TIMED_OUT
    assert outcome.run.timed_out
    assert outcome.run.exit_code is None
    assert outcome.tail == "waiting"


def test_flood_is_told() -> None:
    """A run that printed too much is no time-out."""
    outcome = run("while True: print('again')")
    assert outcome.ending is Ending.FLOODED
    assert not outcome.run.timed_out


def test_runs_do_not_share_a_folder() -> None:
    """Runs at the same time each have a folder of their own."""
    code = "import os; open('mine', 'x').close(); print(sorted(os.listdir()))"
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(run, [code] * 4))
    assert [outcome.tail for outcome in outcomes] == ["['mine', 'task.py']"] * 4


def test_no_room_for_a_folder(scratch: Path, sandbox: str) -> None:
    """Where no temporary folder can be made the grader says that it is its own trouble."""
    scratch.rmdir()
    if sandbox == "bubblewrap":
        assert run("print('in memory')").tail == "in memory"
    else:
        with pytest.raises(GraderError, match="No temporary folder"):
            run("")
    scratch.mkdir()


# ---------------------------------------------------------------- nothing is left behind


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("open('new', 'w').close()", id="a file"),
        pytest.param(
            "import os\nfor place in ('a', '../b'):\n"
            "    os.mkdir(place)\n    open(place + '/f', 'w').close()\n"
            "    os.chmod(place + '/f', 0o400)\n    os.chmod(place, 0o500)\n"
            "os.mkdir('c')\nos.chmod('c', 0)\nos.chmod('.', 0o500)",
            id="read-only files and folders",
        ),
        pytest.param(
            "import os\nfor _ in range(1200):\n    os.mkdir('deep')\n    os.chdir('deep')",
            id="folders too deep to name",
            marks=posix_only,
        ),
        pytest.param("import os; os._exit(3)", id="a sudden end"),
        pytest.param(
            "import os, shutil; os.chdir('..'); shutil.rmtree('work')",
            id="its own folder gone",
            marks=posix_only,
        ),
        pytest.param(
            "import os, shutil; os.chdir('/'); shutil.rmtree(os.environ['HOME'], True)",
            id="everything gone",
            marks=posix_only,
        ),
    ],
)
def test_folder_is_removed(scratch: Path, code: str) -> None:
    """Whatever a script does to its folder, the run is told and nothing of it stays."""
    outcome = run(code)
    assert (outcome.ending, outcome.error) == (Ending.FINISHED, None)
    assert list(scratch.iterdir()) == []


@posix_only
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import os; os.symlink({!r}, 'link')", id="in its folder"),
        pytest.param(
            "import os, shutil; home = os.environ['HOME']\n"
            "shutil.rmtree(home, True); os.path.exists(home) or os.symlink({!r}, home)",
            id="for its folder",
        ),
    ],
)
def test_links_are_removed_unfollowed(tmp_path: Path, scratch: Path, code: str) -> None:
    """What a link leads to is neither read, nor changed, nor removed."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    log = outside / "log.txt"
    log.write_text("database is locked", encoding="utf-8")
    assert run(code.format(str(outside))).run.lock_errors == 0
    assert log.exists()
    assert outside.stat().st_mode & 0o777 == 0o755
    assert list(scratch.iterdir()) == []


def test_nothing_stays_when_interrupted(
    scratch: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C leaves no folder behind and no file open."""

    def interrupted(command: Command, *_: object) -> Ended:
        assert sandbox == "bubblewrap" or (command.folder / "task.py").exists()
        raise KeyboardInterrupt

    for kind in (plain, bubblewrap):
        monkeypatch.setattr(kind, "supervise", interrupted)
    before = open_files()
    with pytest.raises(KeyboardInterrupt):
        run("")
    assert open_files() == before
    assert list(scratch.iterdir()) == []


def open_files() -> int:
    return psutil.Process().num_fds() if sys.platform != "win32" else 0


def test_removing_nothing_is_fine(tmp_path: Path) -> None:
    """A folder that is not there is removed already."""
    remove(tmp_path / "nowhere")


# ---------------------------------------------------------------- lock errors


def test_lock_errors_on_the_screen() -> None:
    """Lock errors count on both streams, in any case and with any space between the words."""
    code = """
import sys
print("database is locked")
print("Database  IS locked", file=sys.stderr)
print("database \\033[31mis\\033[0m\\nlocked; database was locked; database is unlocked")
"""
    assert run(code).run.lock_errors == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_lock_errors_in_files(encoding: str) -> None:
    """Lock errors count in files the script wrote, whatever their names and encoding."""
    code = f"""
import os
for place in ("one.log", "../two", os.environ["HOME"] + "/three.db"):
    with open(place, "w", encoding={encoding!r}) as file:
        file.write("Größe\\nERROR database is locked\\n")
"""
    assert run(code).run.lock_errors == 3


def test_lock_error_shown_and_written_is_one() -> None:
    """A log that also goes to the screen is not counted twice."""
    code = """
for line in ("database is locked", "database is locked again"):
    print(line)
    print(line, file=open("log", "a"))
"""
    assert run(code).run.lock_errors == 2


def test_words_elsewhere_are_no_lock_error() -> None:
    """The words in the student's own files or stored in a database do not count."""
    code = """
import sqlite3
connection = sqlite3.connect("x.db")
connection.execute("CREATE TABLE words (word)")
connection.execute("INSERT INTO words VALUES ('database is locked')")
connection.commit()
"""
    outcome = run(code, modules={"helper.py": "'database is locked'"})
    assert (outcome.run.lock_errors, outcome.run.rows) == (0, 1)


def test_blank_words_count_nothing() -> None:
    """A rubric with no words to look for finds no lock error."""
    assert run("print('hello')", lock_error=" ").run.lock_errors == 0


# ---------------------------------------------------------------- what was printed

CRASH = "def work():\n    return missing\n\n"
LOGGED = "import logging\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('oh')\n"
CHILDREN = """\
from multiprocessing import Process
def first(): raise ValueError("a")
def second(): raise KeyError("b")
if __name__ == "__main__":
    for target in (second, first):
        child = Process(target=target)
        child.start()
        child.join()
"""
CHAINED = """\
from multiprocessing import Process
def work():
    try: [][1]
    except IndexError: raise KeyError("b")
if __name__ == "__main__":
    child = Process(target=work)
    child.start()
    child.join()
"""


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param("print('fine')", None, id="none"),
        pytest.param("raise SystemExit(3)", None, id="exit"),
        pytest.param("print('ValueError: no traceback')", None, id="only words"),
        pytest.param(
            CRASH + "work()\n", "NameError: name 'missing' is not defined (line 2)", id="own line"
        ),
        pytest.param(
            "import json\njson.loads('')\n",
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0) (line 2)",
            id="in a library",
        ),
        pytest.param(
            "x = 1\nif x = 2: pass\n",
            "SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='? (line 2)",
            id="syntax",
        ),
        pytest.param(
            "try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][1]\n",
            "IndexError: list index out of range (line 4)",
            id="while handling another",
        ),
        pytest.param(LOGGED, "ZeroDivisionError: division by zero (line 3)", id="caught"),
        pytest.param(
            LOGGED + "[][1]\n", "IndexError: list index out of range (line 6)", id="the last one"
        ),
        pytest.param(CHILDREN, "KeyError: 'b' (line 3)", id="in processes"),
        pytest.param(
            LOGGED + CHAINED, "ZeroDivisionError: division by zero (line 3)", id="chained in one"
        ),
        pytest.param(
            CHILDREN + "    [][1]\n",
            "IndexError: list index out of range (line 9)",
            id="the script",
        ),
        pytest.param(
            "class Odd(Exception): pass\nraise Odd(Odd)\n",
            "Odd: <class '__main__.Odd'> (line 2)",
            id="of its own kind",
        ),
        pytest.param(
            "raise ValueError(object())",
            "ValueError: <object object at 0x…> (line 1)",
            id="address",
        ),
        pytest.param(
            "open('missing.txt')",
            "FileNotFoundError: [Errno 2] No such file or directory: 'missing.txt' (line 1)",
            id="file",
        ),
        pytest.param(
            "import os; open(os.path.abspath('missing.txt'))",
            "FileNotFoundError: [Errno 2] No such file or directory: 'missing.txt' (line 1)",
            id="file with its path",
        ),
        pytest.param(
            "import sys; raise ValueError(sys.prefix + '/lib', sys.prefix + 'x')",
            f"ValueError: ('…/lib', {sys.prefix + 'x'!r}) (line 1)",
            id="a folder of this machine",
        ),
    ],
)
def test_error_is_told(code: str, error: str | None) -> None:
    """The error that ended the script is told with the script's line and without our paths."""
    assert run(code).error == error


def test_error_in_a_module_names_it() -> None:
    """An error that arose in a module of the student's is told with the module's line."""
    outcome = run("import helper\nhelper.work()\n", modules={"helper.py": CRASH})
    assert outcome.error == "NameError: name 'missing' is not defined (helper.py, line 2)"


def test_tail_is_plain_text(scratch: Path) -> None:
    """The tail is the last ten lines without terminal codes, hidden characters and our paths."""
    code = r"""
import os
print("\n".join(str(number) for number in range(20)))
print("\x1b[1;31mred\x1b[0m \x1b]0;title\x07\u202ebell\x07\r\n\n\x1b]open")
print(os.path.join(os.getcwd(), "x.db"), os.getcwd(), os.environ["HOME"])
print("y" * 1000)
"""
    tail = run(code).tail
    lines = tail.split("\n")
    assert lines[:-1] == ["15", "16", "17", "18", "19", "red bell", "", "open", "x.db … …"]
    assert lines[-1] == "y" * 299 + "…"
    assert str(scratch) not in tail


@posix_only
def test_folder_behind_a_link_is_known(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the temporary folder is reached by a link, its real place is taken out as well."""
    link = scratch.parent / "link"
    link.symlink_to(scratch)
    monkeypatch.setattr(tempfile, "tempdir", str(link))
    assert run("import os; print(os.getcwd(), os.environ['HOME'])").tail == "… …"


def test_same_script_same_words() -> None:
    """Two runs of one script are told in the same words."""
    code = "import os, tempfile\nprint(os.getcwd())\nopen(tempfile.gettempdir() + '/none')\n"
    first, second = run(code), run(code)
    assert first.error
    assert (first.error, first.tail) == (second.error, second.tail)


def test_scratch_is_not_ours_to_keep(scratch: Path) -> None:
    """Reading databases leaves no copy behind."""
    code = "import sqlite3; sqlite3.connect('x.db').execute('CREATE TABLE words (word)')"
    assert run(code).run.rows == 0
    assert list(scratch.iterdir()) == []
