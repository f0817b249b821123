"""A server that real git talks to over HTTPS."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import trustme


class Server(ThreadingHTTPServer):
    """A forge: repositories below a folder, and addresses that answer with a fault.

    Git must be told to trust the certificate in `root/ca.pem`.
    """

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.faults: dict[str, list[int]] = {}
        """Repository -> the statuses of the answers before the first good one."""
        self.asked: Counter[str] = Counter()
        self.authorities: list[str] = []
        self.over = threading.Event()
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        authority.cert_pem.write_to_path(str(root / "ca.pem"))

    def url(self, name: str, user: str = "") -> str:
        return f"https://{user}127.0.0.1:{self.server_port}/{name}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of our business."""


class Handler(BaseHTTPRequestHandler):
    """Hands requests to git's own server."""

    server: Server

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        address = urlsplit(self.path)
        name = address.path.split("/")[1]
        self.server.asked[name] += 1
        self.server.authorities.append(self.headers.get("Authorization", ""))
        if name == "hangs":
            self.server.over.wait()
            return
        faults = self.server.faults.get(name, [])
        if faults:
            self.send_response(faults.pop(0))
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        variables = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "-c", "uploadpack.allowFilter=true", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={**os.environ, **variables},
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        self.send_response(int(dict(headers).get("Status", "200")[:3]))
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def forge(root: Path) -> Iterator[Server]:
    """A server for the bare repositories below a folder, as long as the block runs."""
    server = Server(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
