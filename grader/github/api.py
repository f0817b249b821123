"""Talks to GitHub's API: patient with its limits and hiccups, but never for long."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from github import Auth, BadAttributeException, Github, GithubException
from github.GithubRetry import GithubRetry
from requests import RequestException, Session
from requests.adapters import HTTPAdapter

from grader.errors import UsageError
from grader.github.refusal import LongWaitError, Refused, ServiceError
from grader.reports.inert import one_line

if TYPE_CHECKING:
    from urllib3.connectionpool import ConnectionPool
    from urllib3.response import BaseHTTPResponse

_TRIES = 4
_LONGEST_WAIT = 90.0  # seconds for one answer; secondary limits ask for 60
_TIMEOUT = 20  # seconds
_PAGE = 100
_MEANINGS = {
    401: "GITHUB_TOKEN is not accepted. Is it still valid?",
    403: "GITHUB_TOKEN may not do this; it needs actions: read and pull-requests: write, and for a "
    "class issues: write.",
    404: "there is no such thing, or GITHUB_TOKEN may not see it.",
    410: "it is no longer kept.",
}


class _Patience(GithubRetry):
    """Repeats what failed for a reason that passes, and gives up on waits that are too long."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Any:
        retry = super().increment(method, url, response, error, _pool, _stacktrace)  # type: ignore[arg-type]
        asked = (retry.get_retry_after(response) or 0) if response else 0
        if max(asked, retry.get_backoff_time()) > _LONGEST_WAIT:
            raise LongWaitError("GitHub asks us to wait for long. Please run this again later.")
        return retry

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        # What was refused for its rate was not done. After a 5xx it may have been done all the
        # same, so nothing is posted twice here: whoever posts must look first.
        if method == "POST":
            return status_code in {403, 429}
        return super().is_retry(method, status_code, has_retry_after)


@contextmanager
def connected(pause: float | None = None) -> Iterator[Github]:
    """GitHub, as GITHUB_TOKEN may see it; GITHUB_API_URL names another server.

    Who writes often leaves a `pause` between two writes, in seconds.

    Raises UsageError without a token, and ServiceError for whatever goes wrong there.
    """
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    if not token:
        raise UsageError("Set GITHUB_TOKEN to a token that may comment on pull requests.")
    with (
        explained(),
        Github(
            auth=Auth.Token(token),
            base_url=_address(),
            timeout=_TIMEOUT,
            per_page=_PAGE,
            retry=_patience(),
            lazy=True,
            # One run asks a dozen times and writes once, so it needs no pauses of its own.
            seconds_between_requests=None,
            seconds_between_writes=pause,
        ) as github,
    ):
        yield github


def github_host() -> str:
    """The name of the server in addresses of repositories."""
    return (urlsplit(_address()).hostname or "").removeprefix("api.")


def _address() -> str:
    return os.environ.get("GITHUB_API_URL") or "https://api.github.com"


@contextmanager
def explained() -> Iterator[None]:
    """Turns what can go wrong while asking GitHub into one plain sentence."""
    try:
        yield
    except GithubException as error:
        said = error.data.get("message") if isinstance(error.data, dict) else error.data
        reason = _MEANINGS.get(error.status) or one_line(str(said), 200)
        raise ServiceError(f"GitHub answered {error.status}: {reason}") from None
    except RequestException as error:
        raise ServiceError(f"GitHub cannot be reached ({type(error).__name__}).") from None
    except (BadAttributeException, json.JSONDecodeError):
        raise ServiceError("GitHub gave an answer that makes no sense.") from None


def download(url: str, max_bytes: int) -> bytes:
    """What lies at an address that GitHub handed out, asked without the token.

    Raises Refused when it is larger than `max_bytes`.
    """
    with Session() as session:
        session.mount(url, HTTPAdapter(max_retries=_patience()))
        with session.get(url, stream=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            data = b""
            for piece in response.iter_content(64 * 1024):
                data += piece
                if len(data) > max_bytes:
                    raise Refused(f"The report was refused: it is over {max_bytes // 1024} KB.")
    return data


def _patience() -> _Patience:
    return _Patience(
        total=_TRIES,
        backoff_factor=1,
        allowed_methods=frozenset({"GET", "PATCH"}),
        raise_on_status=False,
    )
