"""Loads what one assignment is graded with: its rubric and what students were given."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.model import ScriptFacts, Submission
from grader.own_text import OwnText
from grader.rubric import Rubric
from grader.rubric_file import parse_rubric
from grader.script import read_script
from grader.submission import read_submission

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A rubric and the assignment's own text, ready to grade with."""

    rubric: Rubric
    sha256: str
    """Of the rubric's bytes: two reports with the same one were graded alike."""
    starter: Submission | None
    """What students receive, read like a submission; None if the rubric names none."""
    own_readme: OwnText
    own_transcripts: Mapping[str, OwnText]
    editions: tuple[ScriptFacts, ...]


def default_rubric() -> Path:
    """The rubric.yaml that belongs to this grader: its checkout's, or the installed copy."""
    checkout = _PACKAGE.parent / "rubric.yaml"
    return checkout if checkout.is_file() else _PACKAGE / "shipped" / "rubric.yaml"


def load_assignment(path: Path | None = None) -> Assignment:
    """Reads a rubric and its starter folder.

    Raises RubricError when the rubric has faults, UsageError when there is no such file.
    """
    path = path or default_rubric()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read the rubric {path}: {error.strerror}.") from error
    rubric = parse_rubric(data.decode("utf-8-sig", errors="replace"), path.name)
    starter = _starter(path, rubric)
    given = starter.transcripts if starter else {}
    return Assignment(
        rubric=rubric,
        sha256=hashlib.sha256(data).hexdigest(),
        starter=starter,
        own_readme=OwnText(_lines(starter.readme.text if starter else ""), rubric.own_text),
        own_transcripts={
            name: OwnText(_lines(given[name].text if name in given else ""), rubric.own_text)
            for name in rubric.configurations
        },
        editions=tuple(_editions(starter, rubric)),
    )


def _starter(path: Path, rubric: Rubric) -> Submission | None:
    if rubric.starter is None:
        return None
    # Students work in the folder that they received: what it was like before is kept with us.
    kept = _PACKAGE / "shipped" / rubric.starter
    own = path.resolve() == default_rubric().resolve() and kept.is_dir()
    folder = kept if own else path.parent / rubric.starter
    if not folder.is_dir():
        raise UsageError(f"{path.name}: starter: there is no folder {folder}.")
    return read_submission(folder, rubric.starter, rubric)


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _editions(starter: Submission | None, rubric: Rubric) -> list[ScriptFacts]:
    editions = [edition.facts(name) for name, edition in rubric.editions.items()]
    if starter is None or not starter.script.present:
        return editions
    script = starter.script
    facts = read_script(script.text, f"the starter's {script.name}", rubric.script.constants)
    return [facts, *editions] if isinstance(facts, ScriptFacts) else editions
