"""A browser in a few lines: cookies, forms, one connection for each request.

Bare sockets, since a client that costs more than the server would measure itself.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.browser_forms import find_form

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 60
_FORM = "Content-Type: application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What the server sent.

    Attributes:
        status: HTTP status.
        headers: names in lower case; of several cookies the last one.
        content: the body as it is meant, unpacked.
        wire_bytes: head and body as they were sent.

    """

    status: int
    headers: dict[str, str]
    content: bytes
    wire_bytes: int

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8")


@dataclass
class Browser:
    """Somebody's browser.

    Attributes:
        port: of the server on this machine.
        cookie: value of the session's cookie.
        token: CSRF token that belongs to the cookie.
        wire_bytes: what the server has sent so far.
        requests: how many were made so far.

    """

    port: int
    cookie: str = ""
    token: str = ""
    wire_bytes: int = 0
    requests: int = 0
    cookie_name: str = field(default="trainings", repr=False)

    def get(self, path: str, expected: int = 200) -> Answer:
        """Load a page."""
        return self._send("GET", path, "", expected)

    def post(self, path: str, values: Mapping[str, object], expected: int = 303) -> Answer:
        """Send a form."""
        return self._send("POST", path, urlencode(values, doseq=True), expected)

    def post_json(self, path: str, body: object, expected: int = 200) -> Answer:
        """Send what a script sends."""
        headers = ("Content-Type: application/json", f"X-CSRFToken: {self.token}")
        return self._send("POST", path, json.dumps(body), expected, headers)

    def submit(self, page: Answer, button: str, path: str) -> Answer:
        """Send the form of a page that has this button; an accepted one redirects."""
        form = find_form(page.text, {}, button)
        return self.post(form.action or path, form.fields)

    def _send(
        self,
        method: str,
        path: str,
        body: str,
        expected: int,
        about_body: tuple[str, ...] = (_FORM,),
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "Accept-Encoding: gzip"]
        if self.cookie:
            lines.append(f"Cookie: {self.cookie_name}={self.cookie}")
        if body:
            lines.extend(about_body)
            lines.append(f"Content-Length: {len(body)}")
        request = "\r\n".join([*lines, "Connection: close", "", body]).encode()
        answer = _parse(_exchange(self.port, request))
        if answer.status != expected:
            raise RuntimeError(f"{method} {path}: {answer.status} instead of {expected}")
        self.wire_bytes += answer.wire_bytes
        self.requests += 1
        cookie = answer.headers.get("set-cookie", "")
        if cookie.startswith(f"{self.cookie_name}="):
            self.cookie = cookie.partition("=")[2].partition(";")[0]
        return answer


def _exchange(port: int, request: bytes) -> bytes:
    received = []
    with socket.create_connection((HOST, port), TIMEOUT_SECONDS) as connection:
        connection.sendall(request)
        while chunk := connection.recv(65536):
            received.append(chunk)
    return b"".join(received)


def _parse(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    content = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    return Answer(int(first.split()[1]), headers, content, len(raw))
