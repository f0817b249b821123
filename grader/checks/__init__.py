"""Judges criteria by the evidence. Pure: the same evidence gives the same result."""

from __future__ import annotations

from grader.checks.judgement import Judgement
from grader.checks.questions import check_question
from grader.checks.runs import check_run, is_settled, unconfirmed
from grader.checks.transcripts import check_transcript
from grader.criteria import RunCriterion, TranscriptCriterion
from grader.model import Evidence, Result, Verdict
from grader.rubric import Rubric

__all__ = ["is_settled", "judge", "unconfirmed"]


def judge(evidence: Evidence, name: str, rubric: Rubric) -> Result:
    """Judges the criterion of that name and scores it by the rubric."""
    criterion = rubric.criteria[name]
    judgement = _judgement(evidence, name, rubric)
    share = {Verdict.CORRECT: 1.0, Verdict.PARTIAL: criterion.partial}.get(judgement.verdict, 0.0)
    return Result(
        id=name,
        title=criterion.title,
        verdict=judgement.verdict,
        score=round(criterion.points * share, 2),
        max_score=criterion.points,
        needs_review=judgement.doubt or judgement.confidence < rubric.review_below,
        confidence=round(judgement.confidence, 2),
        feedback=judgement.feedback(criterion.hint),
        evidence=judgement.quotes,
    )


def _judgement(evidence: Evidence, name: str, rubric: Rubric) -> Judgement:
    criterion = rubric.criteria[name]
    if isinstance(criterion, RunCriterion):
        return check_run(evidence, criterion, rubric)
    if isinstance(criterion, TranscriptCriterion):
        return check_transcript(evidence, criterion, rubric)
    return check_question(evidence, name, criterion, rubric)
