"""Events -> a timeline: who held the database and who waited for it, one lane a process.

The events come from untrusted scripts and transcripts: any number, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from grader.model import Event, EventKind
from grader.reports.inert import one_line

MOST_LANES = 12
MOST_SEGMENTS = 200
_NAME = 12
_LABEL = 24
_NOTICED = 0.25
"""Seconds of waiting, in the assignment's time, that a person would call waiting."""


class Kind(str, Enum):
    """What a process did during a segment."""

    WAITING = "waiting"
    HOLDING = "holding"
    BUSY = "busy"
    """It waited and then held the database; a pasted transcript does not say since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of time in a lane; seconds since the first event."""

    kind: Kind
    start: float
    end: float
    label: str
    """The record."""
    ended: EventKind | None = None
    """COMMIT or LOCKED; None when something else followed, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One process."""

    process: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All lanes, from 0 to `end`."""

    lanes: tuple[Lane, ...]
    end: float
    left_out: int = 0
    """Processes and segments that there was no room for."""

    @property
    def segments(self) -> tuple[tuple[str, Segment], ...]:
        """(process, segment) of every lane, in the order of time."""
        found = [(lane.process, segment) for lane in self.lanes for segment in lane.segments]
        return tuple(sorted(found, key=lambda each: (each[1].start, each[0])))

    @property
    def contended(self) -> bool:
        """Whether anybody waited so long that it can be seen."""
        return any(
            segment.ended is EventKind.LOCKED
            or (segment.kind is Kind.WAITING and segment.end - segment.start >= _NOTICED)
            for _, segment in self.segments
        )


def timeline(events: Iterable[Event], now: float | None = None) -> Timeline:
    """Orders events into lanes; what has not ended goes on until `now`, or the last event."""
    ordered = sorted(events, key=lambda event: event.t)
    if not ordered:
        return Timeline(lanes=(), end=0.0)
    start = ordered[0].t
    end = max(ordered[-1].t - start, 0.0 if now is None else now)
    by_process: dict[str, list[Event]] = {}
    for event in ordered:
        by_process.setdefault(one_line(event.process, _NAME), []).append(event)
    lanes = [
        Lane(process=process, segments=_segments(own, start, end))
        for process, own in sorted(by_process.items())
    ]
    shown, room, left_out = list[Lane](), MOST_SEGMENTS, 0
    for place, lane in enumerate(lanes):
        kept = lane.segments[:room] if place < MOST_LANES else ()
        left_out += len(lane.segments) - len(kept)
        room -= len(kept)
        if kept:
            shown.append(Lane(process=lane.process, segments=kept))
    return Timeline(lanes=tuple(shown), end=end, left_out=left_out)


def _segments(events: Sequence[Event], start: float, end: float) -> tuple[Segment, ...]:
    found: list[Segment] = []
    begun: Event | None = None

    def close(until: float, kind: Kind, ended: EventKind | None = None) -> None:
        if begun is not None:
            label = one_line(begun.label, _LABEL)
            first = begun.t - start
            found.append(Segment(kind=kind, start=first, end=until, label=label, ended=ended))

    for event in events:
        moment = event.t - start
        holds = begun is not None and begun.kind is EventKind.HOLD
        if event.kind is EventKind.COMMIT:
            close(moment, Kind.HOLDING if holds else Kind.BUSY, event.kind)
        elif begun is not None or event.kind is EventKind.LOCKED:
            ended = event.kind if event.kind is EventKind.LOCKED else None
            close(moment, Kind.HOLDING if holds else Kind.WAITING, ended)
        begun = event if event.kind in {EventKind.WAIT, EventKind.HOLD} else None
    close(end, Kind.HOLDING if begun and begun.kind is EventKind.HOLD else Kind.WAITING)
    return tuple(found)


# ---------------------------------------------------------------- in words

_TOLD = 4
"""Segments that are told one by one; a longer list is no story."""


def story(line: Timeline) -> str:
    """What happened in the run, in a paragraph."""
    if not line.lanes:
        return "No trace of this run was recorded, so there is nothing to draw."
    saved, lost = (_ended(line, kind) for kind in (EventKind.COMMIT, EventKind.LOCKED))
    told = [f"{_counted(len(line.lanes), 'process', 'processes')} wanted to write."]
    if line.contended:
        told += _holders(saved)
        told += [_gave_up(process, segment, line) for process, segment in lost[:_TOLD]]
        if len(lost) > _TOLD:
            told.append(f"So it went {len(lost) - _TOLD} more times.")
    else:
        told.append("Nobody had to wait for long.")
    asked = len(saved) + len(lost)
    if asked:
        told.append(f"In all, {len(saved)} of {asked} records were saved, in {line.end:.1f} s.")
    if line.left_out:
        told.append(f"{line.left_out} more steps are not shown.")
    return " ".join(told)


def _ended(line: Timeline, kind: EventKind) -> list[tuple[str, Segment]]:
    return [(process, segment) for process, segment in line.segments if segment.ended is kind]


def _holders(saved: Sequence[tuple[str, Segment]]) -> list[str]:
    """The first that held the database; what it did, the others did too."""
    first = next(((p, s) for p, s in saved if s.kind is Kind.HOLDING), None)
    if first is None:
        return []
    process, segment = first
    held = f"{segment.end - segment.start:.1f} s"
    return [f"{process} got the database first and held it for {held}{_for(segment)}."]


def _gave_up(process: str, segment: Segment, line: Timeline) -> str:
    holders = dict.fromkeys(
        other
        for other, its in line.segments
        if other != process and its.kind is not Kind.WAITING
        if its.start < segment.end and its.end > segment.start
    )
    waited = f"{process} waited {segment.end - segment.start:.1f} s"
    whom = f" for {_listed(list(holders))}" if holders else ""
    what = f": {segment.label} was not saved" if segment.label else ""
    return f"{waited}{whom}, then SQLite's patience was over and it gave up{what}."


def _for(segment: Segment) -> str:
    return f" to add {segment.label}" if segment.label else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _counted(number: int, one: str, many: str) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six")
    return f"{words[number] if number < len(words) else number} {one if number == 1 else many}"
