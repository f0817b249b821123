"""Real scripts run with the shim: what it tells of them, and that they notice nothing."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.model import Event
from grader.trace import read_trace

ROOT = Path(__file__).resolve().parent.parent
SHIM = ROOT / "grader" / "shim"
CASES = ROOT / "tests" / "cases" / "traces"
TABLE = """\
import sqlite3
from sqlite3 import connect
connection = connect("a.db")
connection.execute("CREATE TABLE IF NOT EXISTS t (a, b)")
connection.commit()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A script that has ended, and its trace."""

    printed: str
    events: tuple[Event, ...]
    lines: int

    @property
    def told(self) -> list[str]:
        """The events of the main process, each as `kind label`."""
        return [f"{e.kind.value} {e.label}".strip() for e in self.events if e.process == "main"]


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a script with the shim and returns what came of it."""

    def run(source: str, *, speed: float | str = 1, trace: str | None = "trace") -> Done:
        (tmp_path / "trace").mkdir(exist_ok=True)
        (tmp_path / "task.py").write_text(source, encoding="utf-8")
        ours = {"PYTHONPATH": str(SHIM), "GRADER_SPEED": str(speed)}
        if trace is not None:
            ours["GRADER_TRACE"] = str(tmp_path / trace)
        done = subprocess.run(
            [sys.executable, "task.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **ours},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=50,
            check=False,
        )
        files = {path.name: path.read_bytes() for path in (tmp_path / "trace").glob("*.trace")}
        events = read_trace(files, 1 if isinstance(speed, str) else speed)
        lines = sum(data.count(b"\n") for data in files.values())
        return Done(
            printed=done.stdout,
            events=events,
            lines=lines,
        )

    return run


# ---------------------------------------------------------------- what is told


CONTENTION = """\
import multiprocessing, sqlite3

def holder(holding, enough):
    connection = sqlite3.connect("a.db")
    connection.execute("INSERT INTO t VALUES (?, ?)", ("Ace", "Dog"))
    holding.set()
    enough.wait()
    connection.commit()

def loser(holding, enough):
    holding.wait()
    try:
        sqlite3.connect("a.db", timeout=0).execute("INSERT INTO t VALUES ('Emma', 'Cat')")
    except sqlite3.OperationalError as error:
        print(error)
    enough.set()

if __name__ == "__main__":
    multiprocessing.set_start_method("START")
    connection = sqlite3.connect("a.db")
    connection.execute("CREATE TABLE t (a, b)")
    signs = multiprocessing.Event(), multiprocessing.Event()
    processes = [multiprocessing.Process(target=task, args=signs) for task in (holder, loser)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_contention_is_told(run: Run, start: str) -> None:
    """However processes are started, it shows who waited, held, committed and was locked out."""
    done = run(CONTENTION.replace("START", start))
    assert done.printed == "database is locked\n"
    told = [(event.process, event.kind.value, event.label) for event in done.events]
    assert told == [
        ("P1", "wait", "Ace"),
        ("P1", "hold", "Ace"),
        ("P2", "wait", "Emma"),
        ("P2", "locked", "Emma"),
        ("P1", "commit", "Ace"),
    ]


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda p: p.name.split(".")[0])
def test_every_form_of_insert_is_told(run: Run, path: Path) -> None:
    """Each way to write to a database is told as it happens, and works as it should."""
    source, _, expected = path.read_text("utf-8").partition("=== expect\n")
    if source.startswith("# since Python 3.12") and sys.version_info < (3, 12):
        pytest.skip("this Python does not have it")
    done = run(TABLE + source)
    assert done.told == expected.splitlines()
    assert "Error" not in done.printed


def test_odd_names_and_records_stay_on_their_line(run: Run) -> None:
    """A record or a process with line breaks and tabs in it spoils no trace."""
    source = """
import multiprocessing
multiprocessing.current_process().name = "a\\tb\\nc"
connection.execute("INSERT INTO t VALUES (?, 1)", ("d\\te\\nf " + "g" * 999,))
"""
    done = run(TABLE + source)
    assert [event.process for event in done.events] == ["a b c", "a b c"]
    assert {event.label for event in done.events} == {("d e f " + "g" * 60)[:60]}


def test_a_long_run_is_told_from_its_beginning(run: Run) -> None:
    """A script that inserts without end does not fill the disk with its trace."""
    source = """
db = connect(":memory:", isolation_level=None)
db.execute("CREATE TABLE t (a)")
for number in range(4000):
    db.execute(f"INSERT INTO t VALUES ({number})")
"""
    done = run(TABLE + source)
    assert done.told[:4] == ["wait 0", "hold 0", "commit 0", "wait 1"]
    assert done.lines < 6000


# ---------------------------------------------------------------- what the script sees


def test_nothing_looks_different(run: Run) -> None:
    """Types, names and what a class of one's own can do are those of Python itself."""
    source = """
import pickle, time
from sqlite3 import dbapi2
cursor = connection.cursor()
print(type(connection) is sqlite3.Connection, type(cursor) is sqlite3.Cursor)
print(type(connection.execute("SELECT 1")) is sqlite3.Cursor)
print(sqlite3.connect is dbapi2.connect, sqlite3.Connection is dbapi2.Connection)
print(sqlite3.Connection, sqlite3.Cursor, sqlite3.connect.__name__, time.sleep.__qualname__)
print(pickle.loads(pickle.dumps(time.sleep)) is time.sleep)
for name in ("__doc__", "__module__", "__name__"):
    print(getattr(sqlite3.Connection, name), getattr(sqlite3.connect, name))
try: connection.other = 1
except AttributeError: print("closed")
connection.row_factory = sqlite3.Row
print(connection.execute("SELECT 1 AS one").fetchone()["one"], connection.in_transaction)
"""
    assert run(TABLE + source, speed=10).printed == run(TABLE + source, trace=None).printed


MISTAKES = """
import time
def attempt(mistake):
    try: mistake()
    except Exception as error: print(type(error).__name__, error)
attempt(lambda: sqlite3.connect())
attempt(lambda: sqlite3.connect("a.db", timeout="soon"))
attempt(lambda: sqlite3.connect("a.db", nonsense=1))
attempt(lambda: sqlite3.connect("no/such/folder/a.db"))
attempt(lambda: connection.execute())
attempt(lambda: connection.execute(5))
attempt(lambda: connection.execute("INSERT"))
attempt(lambda: connection.executemany("INSERT INTO t VALUES (?, ?)", [(1,)]))
attempt(lambda: connection.executemany("INSERT INTO t VALUES (?, ?)", 5))
attempt(lambda: connection.executescript("INSERT INTO none VALUES (1)"))
attempt(lambda: connection.cursor(None))
attempt(lambda: sqlite3.Cursor(5))
attempt(lambda: time.sleep())
attempt(lambda: time.sleep("long"))
attempt(lambda: time.sleep(-1))
connection.close()
attempt(lambda: connection.execute("SELECT 1"))
attempt(lambda: connection.commit())
"""


def test_mistakes_are_told_in_the_same_words(run: Run) -> None:
    """Every error is the one that Python would have raised."""
    assert run(TABLE + MISTAKES, speed=10).printed == run(TABLE + MISTAKES, trace=None).printed


@pytest.mark.parametrize(
    "fault",
    [
        "connection.execute('INSERT INTO none VALUES (1)')",
        "connection.cursor().execute('INSERT INTO none VALUES (1)')",
        "with connection: connection.execute('SELECT none')",
        "connect('no/such/folder/a.db')",
        "sqlite3.Connection('no/such/folder/a.db')",
        "import time; time.sleep(-1)",
    ],
)
def test_tracebacks_show_the_script_alone(run: Run, fault: str) -> None:
    """No line of ours stands in a traceback; Python 3.10 shows one, without our folder."""
    source = f"{TABLE}def work():\n    {fault}\nwork()\n"
    printed = run(source, speed=10).printed
    assert "sitecustomize" not in printed
    if sys.version_info >= (3, 11):
        assert printed == run(source, trace=None).printed


def test_nothing_more_is_imported(run: Run) -> None:
    """A script that uses no database starts without one."""
    source = "import sys; print(sorted({*sys.modules} - {'sitecustomize', 'atexit'}))"
    assert run(source).printed == run(source, trace=None).printed


def test_the_shims_folder_is_not_searched(run: Run) -> None:
    """The script's imports do not look among our files."""
    assert str(SHIM) not in run("import sys; print(sys.path)").printed


@pytest.mark.parametrize("trace", [None, "nowhere", "task.py"])
def test_without_a_folder_nothing_is_done(run: Run, trace: str | None) -> None:
    """Where no trace can be written, Python stays as it is."""
    source = "import time, sqlite3; print(time.sleep, sqlite3.Connection.__mro__)"
    done = run(source, speed=10, trace=trace)
    assert done.printed.startswith(
        "<built-in function sleep> (<class 'sqlite3.Connection'>, <class"
    )
    assert done.lines == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no open file can be removed there")
@pytest.mark.parametrize(
    "trouble",
    [
        "import shutil; shutil.rmtree('trace')",
        "import os; os.closerange(3, 50)",
        "import os, time; os.getpid = time.monotonic = os.write = None",
        "import multiprocessing; multiprocessing.current_process()._name = 5",
    ],
)
def test_trouble_with_the_trace_is_not_the_scripts(run: Run, trouble: str) -> None:
    """Whatever becomes of the trace, the script goes on."""
    source = """
db = connect("b.db")
db.execute("CREATE TABLE t (a)")
with db: db.execute("INSERT INTO t VALUES (1)")
print(db.execute("SELECT * FROM t").fetchall(), db.execute("PRAGMA integrity_check").fetchone())
"""
    assert run(f"{TABLE}connection.close()\n{trouble}\n{source}").printed == "[(1,)] ('ok',)\n"


# ---------------------------------------------------------------- speed


def test_sleep_is_shorter(run: Run) -> None:
    """Sleeps end early at a speed, in processes as well and by whatever name they are called."""
    source = (
        "import time, multiprocessing\nfrom time import sleep\n"
        "def nap(): sleep(300)\n"
        "if __name__ == '__main__':\n    nap()\n    time.sleep(300.0)\n"
        "    for task in (nap, time.sleep):\n"
        "        process = multiprocessing.get_context('spawn').Process(\n"
        "            target=task, args=(300,) if task is time.sleep else ())\n"
        "        process.start()\n        process.join()\n        print(process.exitcode)\n"
    )
    assert run(source, speed=20_000).printed == "0\n0\n"


@pytest.mark.parametrize(
    ("connection", "patience"),
    [
        ("connect('b.db')", 500),
        ("connect('b.db', timeout=30)", 3000),
        ("connect('b.db', 2.5)", 250),
        ("connect('b.db', timeout=0)", 0),
        ("sqlite3.Connection('b.db')", 500),
        ("connect('b.db', factory=type('Own', (sqlite3.Connection,), {}))", 500),
        ("connect('b.db', factory=lambda *a, **k: sqlite3.Connection('b.db', timeout=1))", 100),
    ],
)
def test_patience_is_shorter(run: Run, connection: str, patience: int) -> None:
    """SQLite's patience is divided by the speed, however a connection is made."""
    source = f"{TABLE}print({connection}.execute('PRAGMA busy_timeout').fetchone()[0])"
    assert run(source, speed=10).printed == f"{patience}\n"


@pytest.mark.parametrize("speed", ["1", "", "0", "-5", "nan", "fast"])
def test_other_speeds_change_nothing(run: Run, speed: str) -> None:
    """At speed 1, or at one that is none, sleeps and patience are untouched."""
    source = "import time; print(time.sleep, connection.execute('PRAGMA busy_timeout').fetchone())"
    assert run(TABLE + source, speed=speed).printed == "<built-in function sleep> (5000,)\n"


def test_events_count_the_assignments_seconds(run: Run) -> None:
    """A run at a speed is told as if it had taken its time."""
    insert = "connection.execute('INSERT INTO t VALUES (1, 2)')\n"
    source = f"import time\n{insert}time.sleep(40)\nconnection.commit()\n"
    done = run(TABLE + source, speed=1000)
    assert done.told == ["wait 1", "hold 1", "commit 1"]
    assert done.events[0].t == 0
    assert done.events[-1].t >= 40
