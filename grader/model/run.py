"""One run of the student's script by us."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class EventKind(str, Enum):
    """What happened to an insert at one moment."""

    WAIT = "wait"
    """It asked for the right to write."""
    HOLD = "hold"
    """It got it: nobody else can write now."""
    COMMIT = "commit"
    """Its record is in the database, and the right to write is free again."""
    LOCKED = "locked"
    """It gave up with a lock error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One moment of a run; `t` in the assignment's seconds since the run began."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    t: float
    process: str
    kind: EventKind
    label: str
    """The record, as far as it is known: its first value."""


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
    """In the order of time; empty when the run left no trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedRun:
    """What a pasted transcript tells of the student's own run; the same shape as our trace."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    """The configuration's id."""
    duration: float
    """Seconds that the constant should have been set to."""
    file: str
    events: tuple[Event, ...]


class Ending(Enum):
    """How a run came to its end."""

    FINISHED = "finished"
    TIMED_OUT = "timed out"
    FLOODED = "printed too much"
    CPU = "used too much processor time"
    MEMORY = "used too much memory"
    PROCESSES = "started too many processes"
    DISK = "wrote too much"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A run and what a reader needs to understand it."""

    run: Run
    ending: Ending
    error: str | None = None
    """The last error the script printed, without paths of this machine."""
    tail: str = ""
