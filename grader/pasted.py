"""What the times in a pasted transcript tell of the student's own runs.

Nothing here costs points: times, names and machines differ for honest reasons too. It draws the
student's run beside ours, and it asks an instructor to look where the two files contradict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone

from grader.model import Event, EventKind, Note, PastedRun, Transcript, TranscriptRun
from grader.rubric import Configuration

_TIME = re.compile(
    r"(?<!\d)(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?(?!\d)", re.ASCII
)
_HOME = re.compile(
    r"(?:[A-Za-z]:\\+Users\\+|/Users/|/home/|/c/Users/)([^\\/\s\"'<>|:*?]{1,64})",
    re.ASCII | re.IGNORECASE,
)
_WRAPPED = 2
"""Lines above its own on which a message's time may stand, if the terminal was narrow."""
_TOO_SHORT = 0.5
"""Share of the duration below which an insert cannot have taken it."""


def pasted_run(
    name: str, configuration: Configuration, text: str, transcript: Transcript
) -> PastedRun | None:
    """The run that a transcript shows, as a timeline; None when it carries no times."""
    run = _told_best(transcript)
    events = _events(text.split("\n"), run) if run else ()
    if not events:
        return None
    return PastedRun(
        id=name, duration=configuration.duration, file=configuration.transcript, events=events
    )


def pasted_notes(runs: Sequence[PastedRun], texts: Mapping[str, str]) -> Iterator[Note]:
    """What an instructor may want to look at; `texts` are the transcripts, file -> text."""
    for run in runs:
        if contradiction := _contradiction(run):
            yield Note(kind="transcript-times", text=contradiction)
    times = {file: frozenset(_TIME.findall(text)) for file, text in texts.items()}
    homes = {file: frozenset(_HOME.findall(text.lower())) for file, text in texts.items()}
    files = sorted(texts)
    for place, one in enumerate(files):
        for other in files[place + 1 :]:
            if len(times[one] & times[other]) > 1:
                text = f"{one} and {other} hold lines of the same moment: they may show one run."
                yield Note(kind="same-run", text=text)
            if homes[one] and homes[other] and not homes[one] & homes[other]:
                text = f"{one} and {other} name different users' folders."
                yield Note(kind="other-machine", text=text)


def _told_best(transcript: Transcript) -> TranscriptRun | None:
    """The run with the most lock errors, then with the most inserts; the last one of those."""
    return max(
        reversed(transcript.runs),
        key=lambda run: (len(run.lock_errors), len(run.inserts)),
        default=None,
    )


def _events(lines: Sequence[str], run: TranscriptRun) -> tuple[Event, ...]:
    """Waiting begins where an insert is announced; it ends with an error or the process's next."""
    # Thousands of inserts may be announced on one long line.
    times = {line: _time(lines, line) for line in {insert.line for insert in run.inserts}}
    begun = [(times[insert.line], insert) for insert in run.inserts]
    known = [(time, insert) for time, insert in begun if time is not None]
    if len(known) < 2:
        return ()
    start = known[0][0]
    found: list[Event] = []
    last: dict[str, str] = {}

    def add(time: float, process: str, kind: EventKind, label: str) -> None:
        t = round(max(time - start, 0.0), 3)
        found.append(Event(t=t, process=process, kind=kind, label=label))

    failed = {(process, record): time for time, process, record in _failures(lines, run)}
    for time, insert in known:
        before = last.get(insert.process)
        if before is not None and (insert.process, before) not in failed:
            add(time, insert.process, EventKind.COMMIT, before)
        last[insert.process] = insert.record
        add(time, insert.process, EventKind.WAIT, insert.record)
    for (process, record), time in failed.items():
        add(time, process, EventKind.LOCKED, record)
    # At one moment a process gives one insert up before it begins the next.
    return tuple(sorted(found, key=lambda event: (event.t, event.kind is not EventKind.LOCKED)))


def _failures(lines: Sequence[str], run: TranscriptRun) -> Iterator[tuple[float, str, str]]:
    """(time, process, record) of each lock error whose line names both."""
    told = dict.fromkeys((insert.record, insert.process) for insert in run.inserts)
    for line in dict.fromkeys(run.lock_errors):
        time, words = _time(lines, line), set(re.findall(r"\w+", lines[line - 1]))
        for record, process in told:
            if time is not None and record in words and process in words:
                yield time, process, record


def _time(lines: Sequence[str], number: int) -> float | None:
    """The moment that a line, counted from 1, was written at, in seconds."""
    for line in reversed(lines[max(0, number - 1 - _WRAPPED) : number]):
        if found := _TIME.search(line):
            *date, fraction = found.groups()
            with suppress(ValueError):  # there is no 31st of April
                moment = datetime(*map(int, date), tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
                return moment.timestamp() + float(f"0.{fraction or 0}")
    return None


def _contradiction(run: PastedRun) -> str | None:
    """An insert that ended long before the duration was over."""
    begun: dict[tuple[str, str], float] = {}
    for event in run.events:
        key = event.process, event.label
        if event.kind is EventKind.WAIT:
            begun[key] = event.t
        elif event.kind is EventKind.COMMIT and key in begun:
            took = event.t - begun[key]
            if took < _TOO_SHORT * run.duration:
                return (
                    f"In {run.file} {event.process} needed {took:.1f} s for {event.label}, "
                    f"though the duration should have been {run.duration:g} s."
                )
    return None
