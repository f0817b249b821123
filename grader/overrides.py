"""Marks that a person changes: whose they are, and how they change the results."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.model import Answer, Note, Result, Verdict
from grader.rubric import Rubric
from grader.text import plain, words

APPLIED = "override"
"""Kind of the note that tells of a changed mark."""
OUTDATED = "override-outdated"
"""Kind of the note that the student's text is not the one a person looked at."""

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_AT_REF = re.compile(r"(?<=/)([^/@]+)@.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One mark as a person wants it."""

    submission: str
    """A path's end, a student's name or the beginning of a commit, as it was written."""
    criterion: str
    verdict: Verdict
    score: float
    comment: str
    by: str
    text: str | None = None
    """What the student had written when the person looked; None if that does not matter."""

    def concerns(self, names: Collection[str], commit: str | None) -> bool:
        """Whether it is for the submission with these names (see `names_of`) and commit."""
        said = self.submission.strip().lower()
        at_commit = _COMMIT.fullmatch(said) and (commit or "").lower().startswith(said)
        return bool(at_commit) or normal_name(said) in names


# ---------------------------------------------------------------- whose it is


def names_of(place: str, *, url: bool, student: str | None = None) -> frozenset[str]:
    """What a submission may be called: the ends of its absolute path or URL, and the student.

    A repository's name alone is no name of a URL: in a class, all of them end in the same.
    """
    names = {normal_name(student)} if student else set()
    for written in {place, _AT_REF.sub(r"\1", place)} if url else {place}:
        parts = normal_name(written).split("/")
        names |= {"/".join(parts[start:]) for start in range(len(parts) - url)}
    return frozenset(names - {""})


def normal_name(written: str) -> str:
    """A path, URL or student's name in the one form that they are compared in; may be empty."""
    parts = re.split(r"[/\\:]+", written.strip().casefold())
    return "/".join(part for part in parts if part not in {"", ".", ".."}).removesuffix(".git")


# ---------------------------------------------------------------- applying


def apply_overrides(
    results: Sequence[Result],
    overrides: Sequence[Override],
    answers: Mapping[str, Answer],
    rubric: Rubric,
) -> tuple[tuple[Result, ...], tuple[Note, ...]]:
    """The results with every mark changed that an override is for, and what to tell of it.

    Each change stays visible: the result and a note say who changed what, and why.
    """
    changed: list[Result] = []
    notes: list[Note] = []
    for result in results:
        now = result
        for override in overrides:
            if override.criterion == result.id:
                outdated = not _still_says(override, result, answers)
                notes += _notes(override, now, outdated=outdated)
                now = _changed(override, now, rubric.criteria[now.id].hint, outdated=outdated)
        changed.append(now)
    return tuple(changed), tuple(notes)


def _still_says(override: Override, result: Result, answers: Mapping[str, Answer]) -> bool:
    """Whether the text that was looked at is still there: all of it, or what a report quotes."""
    if override.text is None:
        return True
    quoted = "\n".join(quote.quote for quote in result.evidence)
    answer = answers.get(result.id)
    return _words(override.text) in (_words(quoted), _words(answer.text if answer else quoted))


def _words(text: str) -> list[str]:
    return [word for line in text.splitlines() for word in words(plain(line))]


def _changed(override: Override, result: Result, hint: str, *, outdated: bool) -> Result:
    again = "The text has changed since, so a person should look again. " if outdated else ""
    what = f"{_told(override, result)} {again}{result.feedback.what}"
    next_step = None if override.verdict is Verdict.CORRECT else result.feedback.hint or hint
    return replace(
        result,
        verdict=override.verdict,
        score=override.score,
        needs_review=outdated,
        confidence=result.confidence if outdated else 1.0,
        feedback=replace(result.feedback, what=what, hint=next_step),
    )


def _told(override: Override, result: Result) -> str:
    before = f"{result.verdict.value} ({result.score:g} of {result.max_score:g})"
    after = f"{override.verdict.value} ({override.score:g} of {result.max_score:g})"
    end = "" if override.comment[-1] in ".!?" else "."
    return f"Changed by {override.by} from {before} to {after}: {override.comment}{end}"


def _notes(override: Override, result: Result, *, outdated: bool) -> Iterator[Note]:
    yield Note(kind=APPLIED, text=f"{result.id}: {_told(override, result)}")
    if outdated:
        text = f"{result.id}: the student's text has changed since {override.by} looked at it."
        yield Note(kind=OUTDATED, text=text)
