"""Compares the grader's marks with those in tests/cases/answers, question by question."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from grader.assignment import Assignment
from grader.model import ScriptFacts
from grader.questions import Question

VERDICTS = ("correct", "partial", "incorrect")


@dataclass
class Tally:
    """How one question's answers were marked."""

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(verdict by hand, verdict by the grader) -> answers."""
    flagged: int = 0
    flagged_wrong: int = 0

    @property
    def total(self) -> int:
        """All answers."""
        return sum(self.pairs.values())

    @property
    def right(self) -> int:
        """Answers with the same verdict."""
        return sum(count for (hand, grader), count in self.pairs.items() if hand == grader)

    def __str__(self) -> str:
        wrong = self.total - self.right
        rows = [
            f"  by hand {hand:9} -> "
            + "  ".join(f"{self.pairs[hand, grader]:3} {grader}" for grader in VERDICTS)
            for hand in VERDICTS
            if any(self.pairs[hand, grader] for grader in VERDICTS)
        ]
        head = (
            f"{self.right}/{self.total} = {self.right / self.total:.1%} right; "
            f"{self.flagged} flagged, among them {self.flagged_wrong} of the {wrong} wrong"
        )
        return "\n".join([head, *rows])


def compare(folder: Path, assignment: Assignment) -> dict[str, Tally]:
    """Marks every answer of every file in a folder; the file's stem is the question."""
    return {
        path.stem: _tally(path, assignment.rubric.questions[path.stem], assignment)
        for path in sorted(folder.glob("*.yaml"))
    }


def _tally(path: Path, question: Question, assignment: Assignment) -> Tally:
    tally = Tally()
    rubric = assignment.rubric
    for entry in yaml.safe_load(path.read_text("utf-8")):
        marking = question.mark(entry["answer"], _known(entry, assignment), rubric.lexicon)
        if marking is None:
            continue
        flagged = marking.doubt is not None or marking.confidence < rubric.review_below
        tally.pairs[entry["verdict"], marking.verdict.value] += 1
        tally.flagged += flagged
        tally.flagged_wrong += flagged and entry["verdict"] != marking.verdict.value
    return tally


def _known(entry: dict[str, object], assignment: Assignment) -> list[ScriptFacts]:
    edition = assignment.rubric.editions.get(str(entry.get("edition")))
    constant = edition.constant if edition else assignment.rubric.script.constant
    return [facts for facts in assignment.editions if facts.constant == constant]
