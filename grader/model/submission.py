"""What a student handed in, as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class FileState(Enum):
    """What was found where a file of the submission should be."""

    PRESENT = "present"
    MISSING = "missing"
    EMPTY = "empty"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """One file of a submission, decoded; lines end in `\\n` whatever the file used."""

    name: str
    """Path relative to the submission, with `/`; the expected name when there is no file."""
    state: FileState
    text: str = ""
    encoding: str | None = None
    problem: str | None = None
    """One plain sentence when the file is unreadable or had bytes that are no text."""

    @property
    def present(self) -> bool:
        """Whether there is text to look at."""
        return self.state is FileState.PRESENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something the reader should know that is worth no points, such as a missing git."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A student's work as it was read: nothing here touches the disk again."""

    path: str
    """The folder or URL as the user gave it."""
    script: TextFile
    readme: TextFile
    transcripts: Mapping[str, TextFile]
    """Configuration id -> the transcript pasted for it."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """File name -> source of the student's own modules beside the script."""
    commit: str | None = None
    remote: str | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFacts:
    """What a script's source says, or what a rubric's edition says of its script.

    Lines count from 1. `None` means "cannot be told from here".
    """

    source: str
    imports: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    constant: str | None = None
    constant_line: int | None = None
    main_line: int | None = None
    main_end: int | None = None
    processes: int | None = None
    records: int | None = None
    """Records that each process inserts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxFault:
    """Where Python stops reading a script, and why."""

    line: int
    text: str
    message: str
