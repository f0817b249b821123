"""What a check comes to, before the rubric turns it into points."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Feedback, Quote, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its reasons; `doubt` asks for a person's look whatever the confidence."""

    verdict: Verdict
    confidence: float
    what: str
    actual: str | None = None
    expected: str | None = None
    doubt: bool = False
    hint: str | None = None
    """What to do next, where it is more exact than the rubric's hint."""
    quotes: tuple[Quote, ...] = ()

    def feedback(self, hint: str) -> Feedback:
        """The words for the reader; whoever earned every point needs no hint."""
        return Feedback(
            what=self.what,
            expected=self.expected,
            actual=self.actual,
            hint=None if self.verdict is Verdict.CORRECT else self.hint or hint,
        )
