"""An HTTP exchange for the report of a check that fails: what was sent, and what came back as far as it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

from xnai_validate.model.results.exchange import BODY_CAP, END_CAP, HEADER_CAP, HEADERS_CAP, NO_RESPONSE, Exchange
from xnai_validate.wire.content import media_type, text_of
from xnai_validate.wire.http.connections.destination import without_userinfo
from xnai_validate.wire.http.connections.progress import Progress
from xnai_validate.wire.http.head import Head
from xnai_validate.wire.http.request import HttpRequest, Prepared
from xnai_validate.wire.http.upload import pieces_of

_OURS = frozenset({"accept", "accept-encoding", "content-length", "host", "user-agent"})
"""Headers of every request, which `curl` adds too."""
# A character of UTF-8 takes at most four bytes.
BEGIN = 4 * BODY_CAP
END = 4 * END_CAP


@dataclass(slots=True)
class HttpRecording:
    """An exchange that the client keeps up to date."""

    request: HttpRequest
    prepared: Prepared
    progress: Progress
    head: Head | None = None
    begin: bytes = b""
    """The first `BEGIN` bytes of the body, decoded."""
    end: bytes = b""
    """The last `END` bytes of what was read of it."""
    size: int = 0
    """Bytes of it that were read."""
    started: float = field(default_factory=perf_counter)
    until: float | None = None
    """When the last of it was read."""
    failure: str | None = None
    first_byte_ms: float | None = None
    """From the beginning of the request to the end of the headers of its response."""

    def exchange(self) -> Exchange:
        """Return the exchange as far as it has come."""
        prepared, head = self.prepared, self.head
        failure = self.failure
        if failure is None and head is None:
            failure = f"{NO_RESPONSE}{self.progress.unfinished}"
        sent = {name.decode(): value.decode("utf-8", "replace") for name, value in prepared.headers}
        charset = media_type(head.headers).charset if head else None
        begin = _text(self.begin, charset)
        until = self.until or perf_counter()
        return Exchange(
            protocol="http",
            request=f"{prepared.method} {_recorded_url(self)}",
            request_headers=_bounded_headers(
                {name: value for name, value in sent.items() if name.lower() not in _OURS}
            ),
            request_body=_text(next(pieces_of(prepared.body), b"")[:BEGIN], None),
            request_bytes=len(prepared.body),
            response=f"{head.status} {head.reason}".strip() if head else None,
            response_headers=_bounded_headers(head.headers) if head else {},
            response_body=begin,
            response_end=_text(self.end, charset, at_end=True) if begin and self.size > len(self.begin) else None,
            response_bytes=self.size,
            elapsed_ms=round((until - self.started) * 1000, 1),
            stages=self.progress.stages_ms(until, self.first_byte_ms),
            failure=failure,
            options=_options(prepared),
        )


def _recorded_url(recording: HttpRecording) -> str:
    """Return the url of a request without user and password; that of a Unix socket as curl takes it."""
    to = recording.prepared.to
    return f"http://localhost{to.target.decode()}" if to.socket else without_userinfo(recording.request.url)


def _text(data: bytes, charset: str | None, *, at_end: bool = False) -> str | None:
    """The text of the beginning, or of the end, of a body; None without a body, and if it is not text."""
    if not data or b"\0" in data:
        return None
    text = text_of(data, charset, len(data))
    return text[-END_CAP:] if at_end else text[:BODY_CAP]


def _bounded_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the first headers, long values cut."""
    return {name: value[:HEADER_CAP] for name, value in list(headers.items())[:HEADERS_CAP]}


def _options(prepared: Prepared) -> dict[str, str]:
    """The options that `curl` needs beside method, url, headers and body; an empty value is an option without one."""
    options: dict[str, str] = {}
    if prepared.to.socket is not None:
        options["--unix-socket"] = prepared.to.socket
    if prepared.http2:
        options["--http2" if prepared.to.scheme == "https" else "--http2-prior-knowledge"] = ""
    if prepared.proxy is not None:
        options["--proxy"] = without_userinfo(prepared.proxy)
    if prepared.to.scheme == "https":
        options |= _curl_tls_options(prepared)
    if prepared.digest is not None:
        options["--digest"] = ""
        options["--user"] = f"{prepared.digest.user}:{prepared.digest.secret}"
    return options


def _curl_tls_options(prepared: Prepared) -> dict[str, str]:
    """Return the options of curl for the TLS settings."""
    tls = prepared.tls
    files = {"--cacert": tls.ca, "--cert": tls.cert, "--key": tls.key}
    options = {option: str(file) for option, file in files.items() if file is not None}
    return options if tls.verify else {**options, "--insecure": ""}
