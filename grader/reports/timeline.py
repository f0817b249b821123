"""Events -> a timeline: who held the database and who waited for it, one lane a process.

The events come from untrusted scripts and transcripts: any number, in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from grader.model import Event, EventKind
from grader.reports.inert import one_line

MOST_LANES = 12
MOST_SEGMENTS = 200
_NAME = 12
_LABEL = 24
_LONGEST = 1e6
"""Seconds; what claims a later moment than this, either way, is left out."""
_NOTICED = 0.25
"""Seconds of waiting, in the assignment's time, that a person would call waiting."""
_AT_ONCE = 0.002
"""Seconds that nobody waited who got the database no later than this."""
_UNSEEN = 0.002
"""Share of a timeline that is too short to be seen in a drawing, and no waiting either."""
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30, 60, 600, 3600)


class Kind(str, Enum):
    """What a process did during a segment."""

    WAITING = "waiting"
    HOLDING = "holding"
    BUSY = "waiting or holding"
    """A pasted transcript does not say when waiting came to its end."""


_ENDS = {EventKind.COMMIT: ", then saved", EventKind.LOCKED: ", then locked out"}


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

    @property
    def told(self) -> str:
        """What the process did, and how that ended, in a few words."""
        return self.kind.value + (_ENDS[self.ended] if self.ended else "")

    @property
    def when(self) -> str:
        """From which second to which."""
        places = 2 if self.end >= 1 else 3
        return f"{self.start:.{places}f} to {self.end:.{places}f}"


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
    processes: int
    """These and the following count what is not shown too."""
    saved: int
    locked_out: int
    untold: int
    """Processes of which the last end is not known."""
    left_out: int
    """Segments that there was no room for, and events at impossible moments."""

    @property
    def segments(self) -> tuple[tuple[str, Segment], ...]:
        """(process, segment) of every lane, in the order of time."""
        found = [(lane.process, segment) for lane in self.lanes for segment in lane.segments]
        return tuple(sorted(found, key=lambda each: (each[1].start, each[0])))

    @property
    def contended(self) -> bool:
        """Whether anybody waited so long that it can be seen."""
        return bool(self.locked_out) or any(
            segment.kind is Kind.WAITING and segment.end - segment.start >= _NOTICED
            for _, segment in self.segments
        )


def timeline(events: Iterable[Event], now: float | None = None) -> Timeline:
    """Orders events into lanes; what has not ended goes on until `now`, or the last event."""
    given = tuple(events)
    ordered = sorted((e for e in given if abs(e.t) <= _LONGEST), key=lambda event: event.t)
    start = ordered[0].t if ordered else 0.0
    end = max(ordered[-1].t - start if ordered else 0.0, now or 0.0)
    lanes = _lanes(ordered, start, end)
    shown = _fitting(lanes)
    every = [segment for lane in lanes for segment in lane.segments]
    drawn = sum(len(lane.segments) for lane in shown)
    return Timeline(
        lanes=shown,
        end=end,
        processes=len(lanes),
        saved=sum(segment.ended is EventKind.COMMIT for segment in every),
        locked_out=sum(segment.ended is EventKind.LOCKED for segment in every),
        untold=sum(lane.segments[-1].ended is None for lane in lanes),
        left_out=len(every) - drawn + len(given) - len(ordered),
    )


def ticks(seconds: float, most: int) -> Iterator[float]:
    """Round moments from 0 to `seconds`, `most` steps apart at most."""
    step = next((step for step in _STEPS if seconds / step <= most), seconds)
    for number in range(int(seconds / step) + 1):
        yield round(number * step, 6)


def _lanes(ordered: Sequence[Event], start: float, end: float) -> list[Lane]:
    untold = Kind.WAITING if any(e.kind is EventKind.HOLD for e in ordered) else Kind.BUSY
    by_process: dict[str, list[Event]] = {}
    for event in ordered:
        by_process.setdefault(event.process, []).append(event)
    return [
        Lane(process=_short(process), segments=_segments(own, start, end, untold))
        for process, own in sorted(by_process.items(), key=lambda each: (len(each[0]), each[0]))
    ]


def _fitting(lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """What there is room for, the same share of it for each process."""
    shown = lanes[:MOST_LANES]
    room = MOST_SEGMENTS // max(len(shown), 1)
    return tuple(Lane(process=each.process, segments=each.segments[:room]) for each in shown)


def _short(name: str) -> str:
    """Cut in the middle: what tells processes apart is often the number at the end."""
    line = one_line(name)
    return line if len(line) <= _NAME else f"{line[:4]}...{line[-5:]}"


def _segments(
    events: Sequence[Event], start: float, end: float, untold: Kind
) -> tuple[Segment, ...]:
    """What lies between a process's events; `untold` is what it did unless it is known."""
    found: list[Segment] = []

    def add(begun: Event, until: float, kind: Kind, ended: EventKind | None = None) -> None:
        kind = Kind.HOLDING if begun.kind is EventKind.HOLD else kind
        label = one_line(begun.label, _LABEL)
        first = begun.t - start
        found.append(Segment(kind=kind, start=first, end=until, label=label, ended=ended))

    begun: Event | None = None
    for event in events:
        if event.kind in _ENDS:
            kind = Kind.BUSY if event.kind is EventKind.COMMIT else Kind.WAITING
            add(begun or event, event.t - start, kind, event.kind)
            begun = None
        else:
            kind = Kind.WAITING if event.kind is EventKind.HOLD else untold
            if begun and not _at_once(begun, event, end):
                add(begun, event.t - start, kind)
            begun = event
    if begun:
        add(begun, end, untold)
    return tuple(found)


def _at_once(begun: Event, event: Event, end: float) -> bool:
    got = begun.kind is EventKind.WAIT and event.kind is EventKind.HOLD
    return got and event.t - begun.t <= max(_AT_ONCE, _UNSEEN * end)


# ---------------------------------------------------------------- in words

_TOLD = 4
"""Those that gave up who are told one by one; a longer list is no story."""
_NAMED = 3
"""Processes that one sentence names."""
_SHARE = 0.05
"""Share of a wait below which nobody would say that it was for this process."""


def story(line: Timeline) -> str:
    """What happened in the run, in a paragraph."""
    if not line.lanes:
        return "No trace of this run was recorded, so there is nothing to draw."
    return " ".join(_sentences(line))


def _sentences(line: Timeline) -> Iterator[str]:
    yield f"{_counted(line.processes, 'process', 'processes')} wanted to write."
    yield from _waiting(line) if line.contended else ["Nobody had to wait for long."]
    if asked := line.saved + line.locked_out:
        yield f"In all, {line.saved} of {asked} inserts were saved, in {_seconds(line.end)}."
        if line.untold:
            yield f"How {line.untold} more ended is not told."
    if line.left_out:
        yield f"{line.left_out} more steps are not shown."


def _waiting(line: Timeline) -> Iterator[str]:
    first = next(((p, s) for p, s in line.segments if s.kind is Kind.HOLDING), None)
    if first:
        process, segment = first
        held = _seconds(segment.end - segment.start)
        yield f"{process} got the database first and held it for {held}{_for(segment)}."
    lost = [(p, s) for p, s in line.segments if s.ended is EventKind.LOCKED]
    for process, segment in lost[:_TOLD]:
        yield _gave_up(process, segment, line)
    if (more := line.locked_out - len(lost[:_TOLD])) > 0:
        yield f"So it went {more} more {'time' if more == 1 else 'times'}."
    if not line.locked_out:
        waits = [(p, s) for p, s in line.segments if s.kind is Kind.WAITING]
        process, segment = max(waits, key=lambda each: each[1].end - each[1].start)
        longest = _seconds(segment.end - segment.start)
        yield f"{process} waited longest, {longest}, and nobody had to give up."


def _gave_up(process: str, segment: Segment, line: Timeline) -> str:
    spent = _seconds(segment.end - segment.start)
    did = f"waited {spent}{_whom(process, segment, line)}"
    if segment.kind is Kind.HOLDING:
        did = f"held the database for {spent}"
    lost = _lost(segment, line)
    return f"{process} {did}, then SQLite's patience was over and it gave up{lost}."


def _whom(process: str, segment: Segment, line: Timeline) -> str:
    held: defaultdict[str, float] = defaultdict(float)
    for other, its in line.segments:
        shared = min(its.end, segment.end) - max(its.start, segment.start)
        if other != process and its.kind is not Kind.WAITING and shared > 0:
            held[other] += shared
    least = _SHARE * (segment.end - segment.start)
    holders = [other for other, seconds in held.items() if seconds > least]
    return f" for {_listed(holders)}" if holders else ""


def _lost(segment: Segment, line: Timeline) -> str:
    again = any(
        its.ended is EventKind.COMMIT and its.label == segment.label and its.end > segment.end
        for _, its in line.segments
    )
    if not segment.label:
        return ""
    return f" {segment.label} for now" if again else f": {segment.label} was not saved"


def _for(segment: Segment) -> str:
    return f" to add {segment.label}" if segment.label else ""


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{len(names)} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _seconds(span: float) -> str:
    return f"{span:.1f} s" if span >= 0.05 or not span else f"{span:.3f} s"


def _counted(number: int, one: str, many: str) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six")
    return f"{words[number] if number < len(words) else number} {one if number == 1 else many}"
