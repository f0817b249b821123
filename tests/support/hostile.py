"""Attacks on the grader: each is a file in tests/hostile, with what must become of it."""

from __future__ import annotations

import base64
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, model_validator

from grader.criteria import Strict
from grader.model import Verdict
from grader.rubric import Limits

TESTS = Path(__file__).resolve().parent.parent
FOLDER = TESTS / "hostile"
SAMPLE = TESTS / "submissions" / "complete"
SECRET = "CANARY"  # noqa: S105
"""Stands in an attack's text for the path of a file outside of the submission.

`CANARY_FOLDER` stands for the folder that it is in, `CANARY_NAME` for its name in there.
"""
_FOLDER_NAME = "n" * 100


class Kind(str, Enum):
    """What is attacked."""

    RUNNING = "running"
    READING = "reading"
    REPORTING = "reporting"


class Content(Strict):
    """What is put in the place of a file: one of these."""

    text: str | None = None
    bytes: str | None = None
    """In base64."""
    repeat: tuple[str, int] | None = None
    sparse: int | None = None
    """A file of so many bytes that takes no room on the disk."""
    link: str | None = None
    hardlink: str | None = None
    many: int | None = None
    """So many empty files, each with a number behind the name."""
    deep: int | None = None
    """So many folders, one in the other."""
    folder: bool | None = None
    fifo: bool | None = None
    socket: bool | None = None
    remove: bool | None = None

    @model_validator(mode="after")
    def _one(self) -> Content:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"give one of {', '.join(_MAKERS)}")
        return self


class Attack(Strict):
    """An attack, and what must become of it."""

    tries: str
    must: str
    kind: Kind = Field(strict=False)
    safe_outside: bool
    """Whether it may be tried without a sandbox on somebody's computer."""
    files: dict[str, Content] = {}
    """Laid over the complete sample."""
    git: dict[str, Content] = {}
    """Laid over an empty `.git` folder."""
    expect: dict[str, Verdict]
    """Criterion -> the verdict it deserves; the others are as for the complete sample."""
    notes: tuple[str, ...] = ()
    """Kinds of notes that the report must hold."""
    limits: dict[str, int | float] = {}
    """Limits other than the rubric's, so that it does not take long."""

    def limited(self, limits: Limits) -> Limits:
        """The limits that it is tried with."""
        return Limits(**{**limits.model_dump(), "wall_seconds": 10, **self.limits})


def load(path: Path) -> Attack:
    """Reads an attack; raises ValidationError when the file is not as it must be."""
    return Attack.model_validate(yaml.safe_load(path.read_text("utf-8")), strict=False)


def build(attack: Attack, folder: Path, canary: Path) -> Path:
    """Makes the submission that attacks; `canary` is what it must neither read nor change."""
    shutil.copytree(SAMPLE, folder)
    _lay(attack.files, folder, canary)
    _lay(attack.git, folder / ".git", canary)
    return folder


def _lay(files: Mapping[str, Content], folder: Path, canary: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            path.unlink()
        ((maker, given),) = content.model_dump(exclude_unset=True).items()
        _MAKERS[maker](path, _filled(given, canary) if isinstance(given, str) else given)


def _filled(text: str, canary: Path) -> str:
    text = text.replace(f"{SECRET}_FOLDER", str(canary.parent))
    return text.replace(f"{SECRET}_NAME", canary.name).replace(SECRET, str(canary))


def _text(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="")


def _repeat(path: Path, given: tuple[str, int]) -> None:
    _text(path, given[0] * given[1])


def _sparse(path: Path, size: int) -> None:
    path.touch()
    os.truncate(path, size)


def _many(path: Path, number: int) -> None:
    for place in range(number):
        os.close(os.open(f"{path}{place}", os.O_CREAT))


def _deep(path: Path, levels: int) -> None:
    """Folders with a path far longer than any system call takes."""
    path.mkdir()
    here = os.open(path, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(_FOLDER_NAME, dir_fd=here)
        below = os.open(_FOLDER_NAME, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def _socket(path: Path, _: bool) -> None:
    # The address of a socket has room for a short path alone.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as service:
            service.bind(path.name)
    finally:
        os.chdir(here)


_MAKERS: dict[str, Callable[[Path, Any], object]] = {
    "text": _text,
    "bytes": lambda path, data: path.write_bytes(base64.b64decode(data)),
    "repeat": _repeat,
    "sparse": _sparse,
    "link": lambda path, target: path.symlink_to(target),
    "hardlink": lambda path, target: path.hardlink_to(target),
    "many": _many,
    "deep": _deep,
    "folder": lambda path, _: path.mkdir(),
    "fifo": lambda path, _: os.mkfifo(path),
    "socket": _socket,
    "remove": lambda _path, _: None,
}
