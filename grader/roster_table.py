"""Reads a table as spreadsheets write it: any delimiter, any order of columns, quoted or not."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from grader.errors import UsageError
from grader.repository import shown_url
from grader.suggest import suggestion

_DELIMITERS = ",;\t|"
_SHOWN_FAULTS = 20
_SHOWN_HEADINGS = 30
_HEADING_LENGTH = 60
_COMPLAINTS = {
    "unexpected end of data": "a quotation mark is opened here and never closed",
    "expected after": "a quotation mark stands inside a field; write it twice there",
    "field larger than": "a field is far too long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line with something on it."""

    number: int
    """Where it begins, counted from 1."""
    fields: Mapping[str, str]
    """Heading -> what stands there, without the space around it."""
    count: int
    """How many fields it has; those without a heading count, unless they are empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with headings; those that were asked for are spelt as they were asked for."""

    headings: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    """Headings that were probably meant to be others."""


def read_table(text: str, name: str, needed: Sequence[str], known: Sequence[str]) -> Table:
    """Reads a table that has the needed columns and may have the known ones, and any others.

    Raises UsageError with all that keeps it from being read, line by line.
    """
    records, faults = _records(text, name)
    if not records and not faults:
        raise UsageError(f"{name} is empty. Its first line must be: {','.join(needed)}")
    number, first = records[0] if records else (1, [])
    headings = _headings(first, (*needed, *known))
    faults += [f"{name}:{number}: {fault}" for fault in _heading_faults(headings, needed)]
    if faults:
        more = len(faults) - _SHOWN_FAULTS
        also = [f"{name}: {more:,} more faults like these."] if more > 0 else []
        raise UsageError("\n".join((*faults[:_SHOWN_FAULTS], *also)))
    return Table(
        headings=headings,
        lines=tuple(_line(number, record, headings) for number, record in records[1:]),
        notes=tuple(f"{name}:{number}: {note}" for note in _odd_headings(headings, known)),
    )


# ---------------------------------------------------------------- lines


def _records(text: str, name: str) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """(line number, fields) of each line that is not blank, and faults."""
    # The delimiter is never in doubt: it parts the headings.
    head = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(StringIO(text), delimiter=delimiter, strict=True, skipinitialspace=True)
    records: list[tuple[int, list[str]]] = []
    faults: list[str] = []
    while True:
        number = reader.line_num + 1
        try:
            fields = [field.strip() for field in next(reader)]
        except StopIteration:
            return records, faults
        except csv.Error as error:
            faults.append(f"{name}:{number}: {_complaint(str(error))}.")
        else:
            if any(fields):
                records.append((number, fields))


def _complaint(error: str) -> str:
    return next((plain for said, plain in _COMPLAINTS.items() if said in error), "this is no CSV")


def _line(number: int, record: Sequence[str], headings: Sequence[str]) -> Line:
    extra = len(_without_end(record[len(headings) :]))
    return Line(
        number=number,
        fields={**dict.fromkeys(headings, ""), **dict(zip(headings, record, strict=False))},
        count=min(len(record), len(headings)) + extra,
    )


# ---------------------------------------------------------------- headings


def _headings(record: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    spelt = {_bare(name): name for name in known}
    return tuple(spelt.get(_bare(heading), heading) for heading in _without_end(record))


def _without_end(fields: Sequence[str]) -> Sequence[str]:
    """Spreadsheets leave delimiters behind where a column was emptied."""
    filled = [place for place, field in enumerate(fields, start=1) if field]
    return fields[: max(filled, default=0)]


def _bare(heading: str) -> str:
    return re.sub(r"[\W_]", "", heading.casefold())


def _heading_faults(headings: Sequence[str], needed: Sequence[str]) -> Iterator[str]:
    shown = [shown_url(heading)[:_HEADING_LENGTH] for heading in headings][:_SHOWN_HEADINGS]
    for name in needed:
        if name not in headings:
            yield f"the first line has no heading {name!r}; {suggestion(name, shown)}"
    counts = Counter(_bare(heading) for heading in headings)
    doubles = dict.fromkeys(heading for heading in shown if counts[_bare(heading)] > 1)
    if doubles:
        yield f"two columns have the same heading: {', '.join(doubles)}."
    for place, heading in enumerate(headings, start=1):
        if not _bare(heading):
            yield f"column {place} has no heading."


def _odd_headings(headings: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    from rapidfuzz.distance import OSA

    for heading in headings:
        for name in known:
            if name not in headings and OSA.distance(_bare(heading), name) == 1:
                yield f"the heading {heading!r} is unknown; did you mean {name!r}?"
