"""All that the selected criteria are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.model.run import PastedRun, RunOutcome
from grader.model.submission import ScriptFacts, Submission, SyntaxFault


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
    pasted: tuple[PastedRun, ...] = ()
