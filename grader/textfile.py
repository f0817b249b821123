"""Reads one untrusted text file: bounded, never through a link, whatever its encoding."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from grader.model import FileState, TextFile

MAX_BYTES = 2 * 1024 * 1024

_LFS_POINTER = "version https://git-lfs.github.com/spec/"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Where UTF-16 was appended to one-byte text, or the other way round. A byte before a NUL belongs
# to UTF-16. In the middle only long ASCII counts: 16 characters of Chinese seldom look like it.
_ONE_BYTE_TEXT = re.compile(
    rb"""( \A [\t\n\r\x1b\x20-\x7e\x80-\xf4]{4,} (?!\x00)
        | [\t\n\r\x1b\x20-\x7e]{32,} (?!\x00) )""",
    re.VERBOSE,
)
# What terminals and editors write when it is not Unicode. Asked all at once, charset-normalizer
# takes a single accent for Chinese.
_OLD_ENCODINGS = (
    ["cp1252", "cp437", "mac_roman"],
    ["cp1250", "cp1251", "cp1253", "cp1254", "gb18030", "big5", "shift_jis", "euc_kr"],
)
_MANY_NULS = 0.4
_FEW_NULS = 0.1
# Not every platform has all of them.
OPEN_FLAGS = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
)


class Decoded(NamedTuple):
    """Bytes as text; `problem` says which of them were no text, as the end of a sentence."""

    text: str
    encoding: str
    problem: str | None


# ---------------------------------------------------------------- reading


def read_text_file(path: Path, name: str, max_bytes: int = MAX_BYTES) -> TextFile:
    """Reads a regular file of at most `max_bytes`; reports call it `name`.

    A hard link is read: it cannot be told from a file that a tool stored only once, and whoever
    made it could read the file before. Nothing is ever written.
    """
    try:
        data = _read_bytes(path, max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return TextFile(name=name, state=FileState.MISSING)
    except _Unreadable as reason:
        return TextFile(name=name, state=FileState.UNREADABLE, problem=f"{name} {reason}")
    except (OSError, ValueError):
        sentence = f"{name} could not be opened. Check that you are allowed to read it."
        return TextFile(name=name, state=FileState.UNREADABLE, problem=sentence)
    text, encoding, problem = decode(data)
    if text.startswith(_LFS_POINTER):
        sentence = (
            f"{name} is a Git LFS pointer: its text itself is not in the repository. "
            "Commit the text as an ordinary file."
        )
        return TextFile(name=name, state=FileState.UNREADABLE, problem=sentence)
    return TextFile(
        name=name,
        state=FileState.PRESENT if text.strip() else FileState.EMPTY,
        text=text,
        encoding=encoding,
        problem=f"In {name}, {problem}" if problem else None,
    )


class _Unreadable(Exception):  # noqa: N818 - a reason, completed to a sentence by its reader
    """Why a file is not looked into, as the end of a sentence that starts with its name."""


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    _refuse(path.lstat(), max_bytes)
    descriptor = os.open(path, OPEN_FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        _refuse(os.fstat(descriptor), max_bytes)
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _Unreadable(_too_big(max_bytes))
    return data


def _refuse(status: os.stat_result, max_bytes: int) -> None:
    """Raises `_Unreadable` for anything but a regular file of at most `max_bytes`."""
    if stat.S_ISDIR(status.st_mode):
        raise _Unreadable("is a folder. A text file is expected here.")
    if stat.S_ISLNK(status.st_mode):
        raise _Unreadable("is a link to another place. Put the file itself here.")
    if not stat.S_ISREG(status.st_mode):
        raise _Unreadable("is no ordinary file. A text file is expected here.")
    if status.st_size > max_bytes:
        raise _Unreadable(_too_big(max_bytes))


def _too_big(max_bytes: int) -> str:
    return f"is larger than {max_bytes // 1024:,} KB. Keep only the part that was asked for."


# ---------------------------------------------------------------- decoding


class _Guess(NamedTuple):
    """Bytes in one encoding; unsound when U+FFFD stands for some of them."""

    text: str
    encoding: str
    sound: bool = True


def decode(data: bytes) -> Decoded:
    r"""Decodes bytes of any encoding to text with `\n` line ends and no NULs; never raises."""
    guess = _marked(data) or _unmarked_utf16(data) or _utf8(data) or _older(data)
    text, encoding, sound = guess or _replaced(data, "utf-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\0", "").replace("\ufeff", "")
    return Decoded(text, encoding, None if sound else _problem(text))


def _problem(text: str) -> str:
    line = 1 + text.count("\n", 0, text.find("\ufffd"))
    return f"line {line} has bytes that are no text; they are shown as \ufffd."


def _marked(data: bytes) -> _Guess | None:
    """Text that starts with a byte order mark."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            pieces = _ONE_BYTE_TEXT.split(data) if encoding == "utf-16-le" else [data]
            guess = _pieced(pieces, encoding)
            # The mark of UTF-32 is also that of UTF-16 with a NUL after it.
            if guess.sound or not encoding.startswith("utf-32"):
                return guess
    return None


def _unmarked_utf16(data: bytes) -> _Guess | None:
    """UTF-16 without a mark: mostly ASCII, so about every other byte is NUL."""
    pieces = _ONE_BYTE_TEXT.split(data)
    if _nul_share(pieces[::2], 1) > _MANY_NULS and _nul_share(pieces[::2], 0) < _FEW_NULS:
        return _pieced(pieces, "utf-16-le")
    if len(data) > 1 and _nul_share([data], 0) > _MANY_NULS and _nul_share([data], 1) < _FEW_NULS:
        return _replaced(data, "utf-16-be")
    return None


def _nul_share(pieces: list[bytes], odd: int) -> float:
    """The share of NULs among the bytes at even (0) or odd (1) places of the pieces."""
    places = [piece[odd::2] for piece in pieces]
    return sum(place.count(0) for place in places) / (sum(map(len, places)) or 1)


def _pieced(pieces: list[bytes], encoding: str) -> _Guess:
    """Pieces in `encoding`, or in turn in UTF-8, as appending in PowerShell leaves them."""
    guesses = [_piece(piece, encoding, mixed=len(pieces) > 1) for piece in pieces]
    text = "".join(guess.text for guess in guesses)
    return _Guess(text, encoding, all(guess.sound for guess in guesses))


def _piece(piece: bytes, encoding: str, *, mixed: bool) -> _Guess:
    one_byte = _replaced(piece, "utf-8")
    if mixed and one_byte.sound and b"\0" not in piece:
        return one_byte
    return _replaced(piece, encoding)


def _utf8(data: bytes) -> _Guess | None:
    """UTF-8, also when it is damaged, as long as more of it is sound than not."""
    guess = _replaced(data, "utf-8")
    damaged = guess.text.count("\ufffd")
    beyond_ascii = sum(character > "\x7f" for character in guess.text)
    return guess if guess.sound or damaged <= beyond_ascii - damaged else None


def _older(data: bytes) -> _Guess | None:
    """The likeliest encoding of the time before Unicode."""
    from charset_normalizer import from_bytes

    for encodings in _OLD_ENCODINGS:
        best = from_bytes(data, cp_isolation=encodings).best()
        if best is not None:
            return _Guess(str(best), best.encoding)
    return None


def _replaced(data: bytes, encoding: str) -> _Guess:
    """The bytes in that encoding, with U+FFFD for those that are no text in it."""
    try:
        return _Guess(data.decode(encoding), encoding)
    except UnicodeDecodeError:
        return _Guess(data.decode(encoding, "replace"), encoding, sound=False)
