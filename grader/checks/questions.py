"""Judges an answer in the README."""

from __future__ import annotations

from collections.abc import Iterator

from grader.checks.judgement import Judgement
from grader.model import Answer, Evidence, FileState, Quote, ScriptFacts, TextFile, Verdict
from grader.questions import Marking, Question
from grader.rubric import Rubric

QUOTES = 5
"""Lines of an answer that a result quotes at most."""

_LONGEST = 300

_UNCOMPARED = Marking(
    verdict=Verdict.SKIPPED,
    confidence=0.0,
    what="There is no script to compare this answer with.",
)


def check_question(evidence: Evidence, name: str, question: Question, rubric: Rubric) -> Judgement:
    """Marks the student's answer by their own script and by the editions."""
    answer = evidence.answers[name]
    if not answer.lines:
        return _unanswered(evidence, answer)
    own = [evidence.script] if isinstance(evidence.script, ScriptFacts) else []
    # Without any script, the answers that the rubric itself gives are still known.
    known = [*own, *evidence.editions] or [ScriptFacts(source="the rubric")]
    marking = question.mark(answer.text, known, rubric.lexicon) or _UNCOMPARED
    doubts = [doubt for doubt in (marking.doubt, answer.doubt) if doubt]
    return Judgement(
        verdict=marking.verdict,
        confidence=marking.confidence,
        what=" ".join([marking.what, *(f"A person should look: {doubt}." for doubt in doubts)]),
        actual=marking.actual,
        expected=marking.expected,
        doubt=bool(doubts),
        quotes=_quotes(evidence, answer),
    )


def _quotes(evidence: Evidence, answer: Answer) -> tuple[Quote, ...]:
    file = evidence.submission.readme.name
    return tuple(
        Quote(file=file, line=line, quote=text.strip()[:_LONGEST])
        for line, text in answer.lines[:QUOTES]
    )


def _unanswered(evidence: Evidence, answer: Answer) -> Judgement:
    readme = evidence.submission.readme
    if readme.state is FileState.MISSING:
        what = f"There is no {readme.name} with answers."
    elif readme.state is FileState.UNREADABLE:
        what = readme.problem or f"{readme.name} cannot be read."
    elif readme.state is FileState.EMPTY:
        what = f"{readme.name} is empty."
    elif answer.asked_line is not None:
        what = f"The question stands in {readme.name}, line {answer.asked_line}, without an answer."
    else:
        what = f"Neither the question nor an answer was found in {readme.name}."
    pictured = answer.doubt is not None
    return Judgement(
        verdict=Verdict.MISSING,
        confidence=0.95,
        what=f"{what} A person should look: {answer.doubt}." if pictured else what,
        doubt=pictured or readme.state is FileState.UNREADABLE,
        quotes=tuple(_asked(readme, answer)),
    )


def _asked(readme: TextFile, answer: Answer) -> Iterator[Quote]:
    """Where the answer was expected."""
    if answer.asked_line is not None:
        line = readme.text.split("\n")[answer.asked_line - 1].strip()
        yield Quote(file=readme.name, line=answer.asked_line, quote=line[:_LONGEST])
