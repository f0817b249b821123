"""Reads the trace of a run: what `shim/sitecustomize.py` wrote of each of its processes.

The script could write there as well, so any bytes at all are read, and bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from grader.model import Event, EventKind

_MOST_EVENTS = 10_000
_MOST_BYTES = 2 * 1024 * 1024
_LONGEST_RUN = 3600.0
"""Seconds of the assignment."""
_LONGEST_LABEL = 60
_LONGEST_FIELD = 400

_KINDS = {kind.value: kind for kind in EventKind}
_NUMBERED = re.compile(r"(?:Fork|Spawn|ForkServer)?Process-(\d+(?::\d+)*)")
_FIRST_VALUE = re.compile(
    r"""(?:\bvalues\s*\(\s*|=\s*)(?:(?P<quote>['"])(?P<text>.*?)(?P=quote)|(?P<word>[^\s,;()?:@$'"]+))""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    moment: float
    what: str
    process: str
    label: str


def read_trace(files: Mapping[str, bytes], speed: float) -> tuple[Event, ...]:
    """The events of a run in the order of time, of any bytes that its files may hold.

    `files` are the processes' files, name -> content. `speed` is how many times faster than the
    assignment says the run went: a `t` is in the assignment's seconds since the first event, as
    starting Python takes its time at any speed.
    """
    share = _MOST_BYTES // max(len(files), 1)
    processes = [list(_lines(data[:share])) for _, data in sorted(files.items())]
    starts = [line.moment for lines in processes for line in lines if line.what == "start"]
    if not starts:
        return ()
    first = min(starts)
    told = sorted((line for lines in processes for line in _told(lines)), key=lambda n: n.moment)
    timed = (((line.moment - first) * speed, line) for line in told)
    inside = [(t, line) for t, line in timed if 0 <= t <= _LONGEST_RUN]
    began = inside[0][0] if inside else 0.0
    return tuple(
        Event(t=round(t - began, 3), process=line.process, kind=_KINDS[line.what], label=line.label)
        for t, line in inside[:_MOST_EVENTS]
    )


def _lines(data: bytes) -> Iterator[_Line]:
    for line in data.split(b"\n", _MOST_EVENTS)[:_MOST_EVENTS]:
        moment, what, process, *record = line.decode("utf-8", "replace").split("\t") + [""] * 3
        seconds = _seconds(moment)
        if seconds is not None:
            label = _label(*record[:2])
            yield _Line(moment=seconds, what=what, process=_process(process), label=label)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text[:_LONGEST_FIELD])
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _process(name: str) -> str:
    """The name as the assignment uses it: `P1` for the first process it starts."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        name = f"P{numbered[1]}"
    return "main" if name == "MainProcess" else _one_line(name) or "?"


def _label(text: str, statement: str = "") -> str:
    """The record's first text, else the first value that the statement gives."""
    value = _FIRST_VALUE.search(statement[:_LONGEST_FIELD])
    return _one_line(text or (value and (value["text"] or value["word"])) or "")


def _one_line(text: str) -> str:
    shown = (c if c.isprintable() else " " for c in text[:_LONGEST_FIELD])
    return " ".join("".join(shown).split())[:_LONGEST_LABEL].rstrip()


def _told(lines: Iterable[_Line]) -> list[_Line]:
    """The events of a process: without waits that led nowhere, and each with its record."""
    told: list[_Line] = []
    for line in lines:
        if line.what in _KINDS:
            told.append(line)
        elif line.what == "free" and told and told[-1].what == EventKind.WAIT:
            told.pop()
    return [*_named(reversed(told))][::-1]


def _named(backwards: Iterable[_Line]) -> Iterator[_Line]:
    """Events that took the lock before the record was known get the one that was then written."""
    label = ""
    for line in backwards:
        label = line.label or label
        yield replace(line, label=label)
        if line.what == EventKind.WAIT:
            label = ""
