"""Names that are safe as files on Linux, macOS and Windows alike."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_LONGEST = 60
"""Characters; with four bytes each and a suffix that is still a name every file system takes."""
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin|conout|clock|com\d|lpt\d)(?:\..*)?", re.IGNORECASE
)
_MARKED = re.compile(r"-[0-9a-f]{8}$", re.IGNORECASE)


def file_names(keys: Iterable[str]) -> dict[str, str]:
    """Each key's name for files, without a suffix: readable, safe everywhere, and its own.

    Where a file system may take two of them for one, both get a mark made from the key alone, so
    that a student's name is the same in every run.
    """
    bare = {key: _bare(key) for key in keys}
    taken = Counter(_folded(name) for name in bare.values())
    return {
        key: name
        if name and taken[_folded(name)] == 1 and not _MARKED.search(name)
        # What ends like a mark gets one too: else it could be the name that a mark makes.
        else f"{name or 'student'}-{_mark(key)}"
        for key, name in bare.items()
    }


def _bare(key: str) -> str:
    text = unicodedata.normalize("NFKC", key)
    safe = re.sub(r"[^\w.+@-]+", "-", text)[:_LONGEST].strip(" .-")
    name = unicodedata.normalize("NFC", safe)
    return f"_{name}" if _RESERVED.fullmatch(name) else name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name.casefold())


def _mark(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
