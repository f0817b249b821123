"""Reads who is to be graded: a CSV with a line for each student, or a folder of submissions.

What is wrong with one student's line costs nobody else anything: it becomes a row with its
reasons. Only what no student can be read from is refused.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.database import entries, is_folder
from grader.errors import UsageError
from grader.model import Outcome, Row, Student
from grader.named_file import read_named
from grader.repository import REF, is_url, shown_url, split_source
from grader.roster_table import Line, Table, read_table

_MAX_BYTES = 16 * 1024 * 1024
_MAX_STUDENTS = 20_000
_LONGEST = 1_000
_SHOWN = 10

_NEEDED = ("student", "repository")
_KNOWN = ("ref", "name", "email")
_OWN = {*_NEEDED, *_KNOWN}
_USER = re.compile(r"(?<=://)[^/\s]*@")
_ADDRESS = re.compile(r"(?:https?:/*)?(?:[a-z0-9-]+\.)+[a-z]{2,}/", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A class as its instructor wrote it down."""

    students: tuple[Student, ...]
    """Those that can be graded, in the roster's order; no two have the same key."""
    faults: tuple[Row, ...] = ()
    """Those that cannot, each with all its reasons, in the roster's order."""
    notes: tuple[str, ...] = ()
    """What was left out or looks odd, a sentence each."""


@dataclass(slots=True, kw_only=True)
class _Found:
    """A student, and what is wrong."""

    student: Student
    place: str
    """What to call it beside another one: its line, or its folder."""
    faults: list[str] = field(default_factory=list)


def read_roster(path: Path) -> Roster:
    """Reads a CSV, or takes each folder in a folder for one student's submission.

    Raises UsageError with every reason why no student can be read from it.
    """
    if path.is_dir():
        return _from_folder(path)
    table = read_table(read_named(path, _MAX_BYTES), path.name, _NEEDED, _KNOWN)
    _refuse_size(path, len(table.lines))
    found = [_read(line, table, path) for line in table.lines]
    return _roster(found, lambda one: f"{path.name}:{one.student.line}: ", table.notes)


def _refuse_size(path: Path, students: int) -> None:
    if not students:
        raise UsageError(f"{path} names no student.")
    if students > _MAX_STUDENTS:
        raise UsageError(f"{path} names {students:,} students; {_MAX_STUDENTS:,} are the most.")


def _roster(
    found: Sequence[_Found], where: Callable[[_Found], str], notes: Sequence[str]
) -> Roster:
    _compare(found, lambda one: _same_name(one.student.key), "name the same student")
    _compare(found, _same_repository, "give the same repository")
    return Roster(
        students=tuple(one.student for one in found if not one.faults),
        faults=tuple(
            Row(
                student=one.student,
                outcome=Outcome.FAILED,
                reason=f"{where(one)}{'; '.join(one.faults)}.",
            )
            for one in found
            if one.faults
        ),
        notes=tuple(notes),
    )


def without_password(student: Student) -> Student:
    """The student as others may read of them."""
    return replace(student, repository=shown_url(student.repository))


# ---------------------------------------------------------------- a CSV


def _read(line: Line, table: Table, path: Path) -> _Found:
    fields = line.fields
    key, repository, ref = fields["student"], fields["repository"], fields.get("ref") or None
    faults = [*_field_faults(line, table), *_ref_faults(ref)]
    named = not list(_text_faults("student", key))
    if repository and not faults:
        faults += _repository_faults(repository, ref, path.parent)
    if repository and not is_url(repository):
        repository = str(path.parent / repository)
    elif ref is None and not faults:
        repository, ref = _parted(repository)
    student = Student(
        key=key if named and key else f"line {line.number}",
        repository=repository[:_LONGEST],
        ref=ref,
        name=fields.get("name") or None,
        email=fields.get("email") or None,
        columns={heading: text for heading, text in fields.items() if heading not in _OWN},
        line=line.number,
    )
    return _Found(student=student, place=f"line {line.number}", faults=faults)


def _field_faults(line: Line, table: Table) -> Iterator[str]:
    expected = len(table.headings)
    missing = [name for name in _NEEDED if not line.fields[name]]
    if line.count > expected:
        yield (
            f"there are {line.count} fields where {expected} are expected; "
            "put quotation marks around one that holds a delimiter"
        )
    elif missing and line.count < expected:
        yield f"there is only {line.count} of {expected} fields"
    elif missing:
        yield f"there is no {' and no '.join(missing)}"
    for heading, text in line.fields.items():
        yield from _text_faults(heading, text)


def _text_faults(heading: str, text: str) -> Iterator[str]:
    if len(text) > _LONGEST:
        yield f"the {heading} is longer than {_LONGEST:,} characters"
    if "\ufffd" in text:
        yield f"the {heading} holds bytes that are no text"
    elif heading in {*_NEEDED, "ref"} and not text.isprintable():
        yield f"the {heading} holds a character that cannot be seen"


def _ref_faults(ref: str | None) -> Iterator[str]:
    if ref is not None and not REF.fullmatch(ref):
        yield f"{ref[:_LONGEST]!r} is no name of a branch, tag or commit"


def _repository_faults(repository: str, ref: str | None, home: Path) -> Iterator[str]:
    shown = shown_url(repository)
    if not is_url(repository):
        if _ADDRESS.match(repository) and not (home / repository).exists():
            yield f"{shown} looks like an address, but does not start with https://"
        elif not os.path.isdir(home / repository):  # noqa: PTH112 - Path.is_dir may raise
            yield f"there is no folder {shown}"
        return
    if " " in repository:
        yield f"there is a space in the address {shown}"
        return
    try:
        own_ref = _parted(repository)[1]
    except UsageError as fault:
        yield str(fault).rstrip(".")
    else:
        if own_ref and ref:
            yield f"{shown} names the ref {own_ref}, and the line names {ref}"


def _parted(repository: str) -> tuple[str, str | None]:
    """A URL and its ref, which may stand behind it as in `URL@REF`; raises UsageError."""
    if not is_url(repository):
        return repository, None
    url, ref = split_source(repository)
    return url, None if ref == "HEAD" else ref


# ---------------------------------------------------------------- a folder


def _from_folder(path: Path) -> Roster:
    found: list[_Found] = []
    ignored: dict[str, list[str]] = defaultdict(list)
    for place, status in entries(Path(os.path.realpath(path))):
        shown = place.name if place.name.isprintable() else repr(place.name)[1:-1]
        if place.name.startswith("."):
            ignored["hidden"].append(shown)
        elif not is_folder(status):
            ignored["no folder, or a link to another place"].append(shown)
        else:
            student = Student(key=shown, repository=str(path / place.name))
            faults = [] if place.name.isprintable() else ["its name cannot be shown"]
            found.append(_Found(student=student, place=shown, faults=faults))
    _refuse_size(path, len(found))
    notes = [_ignored(path.name, why, names) for why, names in ignored.items()]
    return _roster(found, lambda one: f"{one.place}: ", notes)


def _ignored(folder: str, why: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{folder}: left out, as {why}: {', '.join(names[:_SHOWN])}{more}."


# ---------------------------------------------------------------- duplicates


def _compare(found: Sequence[_Found], value: Callable[[_Found], str], said: str) -> None:
    """Adds a fault to all that are the same: nobody can tell which of them is meant."""
    groups: dict[str, list[_Found]] = defaultdict(list)
    for one in found:
        groups[value(one)].append(one)
    for key, group in groups.items():
        if key and len(group) > 1:
            places = [one.place for one in group[:_SHOWN]]
            for one in group:
                one.faults.append(f"{', '.join(places[:-1])} and {places[-1]} {said}")


def _same_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _same_repository(one: _Found) -> str:
    repository = one.student.repository
    if not is_url(repository):
        same = os.path.normcase(os.path.realpath(repository)) if repository else ""
    else:
        same = _USER.sub("", repository).rstrip("/").removesuffix(".git")
    return same and f"{same}@{one.student.ref or ''}"
