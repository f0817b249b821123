"""A timeline as a drawing for terminals: readable without colour, and in ASCII if need be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from grader.model import EventKind
from grader.reports.timeline import Kind, Lane, Segment, Timeline, ticks

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {Kind.WAITING: "yellow", Kind.HOLDING: "cyan", Kind.BUSY: "cyan"}
_MARK_STYLES = {EventKind.COMMIT: "bold green", EventKind.LOCKED: "bold red"}
_DRAWN = {
    True: {Kind.WAITING: "░", Kind.HOLDING: "█", Kind.BUSY: "▒"},
    False: {Kind.WAITING: ".", Kind.HOLDING: "#", Kind.BUSY: "="},
}
_MARKS = {
    True: {EventKind.COMMIT: "✓", EventKind.LOCKED: "✗"},
    False: {EventKind.COMMIT: "+", EventKind.LOCKED: "x"},
}
_TICK = 9
"""Columns from one tick to the next, at least."""
_NARROWEST = 20


def draw(line: Timeline, width: int = 80, *, unicode: bool = True, scale: float = 0.0) -> Text:
    """One line a process, an axis in seconds, and a legend.

    `scale` is the least number of seconds to draw, so that two drawings can share one scale.
    """
    from rich.cells import cell_len
    from rich.text import Text

    margin = max((cell_len(lane.process) for lane in line.lanes), default=2) + 2
    room = max(width - margin - 1, _NARROWEST)
    seconds = max(line.end, scale, 0.001)
    parts = [_lane(lane, margin, room, seconds, unicode) for lane in line.lanes]
    parts.append(Text(" " * margin + _axis(room, seconds), style="dim"))
    parts.extend(_legend(line, margin, width, unicode))
    return Text("\n").join(parts)


def _lane(lane: Lane, margin: int, room: int, seconds: float, unicode: bool) -> Text:
    from rich.text import Text

    cells: list[tuple[str, str]] = [(" ", "")] * room
    marks: dict[int, tuple[str, str]] = {}
    for segment in lane.segments:
        first = min(round(segment.start / seconds * room), room - 1)
        last = max(round(segment.end / seconds * room), first + 1)
        style = _STYLES[segment.kind]
        cells[first:last] = [
            (character, style) for character in _bar(segment, last - first, unicode)
        ]
        if segment.ended:
            marks[last - 1] = (_MARKS[unicode][segment.ended], _MARK_STYLES[segment.ended])
    drawn = Text(lane.process, style="bold")
    drawn.pad_right(margin - drawn.cell_len)
    # The end of a short segment is not hidden by the next.
    for place, (character, style) in enumerate(cells):
        drawn.append(*marks.get(place, (character, style)))
    drawn.rstrip()
    return drawn


def _bar(segment: Segment, length: int, unicode: bool) -> str:
    """A segment's pattern, with its label where there is room."""
    from rich.cells import cell_len

    body = _DRAWN[unicode][segment.kind] * length
    label = f" {segment.label} "
    fits = len(label) + 3 <= length and cell_len(label) == len(label)
    if not segment.label or not fits or not (unicode or label.isascii()):
        return body
    place = (length - len(label)) // 2
    return body[:place] + label + body[place + len(label) :]


def _axis(room: int, seconds: float) -> str:
    """Round moments, each told where it begins."""
    axis = [" "] * room
    for tick in ticks(seconds, max(room // _TICK, 1)):
        text = f"{tick:g} s"
        place = min(round(room * tick / seconds), room - len(text))
        if "".join(axis[max(place - 1, 0) :]).isspace():
            axis[place : place + len(text)] = text
    return "".join(axis).rstrip()


def _legend(line: Timeline, margin: int, width: int, unicode: bool) -> Iterator[Text]:
    """What the signs mean, on as many lines as it takes."""
    from rich.text import Text

    row = Text(" " * margin)
    for sign in _signs(line, unicode):
        if row.cell_len + sign.cell_len > width and row.cell_len > margin:
            row.rstrip()
            yield row
            row = Text(" " * margin)
        row.append(sign).append("   ")
    row.rstrip()
    yield row


def _signs(line: Timeline, unicode: bool) -> Iterator[Text]:
    from rich.text import Text

    kinds = {segment.kind for _, segment in line.segments}
    ends = {segment.ended for _, segment in line.segments}
    for kind in Kind:
        if kind in kinds:
            yield Text.assemble((_DRAWN[unicode][kind] * 2, _STYLES[kind]), f" {kind.value}")
    marks = {EventKind.COMMIT: "saved", EventKind.LOCKED: "gave up, locked out"}
    for end, word in marks.items():
        if end in ends:
            yield Text.assemble((_MARKS[unicode][end], _MARK_STYLES[end]), f" {word}")
