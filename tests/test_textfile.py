"""Reading one untrusted file: what is refused, and every encoding a student may save in."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import FileState
from grader.textfile import decode, read_text_file

LINE = "2026-01-05 10:00:01 - INFO - Called insert_row() with process=P1, name=Ash\n"
CHINESE = "上海的学生启动三个进程，每个进程插入两条记录。" * 40

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="made with POSIX calls")


def wide(text: str) -> bytes:
    """The text as PowerShell's `>` appends it."""
    return text.replace("\n", "\r\n").encode("utf-16-le")


# ---------------------------------------------------------------- reading


def test_reads_a_regular_file(tmp_path: Path) -> None:
    """A file's text is given with the name it was asked for and its encoding."""
    path = tmp_path / "out.txt"
    path.write_bytes("café\r\n".encode())
    file = read_text_file(path, "work/out.txt")
    assert (file.name, file.state, file.text) == ("work/out.txt", FileState.PRESENT, "café\n")
    assert (file.encoding, file.problem) == ("utf-8", None)


@pytest.mark.parametrize("place", ["out.txt", "no folder/out.txt", "a file/out.txt"])
def test_missing(tmp_path: Path, place: str) -> None:
    """A path that leads nowhere is a missing file, which is no problem to tell of."""
    (tmp_path / "a file").write_text("x", encoding="utf-8")
    file = read_text_file(tmp_path / place, "out.txt")
    assert (file.state, file.text, file.problem) == (FileState.MISSING, "", None)


@pytest.mark.parametrize(
    "content",
    [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe\r\x00\n\x00", b"\xfe\xff", b"\0", b"\0" * 99],
)
def test_empty(tmp_path: Path, content: bytes) -> None:
    """White space, a byte order mark and NULs alone are an empty file."""
    path = tmp_path / "out.txt"
    path.write_bytes(content)
    assert read_text_file(path, "out.txt").state is FileState.EMPTY


def test_folder_is_refused(tmp_path: Path) -> None:
    """A folder with a file's name is unreadable, and the sentence says it is a folder."""
    file = read_text_file(tmp_path, "out.txt")
    assert file.state is FileState.UNREADABLE
    assert file.problem == "out.txt is a folder. A text file is expected here."


@needs_posix
@pytest.mark.parametrize("target", ["secret.txt", "/etc/passwd", "out.txt", "nothing"])
def test_link_is_not_followed(tmp_path: Path, target: str) -> None:
    """A link is refused wherever it leads: to a neighbour, out, to itself, to nothing."""
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "out.txt").symlink_to(target)
    file = read_text_file(tmp_path / "out.txt", "out.txt")
    assert (file.state, file.text) == (FileState.UNREADABLE, "")
    assert "is a link" in (file.problem or "")


@needs_posix
def test_link_put_there_after_the_look_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening the file refuses a link that the look before it did not see."""
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "out.txt").symlink_to("secret.txt")
    monkeypatch.setattr(Path, "lstat", Path.stat)
    assert read_text_file(tmp_path / "out.txt", "out.txt").state is FileState.UNREADABLE


@needs_posix
def test_pipe_does_not_block(tmp_path: Path) -> None:
    """A named pipe nobody writes to is refused at once."""
    os.mkfifo(tmp_path / "out.txt")
    file = read_text_file(tmp_path / "out.txt", "out.txt")
    assert file.state is FileState.UNREADABLE
    assert "no ordinary file" in (file.problem or "")


@needs_posix
def test_pipe_put_there_after_the_look_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a named pipe neither waits for a writer nor takes it for a file."""
    (tmp_path / "file").touch()
    seen = (tmp_path / "file").lstat()
    os.mkfifo(tmp_path / "out.txt")
    monkeypatch.setattr(Path, "lstat", lambda _: seen)
    states: list[FileState] = []
    reader = threading.Thread(
        target=lambda: states.append(read_text_file(tmp_path / "out.txt", "out.txt").state),
        daemon=True,
    )
    reader.start()
    reader.join(10)
    assert states == [FileState.UNREADABLE]


def test_pointer_to_large_file_storage(tmp_path: Path) -> None:
    """What Git LFS leaves in a file's place is not taken for its text."""
    path = tmp_path / "out0.txt"
    path.write_text("version https://git-lfs.github.com/spec/v1\nsize 5\n", encoding="utf-8")
    file = read_text_file(path, "out0.txt")
    assert (file.state, file.text) == (FileState.UNREADABLE, "")
    assert "Git LFS pointer" in (file.problem or "")


@needs_posix
def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is no ordinary file."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("out.txt")
        assert read_text_file(tmp_path / "out.txt", "out.txt").state is FileState.UNREADABLE


def test_size_is_looked_at_before_reading(tmp_path: Path) -> None:
    """A sparse file of 2 GB is refused without being read; one at the limit is not."""
    path = tmp_path / "out.txt"
    with path.open("wb") as file:
        file.truncate(2**31)
    refused = read_text_file(path, "out.txt")
    assert refused.state is FileState.UNREADABLE
    assert "larger than 2,048 KB" in (refused.problem or "")
    path.write_bytes(b"x" * 2048)
    assert read_text_file(path, "out.txt", 2048).present
    assert not read_text_file(path, "out.txt", 2047).present


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_size_that_lies_is_capped() -> None:
    """A file that says it has no bytes is still read only up to the limit."""
    assert read_text_file(Path("/proc/self/maps"), "out.txt", 64).state is FileState.UNREADABLE


def test_file_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal by the system is a sentence, not a failure."""

    def refuse(*_: object) -> int:
        raise PermissionError

    (tmp_path / "out.txt").write_text("text", encoding="utf-8")
    monkeypatch.setattr(os, "open", refuse)
    file = read_text_file(tmp_path / "out.txt", "out.txt")
    assert file.state is FileState.UNREADABLE
    assert "allowed to read it" in (file.problem or "")


def test_impossible_path(tmp_path: Path) -> None:
    """A path that no system can have is unreadable or missing, never an exception."""
    state = read_text_file(tmp_path / "a\0b", "out.txt").state
    assert state in {FileState.UNREADABLE, FileState.MISSING}


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    """Damage in a UTF-8 file names the file and the line, and the rest is kept."""
    path = tmp_path / "out.txt"
    path.write_bytes("naïve\ncafé ".encode() + b"\xff\n")
    file = read_text_file(path, "out.txt")
    assert file.text == "naïve\ncafé \ufffd\n"
    assert (file.problem or "").startswith("In out.txt, line 2 has bytes that are no text")


# ---------------------------------------------------------------- decoding


@given(st.text(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]))
def test_encodings_agree(text: str, encoding: str) -> None:
    """The same text is read from UTF-8, UTF-16 and UTF-32 with their marks, and with CRLF."""
    text = "".join(character for character in text if character not in "\r\0\ufeff")
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    for written in (text, text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        assert decode(mark + written.encode(encoding)).text == text


@given(
    st.binary()
    | st.lists(st.sampled_from([b"\0", b"\xff\xfe", b"a", b"\n", b"\xe9"])).map(b"".join)
)
def test_any_bytes_decode(data: bytes) -> None:
    """Whatever the bytes, there is text without NULs and carriage returns, and an encoding."""
    text, encoding, _ = decode(data)
    assert not set("\0\r\ufeff") & set(text)
    assert encoding
    text.encode()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [LINE, "– " + LINE, LINE * 50 + "Größe: “fünf”\n", "ok"])
def test_utf16_without_a_mark(encoding: str, text: str) -> None:
    """UTF-16 that is mostly ASCII is known by its NULs when the mark is missing."""
    assert decode(text.encode(encoding)) == (text, encoding, None)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Paste your run here:\r\n" + wide(LINE * 3), id="appended to a short file"),
        pytest.param((LINE * 9).encode() + wide(LINE), id="appended to a long file"),
        pytest.param("PS C:\\José> go\r\n".encode() + wide(LINE), id="appended to UTF-8"),
        pytest.param(b"\xff\xfe" + wide(LINE * 3) + LINE.encode(), id="UTF-8 appended to UTF-16"),
        pytest.param(LINE.encode() + b"\xff\xfe" + wide(LINE), id="joined, mark and all"),
    ],
)
def test_mixture_of_encodings(data: bytes) -> None:
    """A file in which PowerShell continued another program's output is read in both parts."""
    text, _, problem = decode(data)
    assert problem is None
    assert "\ufffd" not in text
    assert text.isascii() or "José" in text
    assert text.count(LINE) == data.replace(b"\0", b"").count(b"Called")


def test_chinese_is_not_taken_for_ascii() -> None:
    """UTF-16 whose bytes happen to be printable stays UTF-16."""
    assert decode(CHINESE.encode("utf-16")).text == CHINESE


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café", "cp1252"),
        ("PS C:\\Users\\José> python x.py\n", "cp1252"),
        ("It’s the “main” block – at the end…\n", "cp1252"),
        ("Процессы ждут, пока база данных занята.\n" * 3, "cp1251"),
        (CHINESE, "gb18030"),
    ],
)
def test_encodings_before_unicode(text: str, encoding: str) -> None:
    """What is not Unicode is read in the encoding that makes sense of it."""
    assert decode(text.encode(encoding)) == (text, encoding, None)


def test_stray_nuls_are_dropped() -> None:
    """A few NULs in ordinary text do not turn it into UTF-16."""
    assert decode(b"one\0 two three four\0\n") == ("one two three four\n", "utf-8", None)


def test_line_ends() -> None:
    """Windows' and old Macs' line ends become the one we use."""
    assert decode(b"a\r\nb\rc\n\r\n").text == "a\nb\nc\n\n"


def test_cut_utf16_tells_of_the_damage() -> None:
    """A UTF-16 file that ends in the middle of a character is read up to there."""
    text, _, problem = decode(b"\xff\xfe" + wide("one\ntwo")[:-1])
    assert text == "one\ntw\ufffd"
    assert problem is not None
    assert problem.startswith("line 2 ")


def test_mark_of_utf32_may_be_one_of_utf16() -> None:
    """UTF-16 that starts with a NUL begins like UTF-32 and is still read."""
    assert decode(b"\xff\xfe\0\0" + wide("one\n")) == ("one\n", "utf-16-le", None)
