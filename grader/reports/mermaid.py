"""A timeline as a Mermaid `gantt` block, which GitHub draws in comments and job summaries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model import EventKind
from grader.reports.timeline import Kind, Segment, Timeline

_PLAIN = re.compile(r"[^A-Za-z0-9 _.-]")
_LONGEST = 5_000
_SHORTEST = 1
"""Milliseconds; Mermaid draws nothing that takes no time."""


def draw(line: Timeline, title: str) -> str:
    """The block's text without its fence; at most 5,000 characters, whatever the labels hold."""
    head = [
        "gantt",
        f"    title {_plain(title) or 'Timeline'}",
        "    dateFormat x",
        f"    axisFormat {_axis(line.end)}",
    ]
    text = "\n".join(head)
    for added in _lines(line):
        if len(text) + len(added) >= _LONGEST:
            break
        text += f"\n{added}"
    return f"{text}\n"


def _lines(line: Timeline) -> Iterator[str]:
    for lane in line.lanes:
        yield f"    section {_plain(lane.process) or 'process'}"
        for segment in lane.segments:
            start, end = round(segment.start * 1000), round(segment.end * 1000)
            span = f"{start}, {max(end, start + _SHORTEST)}"
            yield f"    {_said(segment)} :{_look(segment)}{span}"


def _axis(seconds: float) -> str:
    """No minutes unless they are needed: where time zones differ by half an hour, 0 is 30:00."""
    if seconds < 5:
        return "%S.%L s"
    return "%S s" if seconds < 60 else "%M:%S"


def _said(segment: Segment) -> str:
    """Begins with a word of ours: a record may be called like an order to Mermaid."""
    words = {Kind.WAITING: "Waits", Kind.HOLDING: "Holds", Kind.BUSY: "Waits or holds"}
    label = _plain(segment.label)
    ended = {EventKind.COMMIT: " and saves", EventKind.LOCKED: " and is locked out"}
    said = words[segment.kind] + (f" to add {label}" if label else "")
    return said + (ended[segment.ended] if segment.ended else "")


def _look(segment: Segment) -> str:
    if segment.ended is EventKind.LOCKED:
        return "crit, "
    return "done, " if segment.kind is Kind.WAITING else "active, "


def _plain(text: str) -> str:
    """Only what means nothing in Mermaid."""
    return " ".join(_PLAIN.sub(" ", text).split())[:30]
