"""What points to one person: repositories, addresses, folders and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from grader.model import Student

_HOSTED = re.compile(
    r"\b((?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,12})[/:](?:\d+/)?([\w.-]{1,60})(?:/([\w.-]{1,100}))?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,60}(?:\.[\w-]{1,60}){1,4}")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_HINT = re.compile(r"[@/\\]|\.[^\W\d_]+:")
"""What every line has that any of these is in; the others need not be looked at for long."""
_SHORTEST = 4
"""Letters from which the name of a folder or an account is one's own."""
_HOME = re.compile(
    r"(?:\b[a-z]:[\\/]{1,4}|/)(?:users|home)[\\/]{1,4}([^\\/\s:;\"'<>|]{2,40})", re.IGNORECASE
)
"""A folder of one person on a computer; its name is the group."""
SHARED_NAMES = frozenset(
    "admin administrator all anonymous codespace default defaultuser guest home jovyan lab labuser "
    "linuxbrew me name opc owner pc pi public root runner runneradmin shared student students "
    "ubuntu user username users vagrant vscode you".split()
)
"""Names of folders and accounts that are nobody's own."""


_NAME = 80
"""Characters of a name that are looked at."""


class Kind(Enum):
    """What a person is known by."""

    REPOSITORY = "repository"
    """`host/owner/name`."""
    OWNER = "owner"
    """`host/owner`."""
    EMAIL = "email"
    FOLDER = "folder"
    """The name of a home folder, which most people call like an account of theirs."""
    NAME = "name"
    """Two words or more."""


Mark = tuple[Kind, str]


def identity(key: str, remote: str | None, student: Student | None) -> Iterator[tuple[Mark, str]]:
    """What a student is known by, each with the words to show for it."""
    place = remote or (student.repository if student else "")
    for mark, _ in hosted(place):
        yield mark, f"repository {mark[1]}"
    for account in _accounts(key, place, student):
        if len(account) >= _SHORTEST and account not in SHARED_NAMES:
            yield (Kind.FOLDER, account), f"account {account}"
    if student and student.email:
        yield (Kind.EMAIL, student.email.strip().casefold()), f"e-mail {student.email.strip()}"
    for name in _full_names(((student.name or "") if student else "")[:_NAME]):
        yield (Kind.NAME, name), f"name {student.name if student else name}"


def nicknames(key: str, remote: str | None, student: Student | None) -> tuple[str, ...]:
    """Parts of a student's own names, which a folder of theirs may be called by."""
    place = remote or (student.repository if student else "")
    said = " ".join([*_accounts(key, place, student), (student.name or "") if student else ""])
    return tuple(word for word in re.findall(r"[^\W\d_]+", said.casefold()) if len(word) > 2)


def hints_at_somebody(line: str) -> bool:
    """Whether a line may hold a repository, an address or a home folder; most cannot."""
    return _HINT.search(line) is not None


def homes(text: str) -> Iterator[str]:
    """The names of the home folders in a text."""
    for line in filter(hints_at_somebody, text.split("\n")):
        yield from (name.casefold() for name in _HOME.findall(line))


def marks_of(text: str) -> Iterator[tuple[Mark, int]]:
    """Repositories, addresses and home folders in a text, and where they begin."""
    yield from hosted(text)
    for found in _EMAIL.finditer(text):
        yield (Kind.EMAIL, found[0].casefold()), found.start()
    for found in _HOME.finditer(text):
        yield (Kind.FOLDER, found[1].casefold()), found.start()


def hosted(text: str) -> Iterator[tuple[Mark, int]]:
    """Repositories in a text, then their owners."""
    for found in _HOSTED.finditer(text):
        host, owner, name = (part.casefold() if part else "" for part in found.groups())
        host = host.removeprefix("www.")
        name = name.rstrip(".").removesuffix(".git")
        if name:
            yield (Kind.REPOSITORY, f"{host}/{owner}/{name}"), found.start()
        yield (Kind.OWNER, f"{host}/{owner.rstrip('.')}"), found.start()


def names_in(
    text: str, names: Mapping[str, Sequence[tuple[str, ...]]]
) -> Iterator[tuple[Mark, int]]:
    """The names in a text, out of `names`: first word -> names that begin with it."""
    said = [word.casefold() for word in _WORD.findall(text)] if names else []
    places = [place for place, word in enumerate(said) if word in names]
    starts = [found.start() for found in _WORD.finditer(text)] if places else []
    for place in places:
        for name in names[said[place]]:
            if tuple(said[place : place + len(name)]) == name:
                yield (Kind.NAME, " ".join(name)), starts[place]


def is_name(mark: Mark, text: str) -> bool:
    """Whether what was found can be meant: a name has capitals, where its letters do."""
    kind, value = mark
    said = text[: len(value)]
    return kind is not Kind.NAME or said != said.lower() or said.lower() == said.upper()


def _accounts(key: str, place: str, student: Student | None) -> Iterator[str]:
    yield key.strip().casefold()
    for (kind, value), _ in hosted(place):
        if kind is Kind.OWNER:
            yield value.rpartition("/")[2]
    if student and student.email:
        yield student.email.partition("@")[0].strip().casefold()


def _full_names(name: str) -> Iterator[str]:
    """The name as it is said: `Doe, Jane` is Jane Doe, and a middle name may be left out."""
    last, comma, first = name.partition(",")
    spoken = _WORD.findall(f"{first} {last}".casefold() if comma else name.casefold())
    if len(spoken) > 1:
        yield " ".join(spoken)
    if len(spoken) > 2:
        yield f"{spoken[0]} {spoken[-1]}"
