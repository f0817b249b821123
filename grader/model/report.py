"""The JSON report (version "1"): `Report` and what it contains are shaped exactly like it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from grader.model.run import PastedRun, Run
from grader.model.submission import Note

REPORT_VERSION = "1"


class Verdict(str, Enum):
    """What a criterion came to; `ERROR` is the grader's own fault."""

    CORRECT = "correct"
    PARTIAL = "partial"
    INCORRECT = "incorrect"
    MISSING = "missing"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A line of the submission that a verdict rests on."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str
    line: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What to tell the reader: what was looked at, wanted, found, and where to look next."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    what: str
    expected: str | None = None
    """Filled only when expected answers are to be revealed."""
    actual: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One criterion, judged."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    title: str
    verdict: Verdict
    score: float
    max_score: float
    needs_review: bool
    confidence: float
    feedback: Feedback
    evidence: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that were graded, relative to the submission; null when not there."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    script: str | None
    readme: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionInfo:
    """Which submission a report is about."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    path: str
    student: str | None
    commit: str | None
    files: Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one grading has to say."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    version: str
    assignment: str
    grader: str
    rubric_sha256: str
    submission: SubmissionInfo
    score: float
    max_score: float
    needs_review: bool
    criteria: tuple[Result, ...]
    runs: tuple[Run, ...]
    notes: tuple[Note, ...]
    pasted: tuple[PastedRun, ...] = ()
    """The student's own runs, where the pasted transcripts carry times."""
