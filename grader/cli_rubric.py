"""The commands of `grader rubric`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli_options import rubric_option
from grader.errors import UsageError

MAX_ANSWER = 16 * 1024
"""Bytes of an answer: far more than anyone writes."""


@click.group()
def rubric() -> None:
    """Check, explain or publish the rubric that grading goes by."""


@rubric.command()
@rubric_option
def check(rubric_file: Path | None) -> int:
    """Find every mistake in a rubric and mark its own examples.

    Exit status: 0 when all is well, 2 when there is a fault or an example gets another
    verdict than it should.
    """
    from grader.assignment import load_assignment
    from grader.rubric_examples import mark_examples

    assignment = load_assignment(rubric_file)
    marked = list(mark_examples(assignment))
    wrong = [example for example in marked if not example.right]
    for example in wrong:
        click.echo(str(example), err=True)
    click.echo(
        f"{len(assignment.rubric.criteria)} criteria, {assignment.rubric.max_score:g} points; "
        f"{len(marked) - len(wrong)} of {len(marked)} examples as expected."
    )
    return UsageError.exit_code if wrong else 0


@rubric.command()
@rubric_option
def show(rubric_file: Path | None) -> int:
    """Explain a rubric: what each criterion looks at and how many points it is worth."""
    from grader.assignment import load_assignment
    from grader.rubric_view import render

    click.echo(render(load_assignment(rubric_file)), nl=False)
    return 0


@rubric.command()
def schema() -> int:
    """Print the JSON Schema of rubric.yaml, for editors that complete and check."""
    from grader.rubric_schema import schema_text

    click.echo(schema_text(), nl=False)
    return 0


# No -h here: an answer may begin with a dash, and "- the" holds an h.
@rubric.command(
    "try", context_settings={"help_option_names": ["--help"], "ignore_unknown_options": True}
)
@click.argument("question")
@click.argument("answer", nargs=-1)
@click.option(
    "--file",
    "answer_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read the answer from a file.",
)
@click.option(
    "--submission",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Mark by the script in this folder. Default: the script that students are given.",
)
@rubric_option
def try_answer(
    question: str,
    answer: tuple[str, ...],
    answer_file: Path | None,
    submission: Path | None,
    rubric_file: Path | None,
) -> int:
    """Mark one ANSWER to a QUESTION on the spot, and explain the mark.

    QUESTION is its id in the rubric, such as q3. ANSWER is what a student might write, in
    quotes and without the question; - reads it from the keyboard or a pipe. What is shown
    includes the expected answer.

    \b
    Exit status: 0 when the answer was marked, 2 for wrong usage or a bad rubric.

    \b
    Examples:
      grader rubric try q3 "There are seven functions."
      grader rubric try q5 --file answer.txt
      grader rubric try q3 "5" --submission my-fork
      echo "p1, p2 and p3" | grader rubric try q7 -
    """
    from grader.assignment import load_assignment
    from grader.rubric_try import explain, mark_answer

    assignment = load_assignment(rubric_file)
    text = _answer(answer, answer_file)
    result = mark_answer(question, text, assignment, submission)
    click.echo(explain(result, assignment.rubric), nl=False)
    return 0


def _answer(words: tuple[str, ...], file: Path | None) -> str:
    from grader.named_file import read_named

    if len(words) > 1:
        raise UsageError(f"Put the answer into quotes; it was taken apart at {words[1]!r}.")
    if bool(words) == (file is not None):
        raise UsageError('Give one answer: "in quotes", with --file FILE, or - to type it.')
    if file is not None:
        return read_named(file, MAX_ANSWER)
    data = _typed() if words[0] == "-" else words[0].encode("utf-8", "replace")
    return _text(data)


def _typed() -> bytes:
    if sys.stdin.isatty():
        keys = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        click.echo(f"Type the answer. End it with Enter, then {keys}.", err=True)
    return sys.stdin.buffer.read(MAX_ANSWER + 1)


def _text(data: bytes) -> str:
    from grader.textfile import decode

    if len(data) > MAX_ANSWER:
        raise UsageError(f"The answer is larger than {MAX_ANSWER // 1024} KB.")
    return decode(data).text
