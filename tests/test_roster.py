r"""Reading a roster: a case is NAME.csv, and NAME.txt with what is read from it.

A line of the latter begins with `=` for a student, `!` for one with faults, `?` for a note and `x`
for a reason to refuse the file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import roster
from grader.errors import UsageError
from grader.model import Outcome
from grader.roster import Roster, read_roster

CASES = sorted((Path(__file__).parent / "cases" / "rosters").glob("*.csv"))


def shown(path: Path) -> str:
    try:
        lines = list(described(read_roster(path)))
    except UsageError as refusal:
        lines = [f"x {line}" for line in str(refusal).split("\n")]
    return "\n".join(lines).replace(str(path.parent), "FOLDER") + "\n"


def described(found: Roster) -> Iterator[str]:
    for one in found.students:
        known = [one.repository, one.ref, one.name, one.email, *one.columns.items()]
        yield f"= {one.line} {one.key!r} " + " ".join(str(each) for each in known if each)
    yield from (f"! {row.student.key!r} {row.reason}" for row in found.faults)
    yield from (f"? {note}" for note in found.notes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path) -> None:
    """What is read from the file, and every fault in it, is as its text says."""
    expected = case.with_suffix(".txt")
    if os.environ.get("RENEW_GOLDEN"):
        expected.write_text(shown(case), encoding="utf-8")
    assert shown(case) == expected.read_text("utf-8")


def write(folder: Path, text: str, name: str = "roster.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_fault_is_a_row(tmp_path: Path) -> None:
    """A faulty line is a row that failed, with the student and without a report."""
    found = read_roster(write(tmp_path, "student,repository\nana,htps://x.org/a/b\n"))
    (row,) = found.faults
    assert (row.outcome, row.report, row.student.key) == (Outcome.FAILED, None, "ana")
    assert (row.student.line, found.students) == (2, ())


def test_folders_beside_the_roster(tmp_path: Path) -> None:
    """A path is taken from where the roster is, not from where the grader was started."""
    (tmp_path / "work" / "ana").mkdir(parents=True)
    text = f"student,repository\nana,work/ana\nben,{tmp_path / 'work'}\n"
    found = read_roster(write(tmp_path, text))
    places = [Path(one.repository) for one in found.students]
    assert places == [tmp_path / "work" / "ana", tmp_path / "work"]


def test_same_folder_twice(tmp_path: Path) -> None:
    """Two ways to write one folder are one repository."""
    (tmp_path / "ana").mkdir()
    text = "student,repository\nana,ana\nben,./ana/\n"
    found = read_roster(write(tmp_path, text))
    assert [
        "lines" in str(row.reason) or "give the same" in str(row.reason) for row in found.faults
    ]
    assert len(found.faults) == 2


def test_no_password_in_faults(tmp_path: Path) -> None:
    """A token in an address stands in no reason, even where it makes no address."""
    urls = ["https://s3cret@x.org/ a", "http://me:s3cret@x.org/a", "htps://s3cret@x.org/a?t=s3cret"]
    lines = [f"s{number},{url}" for number, url in enumerate(urls)]
    found = read_roster(write(tmp_path, "\n".join(["student,repository", *lines])))
    assert len(found.faults) == 3
    assert "s3cret" not in "".join(str(row.reason) for row in found.faults)


def test_no_such_file(tmp_path: Path) -> None:
    """A roster that is not there is refused."""
    with pytest.raises(UsageError, match="There is no file"):
        read_roster(tmp_path / "no.csv")


def test_absurd_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no roster by its size, or has far too many lines, is refused."""
    monkeypatch.setattr(roster, "_MAX_STUDENTS", 2)
    lines = [f"s{number},https://x.org/{number}/w" for number in range(3)]
    path = write(tmp_path, "\n".join(["student,repository", *lines]))
    with pytest.raises(UsageError, match="names 3 students; 2 are the most"):
        read_roster(path)
    monkeypatch.setattr(roster, "_MAX_BYTES", 50)
    with pytest.raises(UsageError, match="larger than"):
        read_roster(path)


def test_many_faulty_headings_and_quotes_at_once(tmp_path: Path) -> None:
    """Headings and quotation marks that keep a file from being read are told of together."""
    with pytest.raises(UsageError) as caught:
        read_roster(write(tmp_path, 'studnet,repo\n"a"b,c\n"d"e,f\n'))
    lines = str(caught.value).split("\n")
    assert [line.split(" ")[0] for line in lines] == [
        "roster.csv:2:",
        "roster.csv:3:",
        "roster.csv:1:",
        "roster.csv:1:",
    ]


# ---------------------------------------------------------------- folders


def test_folder_of_submissions(tmp_path: Path) -> None:
    """Each folder is a student; what is hidden, a file or a link is named and left out."""
    for name in ("ben", "ana", ".git"):
        (tmp_path / "class" / name).mkdir(parents=True)
    write(tmp_path / "class", "x", "grades.csv")
    found = read_roster(tmp_path / "class")
    assert [one.key for one in found.students] == ["ana", "ben"]
    assert [Path(one.repository).is_dir() for one in found.students] == [True, True]
    assert [note for note in found.notes if ".git" in note and "hidden" in note]
    assert [note for note in found.notes if "grades.csv" in note and "no folder" in note]


@pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make links there")
def test_links_among_submissions(tmp_path: Path) -> None:
    """A link is not followed out of the class; the class itself may be behind one."""
    (tmp_path / "class" / "ana").mkdir(parents=True)
    (tmp_path / "class" / "out").symlink_to(tmp_path)
    (tmp_path / "way").symlink_to(tmp_path / "class")
    found = read_roster(tmp_path / "way")
    assert [one.key for one in found.students] == ["ana"]
    assert "out" in found.notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not have such names")
def test_folders_that_are_hard_to_tell_apart(tmp_path: Path) -> None:
    """Names that differ in case alone, or cannot be shown, are faults."""
    for name in (b"ana", b"Ana", b"ben", b"\xff\x1b[2J"):
        os.mkdir(os.fsencode(tmp_path) + b"/" + name)  # noqa: PTH102
    found = read_roster(tmp_path)
    assert [one.key for one in found.students] == ["ben"]
    assert all(str(row.reason).isprintable() for row in found.faults)
    assert [row.student.key for row in found.faults] == ["Ana", "ana", r"\udcff\x1b[2J"]


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without folders names no student."""
    with pytest.raises(UsageError, match="names no student"):
        read_roster(tmp_path)


# ---------------------------------------------------------------- anything


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.text(st.sampled_from('ab,;\t"\n\r @:/.-\0é\u202e') | st.characters(), max_size=30),
        max_size=8,
    )
)
def test_any_text(tmp_path: Path, lines: list[str]) -> None:
    """Whatever a roster holds, each line is a student, a fault, or the file is refused."""
    text = "\n".join(["student,repository,ref", *lines])
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        found = read_roster(path)
    except UsageError as refusal:
        assert str(refusal).isprintable() or "\n" in str(refusal)
        return
    keys = [one.key.casefold() for one in found.students]
    assert len(keys) == len(set(keys))
    assert all(row.reason for row in found.faults)
