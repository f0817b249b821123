"""Reads a file of overrides: text in, `Override`s out, or every fault at once with its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from grader.errors import RubricError
from grader.model import Verdict
from grader.overrides import Override, normal_name
from grader.rubric import AnyCriterion, Rubric
from grader.suggest import suggestion
from grader.yaml_file import Document, Path, read_yaml, told

_VERDICTS = (Verdict.CORRECT, Verdict.PARTIAL, Verdict.INCORRECT, Verdict.MISSING)
_NEEDED = {"submission": 300, "criterion": 100, "comment": 400, "by": 80}
"""Keys that every entry has -> characters they may hold."""
_KEYS = (*_NEEDED, "verdict", "score", "text")


def parse_overrides(text: str, name: str, rubric: Rubric) -> tuple[Override, ...]:
    """Returns the overrides in `text`, in order; `name` is what faults call the file.

    Raises RubricError with one `name:LINE: key: what is wrong` for each fault.
    """
    # Every value stays text: the commit 0123456 would else be an octal number.
    document = read_yaml(text, name, "overrides", yaml.BaseLoader)
    entries = [] if document.data is None else document.data
    if not isinstance(entries, list):
        raise RubricError((f"{name}:1: must be a list; each entry begins with `- submission:`",))
    problems = [*_problems(entries, rubric), *_repeated(entries, document)]
    faults = {(document.line(path), path, message) for path, message in problems}
    shown = {(line, _shown(path), message) for line, path, message in faults | {*document.faults}}
    if shown:
        raise told(((line, f"{key}{what}") for line, key, what in shown), name)
    return tuple(_override(entry, rubric) for entry in entries)


def _shown(path: Path) -> str:
    return f"{path[-1]}: " if isinstance(path[-1], str) else f"entry {path[-1] + 1}: "


def _problems(entries: list[Any], rubric: Rubric) -> Iterator[tuple[Path, str]]:
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            yield (place,), "must be a block of `key: value` lines"
            continue
        for key, message in (*_shape(entry), *_meaning(entry, rubric)):
            yield (place, key) if key else (place,), message


def _shape(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(key or "", what is wrong) with the keys of an entry, whatever they mean."""
    for key, value in entry.items():
        if (message := _misshapen(key, value)) is not None:
            yield key, message
    for key in _NEEDED:
        if key not in entry:
            yield "", f"{key} is missing"
    if ("verdict" in entry) == ("score" in entry):
        yield "", "give one of `verdict` and `score`, not both"


def _misshapen(key: str, value: Any) -> str | None:
    if key not in _KEYS:
        return f"is not known here; {suggestion(key, _KEYS)}"
    if not isinstance(value, str):
        return "must be text"
    if key != "text" and not value.strip():
        return "must not be empty"
    most = _NEEDED.get(key, len(value))
    return f"must be at most {most} characters, got {len(value)}" if len(value) > most else None


def _meaning(entry: dict[str, Any], rubric: Rubric) -> Iterator[tuple[str, str]]:
    name, verdict, score = (_text(entry, key) for key in ("criterion", "verdict", "score"))
    criterion = rubric.criteria.get(name)
    submission = _text(entry, "submission")
    if submission and not normal_name(submission):
        yield "submission", "must be the submission's folder, URL, student or commit"
    if name and criterion is None:
        yield "criterion", f"no criterion {_cut(name)!r}; {suggestion(name, rubric.criteria)}"
    if verdict and verdict.lower() not in _values():
        yield "verdict", f"must be one of {', '.join(_values())}, got {_cut(verdict)!r}"
    most = criterion.points if criterion else float("inf")
    if score and not 0 <= _number(score) <= most:
        upper = f" from 0 to {most:g}" if criterion else " of at least 0"
        yield "score", f"must be a number{upper}, got {_cut(score)!r}"


def _repeated(entries: list[Any], document: Document) -> Iterator[tuple[Path, str]]:
    first: dict[tuple[str, str], int] = {}
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        submission, criterion = _text(entry, "submission"), _text(entry, "criterion")
        known = first.setdefault((normal_name(submission), criterion), place)
        if known != place and submission and criterion:
            line = document.line((known,))
            yield (place,), f"{criterion} of {submission} was changed on line {line} already"


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value.strip() if isinstance(value, str) else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _values() -> list[str]:
    return [verdict.value for verdict in _VERDICTS]


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _override(entry: dict[str, str], rubric: Rubric) -> Override:
    criterion = rubric.criteria[entry["criterion"].strip()]
    verdict, score = _mark(_text(entry, "verdict").lower(), _text(entry, "score"), criterion)
    return Override(
        submission=entry["submission"].strip(),
        criterion=entry["criterion"].strip(),
        verdict=verdict,
        score=score,
        comment=" ".join(entry["comment"].split()),
        by=" ".join(entry["by"].split()),
        text=entry.get("text"),
    )


def _mark(verdict: str, score: str, criterion: AnyCriterion) -> tuple[Verdict, float]:
    """The verdict that a score stands for, or the score that a verdict earns."""
    if verdict:
        shares = {Verdict.CORRECT: 1.0, Verdict.PARTIAL: criterion.partial}
        return Verdict(verdict), round(criterion.points * shares.get(Verdict(verdict), 0.0), 2)
    points = round(float(score), 2)
    if points == criterion.points:
        return Verdict.CORRECT, points
    return (Verdict.PARTIAL if points else Verdict.INCORRECT), points
