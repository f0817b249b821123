"""Reads the report that a grading workflow left behind; whoever controls the fork can forge it."""

from __future__ import annotations

import lzma
import math
import zipfile
import zlib
from io import BytesIO

from grader.errors import UsageError
from grader.github.refusal import Refused
from grader.model import Report
from grader.reports.json_report import read

MAX_BYTES = 256 * 1024
"""Of the report, and of the archive it comes in."""
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,  # an encrypted member
    ValueError,
)


def read_artifact(archive: bytes, commit: str) -> Report:
    """The report on `commit` in a downloaded archive, read in memory.

    Raises Refused, with the reason, for anything but one sound report on that commit.
    """
    try:
        report = read(_member(archive).decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("The report was refused: it is no UTF-8 text.") from None
    except UsageError as reason:
        raise Refused(f"The report was refused. {reason}") from None
    except RecursionError:
        raise Refused("The report was refused: it is nested too deeply.") from None
    if report.submission.commit != commit:
        raise Refused("The report was refused: it is about another commit.")
    if not _adds_up(report):
        raise Refused("The report was refused: its points do not add up.")
    return report


def _member(archive: bytes) -> bytes:
    if len(archive) > MAX_BYTES:
        raise Refused(_too_big("archive"))
    try:
        with zipfile.ZipFile(BytesIO(archive)) as opened:
            members = opened.infolist()
            if len(members) != 1 or not members[0].filename.endswith(".json"):
                raise Refused("The report was refused: the archive must hold one JSON file alone.")
            # A file may claim any size: never more than this is unpacked.
            with opened.open(members[0]) as file:
                data = file.read(MAX_BYTES + 1)
    except _BROKEN:
        raise Refused("The report was refused: its archive cannot be read.") from None
    if len(data) > MAX_BYTES:
        raise Refused(_too_big("file"))
    return data


def _too_big(what: str) -> str:
    return f"The report was refused: its {what} is larger than {MAX_BYTES // 1024} KB."


def _adds_up(report: Report) -> bool:
    parts = report.criteria
    return (
        all(0 <= part.score <= part.max_score for part in parts)
        and math.isclose(report.score, math.fsum(p.score for p in parts), abs_tol=0.05)
        and math.isclose(report.max_score, math.fsum(p.max_score for p in parts), abs_tol=0.05)
    )
