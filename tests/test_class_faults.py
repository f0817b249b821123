"""A roster in which everything is wrong: each line becomes a row with a plain reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.batch import Graded, grade_roster
from grader.course import Settings
from grader.model import Outcome, Row, RunOptions, Verdict
from tests.support import tiny_class as tiny
from tests.support.forge import forge

Make = Callable[[Path], object]
"""Makes a submission in a folder."""


def script(text: str) -> Make:
    return lambda folder: tiny.write(folder, tiny.files(script=text))


def instead(name: str, make: Make) -> Make:
    """A complete submission, but for one file."""

    def made(folder: Path) -> None:
        tiny.write(folder, tiny.files())
        (folder / name).unlink()
        make(folder / name)

    return made


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)


def empty_repository(folder: Path) -> None:
    folder.mkdir(parents=True)
    tiny.git(folder, "init", "--quiet")


def damaged(folder: Path) -> None:
    """A repository that has lost a file that students are graded by."""
    tiny.commit(folder, tiny.files())
    blob = tiny.git(folder, "rev-parse", "HEAD:README.md")
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def work(folder: Path) -> None:
    tiny.commit(folder, tiny.files())


# student -> how the folder is made, and what its row must say
FOLDERS: dict[str, tuple[Make, str]] = {
    "hangs": (script(f"{tiny.SCRIPT}    while True: pass\n"), "stopped after 2 s"),
    "floods": (script("PAUSE = 0\nwhile True: print('x' * 1000)\n"), "printed more than"),
    "eats memory": (script("PAUSE = 0\nx = bytearray(10**12)\n"), "memory"),
    "crashes": (script("PAUSE = 0\nprint(1 / 0)\n"), "ZeroDivisionError"),
    "no python": (script("PAUSE = 0\ndef ("), "Python cannot read count.py: line 2"),
    "no constant": (script("print('Begin')\n"), "PAUSE"),
    "nothing": (lambda folder: folder.mkdir(parents=True), "README"),
    "huge readme": (instead("README.md", huge), "larger than"),
    "link": (instead("README.md", lambda path: path.symlink_to("/etc/passwd")), "is a link"),
    "pipe": (instead("quick.txt", os.mkfifo), "no ordinary file"),
    "folder": (instead("quick.txt", lambda path: path.mkdir()), "is a folder"),
    "junk": (
        instead("quick.txt", lambda path: path.write_bytes(bytes(range(256)) * 40)),
        "shows 0 of the 2",
    ),
}
# student -> the rest of the roster's line, and what its row must say
LINES: dict[str, tuple[str, str]] = {
    "private": ("https://{host}/private", "is private or does not exist"),
    "forbidden": ("https://{host}/forbidden", "You are not allowed to read"),
    "gone": ("https://{host}/gone", "There is no repository at"),
    "nobody there": ("https://me:s3cret@127.0.0.1:1/x?token=s3cret", "https://127.0.0.1:1/x"),
    "no encryption": ("http://{host}/good", "https://"),
    "command": ("ext::sh -c touch% owned", "ext::"),
    "no address": ("github.com/someone/work", "does not start with https://"),
    "space": ("https://{host}/go od", "there is a space in the address"),
    "two refs": ("https://{host}/good@one,two", "names the ref one, and the line names two"),
    "odd ref": ("https://{host}/good,--upload-pack=x", "is no name of a branch, tag or commit"),
    "deleted branch": ("https://{host}/good,gone", "gone"),
    "empty repository": ("made/empty,main", "empty"),
    "damaged": ("made/damaged,main", "has lost what was in README.md"),
    "no folder": ("made/none", "there is no folder"),
    "a file": ("roster.csv", "there is no folder"),
    "no repository": ("made/plain,main", "is no git repository"),
    "twice": ("made/twice", "name the same student"),
    "TWICE": ("made/other", "name the same student"),
    "shared": ("made/shared", "give the same repository"),
    "sharing": ("made/../made/shared", "give the same repository"),
    "left out": ("", "there is no repository"),
    "short": ("{nothing}", "there is only 1 of 3 fields"),
    "long": ("made/long,,x,y", "there are 5 fields where 3 are expected"),
    "wordy": ("made/" + "x" * 2000, "is longer than"),
    "odd\x07name": ("made/bell", "holds a character that cannot be seen"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes with a name")
def test_thirty_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault costs its own row alone, and the row says in plain words what it is."""
    bare = tmp_path / "forge"
    bare.mkdir()
    for name in ("good", "private", "forbidden"):
        work(tmp_path / "source" / name)
        tiny.git(bare, "clone", "--quiet", "--bare", str(tmp_path / "source" / name), name)
    with forge(bare) as server:
        server.faults = {"private": [401] * 9, "forbidden": [403] * 9}
        monkeypatch.setenv("GIT_SSL_CAINFO", str(bare / "ca.pem"))
        graded = grade(tmp_path, f"127.0.0.1:{server.server_port}")

    rows = {row.student.key: row for row in graded.rows}
    assert len(graded.rows) == len(FOLDERS) + len(LINES) + 1 >= 31
    assert [key for key, row in rows.items() if not lost(row)] == ["fine"]
    said = {key: words for key, (_, words) in {**FOLDERS, **LINES}.items()}
    told = {row.student.line: reason(row) for row in graded.rows}
    for line, (key, words) in enumerate(said.items(), start=2):
        assert words in told[line], key
        assert not {"Traceback", "fatal:", "Errno"} & set(told[line].split()), key
    assert len(list((tmp_path / "marks" / "feedback").glob("*.html"))) == len(FOLDERS) + 1
    written = [path for path in (tmp_path / "marks").rglob("*") if path.is_file()]
    assert [path for path in written if b"s3cret" in path.read_bytes()] == []


def grade(home: Path, host: str) -> Graded:
    rubric = tiny.write_rubric(home)
    rubric.write_text(tiny.RUBRIC.replace("wall_seconds: 20", "wall_seconds: 2"), "utf-8")
    for name, (make, _) in FOLDERS.items():
        make(home / "made" / name)
    for name in ("twice", "other", "shared", "long", "bell", "fine", "plain"):
        tiny.write(home / "made" / name, tiny.files())
    empty_repository(home / "made" / "empty")
    damaged(home / "made" / "damaged")
    lines = [f"{name},made/{name}," for name in FOLDERS]
    for name, (rest, _) in LINES.items():
        whole = f"{name},{rest}".replace("{host}", host).removesuffix(",{nothing}")
        lines.append(whole + "," * (2 - whole.count(",")) * ("{nothing}" not in rest))
    text = "\n".join(["student,repository,ref", *lines, "fine,made/fine,", ""])
    (home / "roster.csv").write_text(text, encoding="utf-8")
    settings = Settings(options=RunOptions())
    return grade_roster(
        home / "roster.csv", home / "marks", load_assignment(rubric), settings, jobs=8
    )


def lost(row: Row) -> bool:
    return row.report is None or row.report.score < row.report.max_score


def reason(row: Row) -> str:
    """Why a row is not full marks."""
    if row.report is None:
        assert row.outcome is Outcome.FAILED
        return row.reason or ""
    bad = [result for result in row.report.criteria if result.verdict is not Verdict.CORRECT]
    return " ".join(f"{result.feedback.what} {result.feedback.actual}" for result in bad)
