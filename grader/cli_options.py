"""Options that several commands share."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from grader.model import AUTO_SPEED, MOST_SPEED, Sandbox


def _speed(_context: click.Context, _option: click.Parameter, value: str) -> float:
    """The number; `auto` is the number that was measured to be safe."""
    if value == "auto":
        return AUTO_SPEED
    with suppress(ValueError):
        if 1 <= (speed := float(value)) <= MOST_SPEED:
            return speed
    raise click.BadParameter(f"{value} is not auto, or a number from 1 to {MOST_SPEED:g}.")


only_option = click.option(
    "--only",
    multiple=True,
    metavar="ID",
    help="Judge this criterion alone, such as q3 or out0. May be given several times.",
)
rubric_option = click.option(
    "--rubric",
    "rubric_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The rubric to grade by. Default: the one that belongs to this grader.",
)
sandbox_option = click.option(
    "--sandbox",
    type=click.Choice([choice.value for choice in Sandbox]),
    default=Sandbox.AUTO.value,
    show_default=True,
    help="auto: the best this computer has; require: bubblewrap or nothing; off: none.",
)
speed_option = click.option(
    "--speed",
    callback=_speed,
    metavar="auto|1|N",
    default="auto",
    show_default=True,
    help="How fast slow runs go. 1 is real time throughout, for the grade of record; auto and N "
    "(up to 20) repeat in real time whatever would lose a point.",
)
reveal_option = click.option(
    "--reveal", is_flag=True, help="Show expected answers, for instructors."
)
overrides_option = click.option(
    "--overrides",
    "overrides_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Marks to change, with reasons; the README shows how to write them.",
)
