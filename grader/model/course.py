"""A class: who is graded, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from grader.model.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One row of the roster."""

    key: str
    """The `student` column, unique in the roster; else the name of the submission's folder."""
    repository: str
    """A URL that git can fetch, or the path of a folder."""
    ref: str | None = None
    """The branch, tag or commit to grade; None for what the repository shows first."""
    name: str | None = None
    email: str | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Every other column of the row, such as `canvas_id`, by its heading."""
    line: int | None = None
    """The roster's line, counted from 1; None for a folder of submissions."""


class Outcome(str, Enum):
    """What became of one student's row."""

    GRADED = "graded"
    CACHED = "cached"
    """Graded earlier, and nothing has changed since."""
    FAILED = "failed"
    """It could not be graded; the reason says why. That is never a score of 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One student's result."""

    student: Student
    outcome: Outcome
    report: Report | None = None
    """None exactly when the outcome is FAILED."""
    reason: str | None = None
    """One plain sentence; None unless the outcome is FAILED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What similarity is looked for in: a student's own words, read once while grading."""

    student: str
    """The student's key."""
    answers: Mapping[str, str]
    """Criterion id -> what the student wrote for it."""
    transcripts: Mapping[str, str]
    """Configuration id -> the pasted terminal."""
    readme: str
    script: str
    remote: str | None = None
    """Where the repository was fetched from."""
