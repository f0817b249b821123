"""The facts that flow: submission, evidence, results, report.

`Report` and what it contains are shaped exactly like the JSON report (version "1").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

REPORT_VERSION = "1"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert:
    """One insert that a transcript announces."""

    line: int
    process: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptRun:
    """One run of the program inside a transcript."""

    inserts: tuple[Insert, ...]
    """Each insert once, however often the run spoke of it."""
    lock_errors: tuple[int, ...]
    """Lines on which a lock error stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A pasted terminal, read: the runs it holds, in order."""

    runs: tuple[TranscriptRun, ...]
    placeholder: bool

    @property
    def lock_errors(self) -> tuple[int, ...]:
        """Lines of every lock error in any run."""
        return tuple(line for run in self.runs for line in run.lock_errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a student wrote for one question, without the question itself."""

    lines: tuple[tuple[int, str], ...]
    """(line number, text) of the answer, Markdown marks and all."""
    asked_line: int | None = None
    """The line the question stands on, or None when it is not in the README."""
    doubt: str | None = None
    """Why this may not be the student's answer, if there is a reason."""

    @property
    def text(self) -> str:
        """The answer's lines as one text; a blank line where lines are left out between them."""
        before = [number for number, _ in self.lines[:1]] + [number for number, _ in self.lines]
        gaps = zip(before, self.lines, strict=False)
        return "\n".join("\n" * (n - last > 1) + text for last, (n, text) in gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One moment of a run's trace; `t` in the assignment's seconds."""

    t: float
    process: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the student's script by us, as the JSON report tells it."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    duration: float
    speed: float
    wall_seconds: float
    exit_code: int | None
    timed_out: bool
    rows: int | None
    """Rows in the table when every process had ended; None when there is no such table."""
    lock_errors: int
    sandbox: str
    events: tuple[Event, ...] = ()


class Ending(Enum):
    """How a run came to its end."""

    FINISHED = "finished"
    TIMED_OUT = "timed out"
    FLOODED = "printed too much"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A run and what a reader needs to understand it."""

    run: Run
    ending: Ending
    error: str | None = None
    """The last error the script printed, without paths of this machine."""
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the selected criteria are judged by. Checks see this and nothing else."""

    submission: Submission
    script: ScriptFacts | SyntaxFault | None
    """None when there is no script to read."""
    editions: tuple[ScriptFacts, ...] = ()
    """Facts of the editions the student may have been given, likeliest first."""
    transcripts: Mapping[str, Transcript] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    runs: Mapping[str, RunOutcome] = field(default_factory=dict)


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
