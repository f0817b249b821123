"""The rubric as data: what an assignment is, what earns points, how answers are judged."""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from typing import Annotated

from pydantic import Field, field_validator

from grader.criteria import RunCriterion, Strict, Text, TranscriptCriterion
from grader.lexicon import Lexicon
from grader.model import ScriptFacts
from grader.questions import AnyQuestion, Question

Names = tuple[Text, ...]
AnyCriterion = Annotated[
    RunCriterion | TranscriptCriterion | AnyQuestion, Field(discriminator="type")
]


class ScriptSpec(Strict):
    """The program the assignment is about."""

    file: Text = Field(description="The script's file name.")
    constant: Text = Field(description="The constant that is set before each run.")
    older_names: Names = Field(default=(), description="What older editions called the constant.")
    table: Text = Field(description="The database table whose rows are counted.")
    processes: int = Field(ge=1, description="Processes the program starts.")
    records_each: int = Field(ge=1, description="Records each process inserts.")

    @property
    def constants(self) -> tuple[str, ...]:
        """Every name the constant may have, the present one first."""
        return (self.constant, *self.older_names)

    @property
    def rows(self) -> int:
        """Rows in the table after a run in which every insert worked."""
        return self.processes * self.records_each


class OutputSpec(Strict):
    """How to read the program's output. `{process}` and `{name}` stand for any text."""

    starts: Names = Field(description="Lines that only the beginning of a run prints.")
    ends: Names = Field(default=(), description="Lines that only the end of a run prints.")
    inserts: Names = Field(description="The ways a run announces an insert.")
    lock_error: Text = Field(description="The words of a lock error.")

    @field_validator("inserts")
    @classmethod
    def _names_both(cls, inserts: Names) -> Names:
        for template in inserts:
            if "{process}" not in template or "{name}" not in template:
                raise ValueError(f"must hold {{process}} and {{name}}, got {template!r}")
        return inserts


class Limits(Strict):
    """What a run may use before it is stopped: all its processes together, where not said."""

    wall_seconds: float = Field(default=60, gt=0, le=3600, description="Time by the clock.")
    cpu_seconds: int = Field(
        default=30, gt=0, le=3600, description="Processor time of each process."
    )
    memory_bytes: int = Field(default=1024**3, ge=64 * 1024**2, description="Memory, in bytes.")
    processes: int = Field(default=64, ge=1, le=4096, description="Processes and threads.")
    file_bytes: int = Field(default=32 * 1024**2, gt=0, description="The largest file, in bytes.")
    disk_bytes: int = Field(default=64 * 1024**2, gt=0, description="All files, in bytes.")
    output_bytes: int = Field(
        default=1024**2, gt=0, le=100_000_000, description="Output, in bytes."
    )


class Expectation(str, Enum):
    """What a run of a configuration must show."""

    EVERY_INSERT = "every_insert"
    LOCK_ERROR = "lock_error"


class Configuration(Strict):
    """One way the program is run, by the student and by us."""

    duration: float = Field(ge=0, le=3600, description="Seconds the constant is set to.")
    transcript: Text = Field(description="The file the student pastes the terminal into.")
    expect: Expectation = Field(
        strict=False,
        description="every_insert: all rows and no lock error; lock_error: at least one.",
    )


class Edition(Strict):
    """What an earlier version of the assignment's script was like."""

    constant: Text
    constant_line: int = Field(ge=1)
    main_line: int = Field(ge=1)
    main_end: int = Field(ge=1)
    imports: Names
    functions: Names
    processes: int = Field(ge=1)
    records: int = Field(ge=1)

    def facts(self, name: str) -> ScriptFacts:
        """The edition as facts, marked as coming from it."""
        return ScriptFacts(source=f"edition {name}", **self.model_dump())


class Rubric(Strict):
    """A whole rubric.yaml."""

    assignment: Text = Field(description="The assignment's name, usually its repository's.")
    starter: Text | None = Field(
        default=None,
        description="Folder with what students receive, relative to the rubric. "
        "Its text is never taken for a student's.",
    )
    readme: Text = Field(default="README", description="The answers' file, without its suffix.")
    script: ScriptSpec
    output: OutputSpec
    limits: Limits = Limits()
    configurations: dict[Text, Configuration] = Field(min_length=1)
    criteria: dict[Text, AnyCriterion] = Field(min_length=1)
    review_below: float = Field(
        default=0.7, ge=0, le=1, description="A verdict less certain than this is flagged."
    )
    own_text: Names = Field(
        default=(),
        description="How sentences of the assignment begin that a student may have left in a file.",
    )
    synonyms: dict[Text, Names] = Field(
        default={}, description="Words that mean the same in `means` phrases."
    )
    editions: dict[Text, Edition] = {}

    @cached_property
    def lexicon(self) -> Lexicon:
        """The rubric's synonyms, ready to match with."""
        return Lexicon(self.synonyms)

    @property
    def questions(self) -> dict[str, Question]:
        """The criteria that are answered in the README, in order."""
        return {k: c for k, c in self.criteria.items() if isinstance(c, Question)}

    @property
    def max_score(self) -> float:
        """All points together."""
        return sum(criterion.points for criterion in self.criteria.values())
