"""TLS with real servers: what a client trusts, what it shows, and what is refused when the profile is loaded.

The situations lie in `tls/`: the name of a file ends in its verdict, `ok`, `tls` (the handshake fails) or `refused`
(the profile does not load). `server` is the certificate, `tls` the settings of the target.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.certificates import Authority, authority, intermediate
from tests.config.home import Home
from tests.context import observe
from tests.scripted import ok, scripted

SITUATIONS = Path(__file__).parent / "tls"
ENVIRON = {"KEY_PASSWORD": "open sesame", "WRONG": "wrong"}


def situation(path: Path) -> dict[str, Any]:
    """A file's content."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def files_in(folder: Path, case: dict[str, Any]) -> Authority:
    """The files that the settings name, beside the profile: so relative paths lead to them."""
    folder.mkdir(parents=True)
    if case["tls"].get("ca") == "intermediate.pem":
        signer = intermediate(folder)
    else:
        signer = authority(folder, identifiers=case["server"].get("identifiers", False))
    signer.client(ENVIRON["KEY_PASSWORD"].encode())
    os.mkfifo(folder / "pipe")
    (folder / "text.pem").write_text("no certificate\n", encoding="utf-8")
    return signer


def home_of(tmp_path: Path, url: str, tls: dict[str, object]) -> Home:
    """A profile with one target."""
    home = Home(tmp_path)
    home.profile(f"title: P\nsuites: [case/*]\ntargets: {{api: {{url: '{url}', tls: {json.dumps(tls)}}}}}\n")
    home.suite("title: S\nchecks: [{id: a, title: A, kind: http.request, target: api}]\n")
    return home


def server_of(signer: Authority, server: dict[str, Any]) -> ssl.SSLContext:
    """The server's side."""
    names = server.get("names", ["127.0.0.1"])
    context = signer.server(*names, days=server.get("days", 30), self_signed=server.get("self_signed", False))
    if server.get("client_certificate"):
        context.load_verify_locations(signer.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def answering(context: ssl.SSLContext) -> Iterator[str]:
    """The url of a server of one connection, on blocking sockets: asyncio's sends no alert when it refuses a client."""

    def serve() -> None:
        plain, _ = listening.accept()
        with suppress(OSError), context.wrap_socket(plain, True, do_handshake_on_connect=False) as secure:
            try:
                secure.do_handshake()
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            except ssl.SSLError:
                # To close with bytes unread would reset the connection before the client has read the alert.
                secure.shutdown(socket.SHUT_WR)
                while secure.recv(65536):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize(
    "path", [p for p in sorted(SITUATIONS.glob("*.yaml")) if ".refused." not in p.name], ids=lambda path: path.stem
)
def test_a_handshake_has_the_verdict_of_its_file(tmp_path: Path, path: Path) -> None:
    """Whole, or `tls` with OpenSSL's words: the same on every Python, which strictness does not change."""
    case = situation(path)
    verdict = path.stem.rpartition(".")[2]
    signer = files_in(tmp_path / "profiles", case)
    context = server_of(signer, case["server"])
    with ExitStack() as stack:
        if "strict" in case:  # which is asked for on more than one connection
            url = stack.enter_context(scripted(ok(b"safe"), context=context)).url(scheme="https")
        else:
            url = stack.enter_context(answering(context))
        home = home_of(tmp_path, url, case["tls"])
        target = home.load(options=home.options(environ=ENVIRON)).targets["api"].target
        facts = observe("http.request", target).facts
        assert (facts["error"] or "ok") == verdict, facts["error_detail"]
        assert case.get("words", "") in (facts["error_detail"] or "")
        if "strict" in case:
            certificate = observe("tls.certificate", target).facts
            assert (certificate["verified"], certificate["strict_error"]) == (True, case["strict"])


@pytest.mark.parametrize("path", sorted(SITUATIONS.glob("*.refused.yaml")), ids=lambda path: path.stem)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, path: Path) -> None:
    """The profile does not load, at once and without a question on the terminal; the error has the reason."""
    case = situation(path)
    files_in(tmp_path / "profiles", case)
    home = home_of(tmp_path, "https://127.0.0.1:1", case["tls"])
    problems = home.problems(options=home.options(environ=ENVIRON))
    assert problems, "it loads"
    assert case["words"] in problems[0].message
    assert problems[0].place is not None


def test_a_certificate_that_is_not_verified_is_noted(tmp_path: Path) -> None:
    """Every report has the warnings of its run: `verify: false` is one."""
    (tmp_path / "profiles").mkdir()
    warnings = home_of(tmp_path, "https://127.0.0.1:1", {"verify": False}).load().warnings
    assert any("the certificate of api is not verified" in warning for warning in warnings)
