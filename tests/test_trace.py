"""Reading what a run's processes wrote of themselves, which anybody may have written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Event, EventKind
from grader.trace import read_trace

START = b"100.0\tstart\t7\t1\n"


def told(*lines: str, speed: float = 1.0, start: bytes = START) -> list[tuple[str, str, str]]:
    """(process, kind, label) of each event."""
    data = start + "".join(f"{line}\n" for line in lines).encode()
    events = read_trace({"7.trace": data}, speed)
    return [(event.process, event.kind.value, event.label) for event in events]


def test_events_come_in_the_order_of_time() -> None:
    """Processes are told together, in the assignment's seconds since the first event."""
    files = {
        "8.trace": b"100.2\tstart\t8\t7\n100.3004\twait\tProcess-2\tEmma\tINSERT\n",
        "7.trace": START
        + b"100.2\twait\tProcess-1\tAce\tINSERT\n100.31\thold\tProcess-1\tAce\tI\n",
    }
    assert read_trace(files, 10) == (
        Event(t=0.0, process="P1", kind=EventKind.WAIT, label="Ace"),
        Event(t=1.004, process="P2", kind=EventKind.WAIT, label="Emma"),
        Event(t=1.1, process="P1", kind=EventKind.HOLD, label="Ace"),
    )


def test_moments_that_are_one_keep_their_order() -> None:
    """What a process wrote first comes first, also when the clock did not go on."""
    lines = [f"101\t{kind}\tProcess-1\tAce" for kind in ("wait", "hold", "commit")]
    assert [kind for _, kind, _ in told(*lines)] == ["wait", "hold", "commit"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Process-2", "P2"),
        ("SpawnProcess-12", "P12"),
        ("ForkServerProcess-3", "P3"),
        ("ForkProcess-3:1", "P3:1"),
        ("MainProcess", "main"),
        ("Process-x", "Process-x"),
        ("north desk", "north desk"),
        ("", "?"),
    ],
)
def test_processes_have_short_names(name: str, shown: str) -> None:
    """The processes are numbered as the assignment does it; names of the script's own stand."""
    assert told(f"101\twait\t{name}\tAce") == [(shown, "wait", "Ace")]


@pytest.mark.parametrize(
    ("record", "label"),
    [
        ("Ace\tINSERT INTO t VALUES (?, 'x')", "Ace"),
        ("\tINSERT INTO t (a, b) VALUES ('Ace', 'Dog')", "Ace"),
        ('\tinsert into t values ("O\'Neil", 1)', "O'Neil"),
        ("\tINSERT INTO t VALUES ( 5, 6)", "5"),
        ("\tINSERT INTO t VALUES (?, :b)", ""),
        ("\tUPDATE t SET a = 'Buddy' WHERE b = 1", "Buddy"),
        ("\tDELETE FROM t", ""),
        ("", ""),
    ],
)
def test_label_is_the_first_value(record: str, label: str) -> None:
    """An insert is called by its first text, else by the first value in its statement."""
    assert told(f"101\twait\tP\t{record}") == [("P", "wait", label)]


def test_a_lock_taken_beforehand_gets_the_record_it_was_for() -> None:
    """`BEGIN IMMEDIATE` knows no record yet; the one that is then written is it."""
    lines = ["wait\tP", "hold\tP", "free\tP", "wait\tP", "hold\tP", "commit\tP\tAce", "wait\tP"]
    labels = [(kind, label) for _, kind, label in told(*(f"101\t{line}" for line in lines))]
    assert labels == [
        ("wait", ""),
        ("hold", ""),
        ("wait", "Ace"),
        ("hold", "Ace"),
        ("commit", "Ace"),
        ("wait", ""),
    ]


def test_what_came_to_nothing_is_left_out() -> None:
    """An insert that failed for another reason did not wait; a rollback is no commit."""
    lines = ["wait\tP\tAce", "free\tP\tAce", "wait\tP\tBo", "hold\tP\tBo", "free\tP\tBo", "end\tP"]
    assert told(*(f"101\t{line}" for line in lines)) == [("P", "wait", "Bo"), ("P", "hold", "Bo")]


@pytest.mark.parametrize(
    "line",
    [
        "nan\twait\tP",
        "inf\twait\tP",
        "-inf\twait\tP",
        "99.9\twait\tP",
        "460.1\twait\tP",
        "1e308\twait\tP",
        "soon\twait\tP",
        "\twait\tP",
        "101",
        "101\tWAIT\tP",
        "101\tlabel\tP",
    ],
)
def test_lines_that_make_no_sense_are_left_out(line: str) -> None:
    """Neither a time before the start nor after an hour, nor an unknown kind, is an event."""
    assert told(line, "460\twait\tP", speed=10) == [("P", "wait", "")]


def test_without_a_start_there_is_no_trace() -> None:
    """Times mean nothing when it is not known since when they count."""
    assert told("101\twait\tP", start=b"") == []
    assert read_trace({}, 1) == ()


def test_labels_are_short_and_plain() -> None:
    """Nothing in a record can break a line, steer a terminal, or fill a report."""
    hostile = "a\x1b[31m\x00b\u202ec\u2028d" + "e" * 1000
    ((process, _, label),) = told(f"101\twait\t{hostile}\t{hostile}")
    assert process == label
    assert label.isprintable()
    assert label.startswith("a [31m b c de")
    assert len(label) == 60


def test_a_flood_is_cut() -> None:
    """However much was written, reading takes a moment and tells of the beginning."""
    flood = START + b"101\twait\tProcess-1\tAce\n" * 200_000
    start = time.perf_counter()
    assert len(read_trace({f"{n}.trace": flood for n in range(50)}, 1)) == 10_000
    assert read_trace({"a": b"\n" * 50_000_000, "b": b"\t" * 50_000_000}, 1) == ()
    assert time.perf_counter() - start < 8


FIELDS = st.sampled_from(["start", "wait", "hold", "free", "101", "1e9", "\udcff", "Process-1", ""])
LINES = st.lists(FIELDS | st.text(), max_size=6).map("\t".join)


@given(st.lists(LINES).map("\n".join).map(lambda text: text.encode("utf-8", "replace")))
def test_any_text_is_read(data: bytes) -> None:
    """Whatever lines a file holds, the result is events in the order of time."""
    events = read_trace({"a": START + data, "b": data}, 3)
    assert [event.t for event in events] == sorted(event.t for event in events)


@given(st.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    """Bytes that are no text at all are read as well."""
    read_trace({"a": data, "b": START + data}, 1)
