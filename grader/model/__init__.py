"""The facts that flow: submission, runs, evidence, report."""

from grader.model.course import Outcome, Row, Student, Work
from grader.model.evidence import Answer, Evidence, Insert, Transcript, TranscriptRun
from grader.model.options import AUTO_SPEED, MOST_SPEED, RunOptions, Sandbox
from grader.model.report import (
    REPORT_VERSION,
    Feedback,
    Files,
    Quote,
    Report,
    Result,
    SubmissionInfo,
    Verdict,
)
from grader.model.run import Ending, Event, EventKind, PastedRun, Run, RunOutcome
from grader.model.submission import (
    FileState,
    Note,
    ScriptFacts,
    Submission,
    SyntaxFault,
    TextFile,
)

__all__ = [
    "AUTO_SPEED",
    "MOST_SPEED",
    "REPORT_VERSION",
    "Answer",
    "Ending",
    "Event",
    "EventKind",
    "Evidence",
    "Feedback",
    "FileState",
    "Files",
    "Insert",
    "Note",
    "Outcome",
    "PastedRun",
    "Quote",
    "Report",
    "Result",
    "Row",
    "Run",
    "RunOptions",
    "RunOutcome",
    "Sandbox",
    "ScriptFacts",
    "Student",
    "Submission",
    "SubmissionInfo",
    "SyntaxFault",
    "TextFile",
    "Transcript",
    "TranscriptRun",
    "Verdict",
    "Work",
]
