"""Says in one plain sentence why a repository could not be fetched, and whether to try again."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.errors import GraderError


class FetchError(GraderError):
    """Why a submission could not be had, in one plain sentence without any password."""


class Fault(NamedTuple):
    """What git's complaint comes to."""

    sentence: str
    passing: bool
    """Whether it may be gone in a moment."""


class _Kind(NamedTuple):
    said: str
    means: str
    passing: bool = False


# The first that is found counts: a server that says no also hangs up.
_KINDS = (
    _Kind(r"was stopped", "Fetching {url} was stopped."),
    _Kind(r"git could not be started", "{url} was not fetched: git is missing. Please install it."),
    _Kind(r"far more than a submission", "{url} holds far more than a submission."),
    _Kind(
        r"could not read (?:user|pass)|authentication failed|returned error: 401",
        "{url} is private or does not exist: its server asks for a password.",
    ),
    _Kind(r"returned error: 403|access denied", "You are not allowed to read {url}."),
    _Kind(
        r"permission denied \(",
        "The server of {url} does not accept your SSH key, or has no such repository.",
    ),
    _Kind(
        r"host key verification failed",
        "The SSH server of {url} is not known to this computer yet: "
        "connect to it once with ssh, and compare its key.",
    ),
    _Kind(r"returned error: (?:429|5\d\d)", "The server of {url} is overloaded or faulty.", True),
    _Kind(
        r"\bnot found\b|returned error: 4\d\d|does not appear to be a git|does not exist",
        "There is no repository at {url}, or you are not allowed to see it.",
    ),
    _Kind(r"could not resolve", "The server of {url} cannot be found: is the name right?", True),
    _Kind(r"certificate", "The server of {url} does not prove who it is: its certificate is bad."),
    _Kind(r"dubious ownership", "{url} belongs to another user of this computer."),
    _Kind(r"transport '.*' not allowed", "{url} is no kind of address that is fetched from."),
    _Kind(r"not our ref|unadvertised|remote ref", "{url} does not have the commit asked for."),
    _Kind(r"timed out|too slow|timeout", "{url} did not answer in time.", True),
    _Kind(
        r"corrupt|unable to read|did not send all|missing (?:blob|tree|commit)|bad object",
        "{url} is damaged: it has lost a part that every grading needs.",
    ),
    _Kind(
        r"connection|early eof|hung up|disconnect|rpc failed|ssl|tls|unable to access|broken pipe",
        "The connection to {url} failed.",
        True,
    ),
)
_LOST = re.compile(_KINDS[-2].said, re.IGNORECASE)


def fault_of(complaint: str, source: str) -> Fault:
    """What git complained of; of that, only `source` is shown."""
    for kind in _KINDS:
        if re.search(kind.said, complaint, re.IGNORECASE):
            return Fault(kind.means.format(url=source), kind.passing)
    return Fault(f"{source} could not be fetched, and git did not say plainly why.", False)


def has_lost_objects(complaint: str) -> bool:
    """Whether the repository itself lacks some object, which may be one that nobody needs."""
    return _LOST.search(complaint) is not None
