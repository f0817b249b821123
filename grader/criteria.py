"""What every criterion of a rubric has, and the two kinds that need no free text.

The classes double as the rubric's schema: a field's description is what the published
JSON Schema tells an instructor in their editor.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A part of the rubric: unchangeable once read, and no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Criterion(Strict):
    """One line of the score."""

    title: Text = Field(description="What the report calls it.")
    points: float = Field(gt=0, le=1000, description="Points for a correct verdict.")
    partial: float = Field(
        default=0.5, ge=0, le=1, description="Share of the points that a partial verdict earns."
    )
    hint: Text = Field(description="Where a student who lost points should look next.")


class RunCriterion(Criterion):
    """We run the student's script and look at what it did."""

    type: Literal["run"]
    configuration: Text = Field(description="Id of the configuration that is run.")


class TranscriptCriterion(Criterion):
    """The student ran the script and pasted the terminal."""

    type: Literal["transcript"]
    configuration: Text = Field(description="Id of the configuration the paste must show.")
