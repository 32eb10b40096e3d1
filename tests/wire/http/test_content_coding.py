"""Content codings: what was asked for is undone, within bounds; what was not is a named error."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.context import observe
from tests.scripted import ok, scripted
from xnai_validate.kit import Target

CONTENT = b'{"answer": 42}' * 50_000


def br(data: bytes) -> bytes:
    """The data compressed by the package brotli, which has no types."""
    packed: bytes = import_module("brotli").compress(data)
    return packed


def zstd(data: bytes) -> bytes:
    """The data compressed, by the standard library of Python 3.14 or its backport."""
    try:
        module = import_module("compression.zstd")
    except ImportError:
        module = import_module("backports.zstd")
    packed: bytes = module.compress(data)
    return packed


@pytest.mark.parametrize(("coding", "pack"), [("br", br), ("zstd", zstd)])
def test_a_requested_coding_is_decoded(coding: str, pack: Callable[[bytes], bytes]) -> None:
    """With the extra installed; a body that is cut, goes on or grows too large is refused."""

    def fetched(body: bytes, cap: int = 2**20) -> dict[str, object]:
        headers = {"Accept-Encoding": f"{coding}, gzip"}
        with scripted(ok(body, f"Content-Encoding: {coding}")) as server:
            return dict(observe("http.request", Target("api", server.url()), headers=headers, body_cap=cap).facts)

    whole = fetched(pack(CONTENT))
    assert (whole["error"], whole["size_bytes"]) == (None, len(CONTENT)), whole["error_detail"]
    assert fetched(pack(CONTENT)[:-5])["error"] == "protocol"
    assert fetched(b"no such thing")["error"] == "protocol"
    assert fetched(pack(bytes(50_000_000)), cap=1_000_000)["error"] == "too_large"


@pytest.mark.parametrize(
    ("coding", "accepted", "words"),
    [
        ("zstd", None, "zstd, which the request did not accept"),
        ("br", "gzip", "br, which the request did not accept"),
        ("gzip", "identity", "gzip, which the request did not accept"),
        ("gzip", "gzip;q=0, br", "gzip, which the request did not accept"),
        ("gzip, gzip", None, "gzip, gzip, which the request did not accept"),
        ("xyz", "*", "xyz, which this tool cannot decode"),
    ],
)
def test_a_coding_that_was_not_requested_is_named(coding: str, accepted: str | None, words: str) -> None:
    """The status and the headers are known; the body is an error with the coding's name."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    with scripted(ok(gzip.compress(b"x"), f"Content-Encoding: {coding}")) as server:
        target = Target("api", server.url())
        facts = observe("http.request", target, headers=headers).facts
        stream = observe("sse.stream", target, headers=headers).facts
    assert (facts["error"], facts["status"]) == ("protocol", 200)
    assert words in facts["error_detail"]
    assert words in stream["error_detail"]


def test_a_coding_of_no_body_is_no_error() -> None:
    """HEAD, and an empty body: no bytes were coded."""
    with scripted(ok(b"", "Content-Encoding: zstd")) as server:
        for method in ("GET", "HEAD"):
            assert observe("http.request", Target("api", server.url()), method=method).facts["error"] is None
