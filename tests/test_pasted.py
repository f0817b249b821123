"""What the times in pasted transcripts tell, and what an instructor is asked to look at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.model import EventKind, PastedRun
from grader.pasted import pasted_notes, pasted_run
from grader.transcript import parse_transcript

ROOT = Path(__file__).resolve().parent.parent
RUBRIC = load_assignment(ROOT / "rubric.yaml").rubric
DAY = "2026-03-04 10:00:"
SLOW = f"""
{DAY}01,000 - INFO - Called insert_pet() with process=P1, name=Ace, breed=Dog.
{DAY}01,100 - INFO - Called insert_pet() with process=P2, name=Cooper, breed=Rabbit.
{DAY}04,050 - INFO - Called insert_pet() with process=P1, name=Buddy, breed=Dog.
{DAY}06,200 - ERROR - ERROR while P2 inserting pet Cooper: database is locked
{DAY}06,200 - INFO - Called insert_pet() with process=P2, name=Dingo, breed=Dog.
"""


def pasted(text: str, name: str = "run3") -> PastedRun | None:
    transcript = parse_transcript(text, RUBRIC.output, lambda _: False)
    return pasted_run(name, RUBRIC.configurations[name], text, transcript)


def told(text: str) -> list[tuple[float, str, EventKind, str]]:
    run = pasted(text)
    return [(e.t, e.process, e.kind, e.label) for e in run.events] if run else []


def kinds(**texts: str) -> list[str]:
    runs = [run for name, text in texts.items() if (run := pasted(text, name))]
    return [note.kind for note in pasted_notes(runs, texts)]


def test_a_slow_run_is_told() -> None:
    """Each insert waits from its announcement to its error, or to its process's next insert."""
    assert told(SLOW) == [
        (0.0, "P1", EventKind.WAIT, "Ace"),
        (0.1, "P2", EventKind.WAIT, "Cooper"),
        (3.05, "P1", EventKind.COMMIT, "Ace"),
        (3.05, "P1", EventKind.WAIT, "Buddy"),
        (5.2, "P2", EventKind.LOCKED, "Cooper"),
        (5.2, "P2", EventKind.WAIT, "Dingo"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: re.sub(r",(\d{3})", r".\1", text),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "> " + text.replace("\n", "\n> "),
        lambda text: text.replace(" - INFO - ", " - INFO -\n"),
    ],
    ids=["points", "CRLF", "quoted", "wrapped"],
)
def test_form_does_not_matter(change: object) -> None:
    """How the lines were pasted changes nothing of the times in them."""
    assert callable(change)
    assert [t for t, *_ in told(change(SLOW))] == [t for t, *_ in told(SLOW)]


@pytest.mark.parametrize("text", ["", "INFO - no times here", SLOW.replace(DAY, "")])
def test_no_times_no_timeline(text: str) -> None:
    """A transcript without times is no fault; there is just nothing to draw."""
    assert pasted(text) is None
    assert kinds(run3=text) == []


def test_impossible_dates_are_no_times() -> None:
    """A date that no calendar has is read as text."""
    assert pasted(SLOW.replace("2026-03-04", "2026-02-31")) is None


def test_honest_files_say_nothing() -> None:
    """Two runs of two moments, on one machine, are what is expected."""
    quick = SLOW.replace("10:00:", "09:30:").replace("04,050", "01,150")
    quick = quick.replace("06,200 - ERROR - ERROR while P2 inserting pet Cooper: database is", "")
    home = "PS C:\\Users\\mia\\work> python multiple_processes.py\n"
    assert kinds(run0=home + quick, run3=home.lower() + SLOW) == []


@pytest.mark.parametrize("moment", ["01,050", "01,000"])
def test_inserts_that_took_no_time_are_told(moment: str) -> None:
    """A slow run whose insert was over at once was run with another duration."""
    assert kinds(run3=SLOW.replace("04,050", moment)) == ["transcript-times"]


def test_one_run_in_both_files_is_told() -> None:
    """Two files with lines of the same milliseconds show one run."""
    assert "same-run" in kinds(run0=SLOW, run3=SLOW)


@pytest.mark.parametrize(
    ("one", "other", "different"),
    [
        (r"C:\Users\mia\a.py", r"C:\Users\mia\b.py", False),
        (r"C:\Users\mia\a.py", "/c/Users/mia/b.py", False),
        ("/home/mia/x", "nothing", False),
        ("/home/mia/x", "/Users/ben/x", True),
    ],
)
def test_another_users_folder_is_told(one: str, other: str, different: bool) -> None:
    """Files that name the folders of different users come from different machines, or people."""
    assert kinds(run0=one, run3=other) == (["other-machine"] if different else [])
