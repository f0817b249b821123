"""What an instructor is told of a script that changes the tools it is measured with."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.oddities import oddities

ROOT = Path(__file__).resolve().parent.parent
PLAIN = [
    *(ROOT / "assignment").glob("*.py"),
    *(ROOT / "tests" / "submissions").glob("*/*.py"),
    *(ROOT / "tests" / "second_assignment").rglob("*.py"),
]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import time\ntime.sleep = print", "time.sleep on line 2"),
        ("import sqlite3 as db\ndb.connect = None", "db.connect on line 2"),
        ("from os import path\npath.exists = None", "path.exists on line 2"),
        ("import sys\nsys.modules['time'] = None", "sys.modules on line 2"),
        ("import sys\ndel sys.modules['time']", "sys.modules on line 2"),
        ("import time\ntime.__dict__['sleep'] = print", "time.__dict__ on line 2"),
        ("import time\nsetattr(time, 'sleep', print)", "setattr on line 2"),
        ("import os\nif 1:\n    os._exit(0)", "os._exit on line 3"),
        ("import atexit\natexit.register(print)", "atexit.register on line 2"),
        ("exec('import time')", "exec on line 1"),
        ("import os\nprint(os.environ['GRADER_TRACE'])", "GRADER_... on line 2"),
    ],
)
def test_replacements_are_told(source: str, said: str) -> None:
    """Whatever replaces a part of Python is named with its line."""
    (note,) = oddities("task.py", source, {})
    assert (note.kind, note.text) == ("replaced", f"task.py changes how Python works: {said}.")


@pytest.mark.parametrize(
    "source",
    [
        "import time\nsleep = time.sleep\nself = object()\nself.time = 3",
        "class A:\n    def __init__(self):\n        self.x = 1\n        setattr(self, 'y', 2)",
        "rows = {}\nrows['time'] = 1",
        "def broken(:",
        "",
    ],
)
def test_ordinary_code_is_not(source: str) -> None:
    """Code that only uses modules, or that Python cannot read, is nothing to tell."""
    assert list(oddities("task.py", source, {})) == []


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_plain_scripts_have_none(path: Path) -> None:
    """Nothing is said of what students receive and of ordinary solutions."""
    assert list(oddities(path.name, path.read_text("utf-8"), {})) == []


def test_long_lists_are_cut() -> None:
    """A script that replaces everything does not fill the report."""
    source = "import time\n" + "time.sleep = print\n" * 50
    (note,) = oddities("task.py", source, {})
    assert note.text.count("on line") == 5
