"""Makes a class as it hands its work in: real repositories of students who do not exist.

Most did the work in their own words, some did half of it or none, a few copied, and some of
their scripts or repositories are broken. The same seed always makes the same class, commit for
commit, and what a student wrote does not depend on how many others there are.
"""

from __future__ import annotations

import csv
import random
import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "assignment"
SAMPLES = ROOT / "tests" / "submissions"
ANSWERS = ROOT / "tests" / "cases" / "answers"

SCRIPT, README = "multiple_processes.py", "README.md"
TRANSCRIPTS = {
    "out0.txt": ("complete/out0.txt", "swapped-outputs/out3.txt"),
    "out3.txt": ("complete/out3.txt", "swapped-outputs/out0.txt"),
}
"""File -> samples to make a student's own from."""
FILES = ("00_check_core.py", SCRIPT, README, *TRANSCRIPTS)

Edits = Mapping[str, str]
"""What is replaced in a script, and so in what it prints."""

FIRST = (
    "Ana Ben Chloé Dmitri Elif Farid Grace Hiro Inés Jamal Kofi Lena Mateo Nadia Oskar Priya "
    "Quinn Rosa Samir Thuy Uma Viktor Wanda Xin Yusuf Zoë"
).split()
LAST = (
    "Abara Brandt Castillo Dupont Eriksen Fontaine Gupta Haddad Ito Jensen Kowalski Laurent Müller "
    "Nakamura Okafor Petrov Quiroga Rossi Santos Tran Usman Vargas Walker Xu Yilmaz Zhang"
).split()
PETS = "Bella Biscuit Coco Daisy Jasper Kiwi Luna Milo Nala Olive Pepper Shadow Yoda Ziggy".split()
COMPUTERS = r"""
(.venv) PS C:\Users\{0}\streaming-02\assignment> py|nt Windows 11|C:\Users\{0}\Python311\python.exe
C:\Users\{0}\repos\streaming-02> python|nt Windows 10|C:\Program Files\Python312\python.exe
{0}@MacBook-Air assignment % python3|posix Darwin 23.6.0|/opt/homebrew/bin/python3.12
{0}@laptop:~/streaming-02$ python3|posix Linux 6.8.0-49-generic|/home/{0}/.venv/bin/python3
""".strip().splitlines()
"""Prompt and command, system, interpreter; {0} is whose computer it is."""
SIGNED = {
    '"""Let': '"""{0}\n\nLet',
    "# The tools": "# {0}\n\n# The tools",
}
UNEDITED = 0.7
"""Part of a class that leaves the script as it is but for the duration; in real ones it is more."""
EDITS: Edits = {
    "    drop_table()\n": "    drop_table()  # get rid of the old one\n",
    "# How long one insert": "# I changed this for the second run.\n# How long one insert",
    "    # Wait until each of them has finished.\n": "    # join = wait for it\n",
    "Table 'pets' is ready.": "The table has been made.",
    "Table 'pets' is gone.": "Dropped the old table.",
    "every pet is in the database.": "all the pets made it!",
}
QUALITIES: Sequence[tuple[int, float, Sequence[str]]] = (
    (55, 1.0, ("correct",)),
    (25, 0.6, ("correct", "partial", "incorrect")),
    (10, 0.9, ("incorrect",)),
    (10, 0.0, ()),
)
"""Percent of the students, part of the questions that they answer, what their answers deserve."""
WAYS = ("own", "none", "swapped", "copied")
REPOSITORY_FAULTS = ("no repository", "empty repository", "deleted branch")
SCRIPT_FAULTS: Mapping[str, Edits] = {
    "syntax error": {"def create_table() -> None:": "def create_table() -> None"},
    "hangs": {"    p3.join()\n": "    p3.join()\n    multiprocessing.Event().wait()\n"},
    "crashes": {"    recreate_database()\n\n": "    recreate_databse()\n\n"},
    "floods": {"    recreate_database()\n\n": '    while True:\n        print("again" * 99)\n\n'},
}
FAULTS = (*REPOSITORY_FAULTS, *SCRIPT_FAULTS)
"""What is broken: each with one student of a hundred, and also when there are fewer."""

_FIRST_DAY = datetime(2026, 10, 5, 8, tzinfo=timezone.utc)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
_FORMAT = "%Y-%m-%d %H:%M:%S,%f"
_PROMPT = re.compile(r"^(?:\(\.venv\) PS|student@).*\n", re.MULTILINE)
_SYSTEM = re.compile(r"  Date and time:.*?(?=\n=)", re.DOTALL)
_QUESTION = re.compile(r"^(\d)\. .*\?.*$", re.MULTILINE)
_INSERT = re.compile(r'insert_pet\("P\d", "(\w+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Student:
    """Somebody of a class: who they are, and whatever they do, is a matter of dice."""

    seed: int
    number: int

    def dice(self, about: str) -> random.Random:
        """Dice that always fall in the same way."""
        return random.Random(f"{self.seed} {self.number} {about}")  # noqa: S311

    @property
    def name(self) -> str:
        dice = self.dice("name")
        return f"{dice.choice(FIRST)} {dice.choice(LAST)}"

    @property
    def login(self) -> str:
        first, last = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").split()
        return f"{(first[:1] + last).decode().lower()}{self.number:03}"

    @property
    def began(self) -> datetime:
        """When they ran their script."""
        return _FIRST_DAY + timedelta(seconds=self.dice("began").randrange(14 * 24 * 3600))


def make_class(folder: Path, students: int, seed: int) -> Path:
    """Makes the repositories of a class, all bare, and its roster; returns the roster's path."""
    folder.mkdir(parents=True, exist_ok=True)
    order = random.Random(seed).sample(range(students), students)  # noqa: S311
    faults = dict(zip(order, FAULTS * max(1, students // 100), strict=False))
    roster = folder / "roster.csv"
    with roster.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("student", "repository", "ref", "name", "email", "canvas_id"))
        for number in range(students):
            fault = faults.get(number, "")
            table.writerow(_enrolled(folder, _Student(seed=seed, number=number), fault))
    return roster


def _enrolled(folder: Path, student: _Student, fault: str) -> Sequence[object]:
    """Makes the student's repository; the roster's line."""
    home = Path("repositories", f"{student.login}.git")
    if fault != "no repository":
        _begin_repository(folder / home)
    if fault not in {"no repository", "empty repository"}:
        _import(folder / home, _commits(student, SCRIPT_FAULTS.get(fault, {})))
    branch = "my-answers" if fault == "deleted branch" else ""
    email = f"{student.login}@example.edu"
    return student.login, home.as_posix(), branch, student.name, email, 40_000 + student.number


# ---------------------------------------------------------------- the script


def _script(student: _Student, fault: Edits) -> str:
    duration = student.dice("duration").choice((0, 3))
    given = _text(STARTER / SCRIPT).replace("SECONDS = 0\n", f"SECONDS = {duration}\n")
    return _edited(given, {**_edits(student), **fault})


def _edits(student: _Student) -> Edits:
    """What the student made of the script; most of them change the duration alone."""
    dice = student.dice("edits")
    if dice.random() < UNEDITED:
        return {}
    place, signed = dice.choice(list(SIGNED.items()))
    pets = _INSERT.findall(_text(STARTER / SCRIPT)) if dice.random() < 0.2 else []
    return {
        place: signed.format(f"{student.name}, {student.began:%d %B %Y}"),
        **dict(dice.sample(list(EDITS.items()), dice.randrange(4))),
        **dict(zip(pets, dice.sample(PETS, len(pets)), strict=True)),
    }


def _edited(text: str, edits: Edits) -> str:
    for old, new in edits.items():
        text = text.replace(old, new)
    return text


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


# ---------------------------------------------------------------- the answers


def _readme(student: _Student) -> str:
    """The page with the answers: all of them, some, mostly wrong ones, or none."""
    dice = student.dice("answers")
    _, part, verdicts = dice.choices(QUALITIES, [weight for weight, _, _ in QUALITIES])[0]

    def answered(question: re.Match[str]) -> str:
        if dice.random() >= part:
            return question[0]
        return f"{question[0]}\n\n{dice.choice(_answers(question[1], tuple(verdicts)))}"

    return _QUESTION.sub(answered, _text(STARTER / README))


@cache
def _answers(question: str, verdicts: tuple[str, ...]) -> Sequence[str]:
    cases = yaml.safe_load(_text(ANSWERS / f"q{question}.yaml"))
    own = (case for case in cases if "edition" not in case)
    return [case["answer"] for case in own if case["verdict"] in verdicts]


# ---------------------------------------------------------------- the transcripts


def _transcripts(student: _Student) -> Mapping[str, str]:
    """The student's own, none, the two swapped, or another student's."""
    way = student.dice("transcripts").choices(WAYS, weights=(82, 8, 5, 5))[0]
    if way == "none":
        return {name: _text(STARTER / name) for name in TRANSCRIPTS}
    author = replace(student, number=student.number - 1) if way == "copied" else student
    texts = [_transcript(author, name) for name in TRANSCRIPTS]
    return dict(zip(TRANSCRIPTS, texts[::-1] if way == "swapped" else texts, strict=True))


def _transcript(student: _Student, name: str) -> str:
    """A run as it looked on the student's own computer, at a time of its own."""
    computer = student.dice("computer").choice(COMPUTERS)
    command, system, interpreter = computer.format(student.login).split("|")
    dice = student.dice(name)
    began = student.began + timedelta(milliseconds=dice.randrange(3_600_000))
    facts = (
        f"  Date and time:      {began:%Y-%m-%d %H:%M}\n  Operating system:   {system}\n"
        f"  Python version:     3.12.{dice.randrange(9)}\n  Python interpreter: {interpreter}"
    )
    sample = _PROMPT.sub("", _text(SAMPLES / dice.choice(TRANSCRIPTS[name])))
    printed = _MOMENT.sub(_clock(began, dice), _edited(sample, _edits(student)))
    prompt = command.rpartition(" ")[0]
    return f"{command} {SCRIPT}\n{_SYSTEM.sub(lambda _: facts, printed)}{prompt}\n"


def _clock(began: datetime, dice: random.Random) -> Callable[[re.Match[str]], str]:
    """Moves the moments of a run to another time, and each of them a little further."""
    first: datetime | None = None
    late = timedelta()

    def moved(found: re.Match[str]) -> str:
        nonlocal first, late
        moment = datetime.strptime(f"{found[0]}+0000", f"{_FORMAT}%z")
        first = first or moment
        late += timedelta(milliseconds=dice.randrange(5))
        return f"{began + (moment - first) + late:{_FORMAT}}"[:-3]

    return moved


# ---------------------------------------------------------------- the repository


def _begin_repository(home: Path) -> None:
    """What `git init --bare` makes, without starting git."""
    (home / "objects").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "HEAD").write_text("ref: refs/heads/main\n", "ascii")
    (home / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n", "ascii")


def _import(home: Path, commits: Iterator[bytes]) -> None:
    # One pack instead of many small files, as a server has it.
    git = ("git", "--git-dir", str(home), "-c", "fastimport.unpackLimit=0")
    subprocess.run((*git, "fast-import", "--quiet"), input=b"".join(commits), check=True)


def _commits(student: _Student, fault: Edits) -> Iterator[bytes]:
    """What `git fast-import` reads: the starter, then the student's work in a few steps."""
    dice = student.dice("commits")
    place = dice.choice(("assignment/", "assignment/", "assignment/", ""))
    given = {name: _text(STARTER / name) for name in FILES}
    yield _commit("The course <staff@example.edu>", _FIRST_DAY, "The assignment", place, given)
    work = {SCRIPT: _script(student, fault), README: _readme(student), **_transcripts(student)}
    steps = dice.randint(1, len(work))
    for step in range(steps):
        changed = dict(list(work.items())[step::steps])
        when = student.began + timedelta(hours=2, minutes=step)
        author, message = dice.choice(_authors(student)), f"Update {', '.join(changed)}"
        yield _commit(author, when, message, place, changed)


def _authors(student: _Student) -> Sequence[str]:
    """The names that one student commits by: at the computer, and on GitHub's pages."""
    name, login = student.name, student.login
    hidden = f"{student.number}+{login}@users.noreply.github.com"
    return f"{name} <{login}@example.edu>", f"{login} <{hidden}>", f"{name[:3]} <{login}@laptop>"


def _commit(
    author: str, when: datetime, message: str, place: str, files: Mapping[str, str]
) -> bytes:
    head = f"commit refs/heads/main\ncommitter {author} {int(when.timestamp())} +0000\n"
    parts = [head.encode(), _data(message)]
    for name, text in files.items():
        parts += [f"M 100644 inline {place}{name}\n".encode(), _data(text)]
    return b"".join(parts)


def _data(text: str) -> bytes:
    content = text.encode()
    return b"data %d\n%s\n" % (len(content), content)
