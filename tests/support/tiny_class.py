"""A tiny assignment, whose script takes a moment, and students who handed it in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

RUBRIC = """\
assignment: tiny
starter: starter
readme: README
script: {file: count.py, constant: PAUSE, table: fruits, processes: 1, records_each: 2}
output:
  starts: [Begin]
  ends: [End]
  inserts: ["{process} adds '{name}'"]
  lock_error: database is locked
limits: {wall_seconds: 20}
configurations:
  quick: {duration: 0, transcript: quick.txt, expect: every_insert}
criteria:
  run-quick:
    type: run
    configuration: quick
    title: The script works
    points: 4
    hint: Run it.
  quick:
    type: transcript
    configuration: quick
    title: quick.txt shows a run
    points: 4
    hint: Run it and paste the terminal.
  fruits:
    type: number
    value: 2
    title: Fruits
    points: 2
    ask: ["How many fruits are added?"]
    nouns: [fruit, fruits]
    hint: Count them.
    examples:
      - {answer: "2", verdict: correct}
      - {answer: "two fruits", verdict: correct}
      - {answer: "3", verdict: incorrect}
"""
SCRIPT = """\
import sqlite3

PAUSE = 0


def add(name):
    print(f"One adds '{name}'")
    with sqlite3.connect("basket.db") as basket:
        basket.execute("INSERT INTO fruits VALUES (?)", (name,))


if __name__ == "__main__":
    print("Begin")
    with sqlite3.connect("basket.db") as basket:
        basket.execute("CREATE TABLE fruits (name TEXT)")
    add("apple")
    add("pear")
    print("End")
"""
QUESTION = "How many fruits are added?"
TRANSCRIPT = "Begin\nOne adds 'apple'\nOne adds 'pear'\nEnd\n"
POINTS = 10


def write_rubric(folder: Path) -> Path:
    """The rubric's file, and the starter beside it."""
    write(
        folder / "starter", {"README.md": f"1. {QUESTION}\n", "count.py": SCRIPT, "quick.txt": "\n"}
    )
    path = folder / "rubric.yaml"
    path.write_text(RUBRIC, encoding="utf-8")
    return path


def files(**changed: str) -> dict[str, str]:
    """A complete submission's; `script`, `answer` and `transcript` may be other ones."""
    return {
        "README.md": f"1. {QUESTION}\n\n   {changed.get('answer', 'Two fruits are added.')}\n",
        "count.py": changed.get("script", SCRIPT),
        "quick.txt": changed.get("transcript", TRANSCRIPT),
    }


def write(folder: Path, contents: dict[str, str]) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def git(folder: Path, *arguments: str, at: str = "2026-11-01T12:00:00+00:00") -> str:
    """What git says."""
    who = {
        f"GIT_{role}_{part}": "a@b.c"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    when = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **who, **when},
    )
    return done.stdout.strip()


def commit(folder: Path, contents: dict[str, str], at: str = "2026-11-01T12:00:00+00:00") -> str:
    """Commits a change, in a new repository if there is none."""
    write(folder, contents)
    if not (folder / ".git").is_dir():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "work", at=at)
    return git(folder, "rev-parse", "HEAD")


def roster(path: Path, lines: dict[str, str | Path], *columns: str) -> Path:
    """A roster: the student's key -> repository, or the rest of the line."""
    text = "".join(f"{key},{rest}\n" for key, rest in lines.items())
    path.write_text(",".join(["student", "repository", *columns]) + "\n" + text, encoding="utf-8")
    return path
