"""A channel to a gRPC server, and its errors in the words of the other kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import perf_counter
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from xnai_validate.kit import (
    Context,
    Duration,
    ErrorKind,
    Facts,
    Milliseconds,
    NotApplicable,
    Params,
    Target,
    Unmeasurable,
)

T = TypeVar("T")
RECEIVED_CAP = 16 * 2**20
"""Bytes of the largest message that is received."""
_TLS = ("grpcs", "https", "tls")
_PLAIN = ("grpc", "http", "tcp")


class GrpcParams(Params):
    """How the server is asked."""

    timeout: Duration = 5.0
    """How long connecting and the call may take together."""
    metadata: dict[str, str] | None = None
    """Metadata of the call, such as `authorization`; names in lower case."""

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target with a url of another scheme."""
        if target.url and target.scheme not in (*_TLS, *_PLAIN):
            raise ValueError(
                f"target {target.name} speaks {target.scheme}; write grpc://host:port, or grpcs:// for TLS"
            )


class GrpcFacts(Facts):
    """What the facts of all kinds of this family begin with."""

    error: ErrorKind | None = None
    """Why there was no answer: refused, timeout, auth, unreachable ..."""
    error_detail: str | None = None
    """The error in the words of the library or the server."""
    code: str | None = None
    """The status code of the call: `OK`, `NOT_FOUND`, `UNIMPLEMENTED`, `INTERNAL` ..."""
    total_ms: Milliseconds | None = None
    """From connecting to the answer."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The result of a call, or why there is no result."""

    value: T | None
    facts: dict[str, object]
    """The facts of `GrpcFacts`."""


def metadata_of(params: GrpcParams) -> tuple[tuple[str, str], ...]:
    """The metadata as the library takes it."""
    return tuple((params.metadata or {}).items())


def required(what: str, *modules: str) -> None:
    """Raise Unmeasurable where a library is missing."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in modules):
        raise Unmeasurable(f"{what} needs more libraries", hint="pip install 'xnai-validate[grpc]'")


def call(ctx: Context, timeout_s: float, work: Callable[[Any], T]) -> Outcome[T]:
    """Call `work` with a channel to the target, and translate its errors; blocks, so it runs in a thread.

    The channel is closed when the time is over: that ends every call on it, also one without a time limit.
    """
    import grpc

    started = perf_counter()
    try:
        with _open_channel(ctx.target) as channel:
            over = Timer(timeout_s, channel.close)
            over.start()
            try:
                value = work(channel)
            finally:
                over.cancel()
    except ValueError as error:  # a call on a closed channel
        elapsed_s = perf_counter() - started
        if elapsed_s < timeout_s:
            raise
        return Outcome(None, {"error": ErrorKind.TIMEOUT, "error_detail": str(error), "total_ms": elapsed_s * 1000})
    except grpc.RpcError as error:
        elapsed_ms = (perf_counter() - started) * 1000
        code, detail = error.code().name, str(error.details() or "")[:500]
        facts = {"code": code, "error": _kind(code, detail), "error_detail": detail, "total_ms": elapsed_ms}
        return Outcome(None, facts)
    return Outcome(value, {"code": "OK", "total_ms": (perf_counter() - started) * 1000})


@contextmanager
def _open_channel(target: Target) -> Iterator[Any]:
    """Open a channel to the target. Raises NotApplicable and Unmeasurable."""
    import grpc

    parts = urlsplit(target.url or "")
    if not parts.hostname:
        raise NotApplicable(f"target {target.name} has no host and port to connect to")
    secure = parts.scheme in _TLS
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    address = f"{host}:{parts.port or (443 if secure else 80)}"
    options: list[tuple[str, object]] = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_receive_message_length", RECEIVED_CAP),
        ("grpc.use_local_subchannel_pool", 1),  # no connection of an earlier check
    ]
    if target.tls.server_name:
        options.append(("grpc.ssl_target_name_override", target.tls.server_name))
    if not secure:
        made = grpc.insecure_channel(address, options)
    else:
        if not target.tls.verify:
            raise Unmeasurable(
                f"target {target.name} has `tls: {{verify: false}}`, and gRPC verifies every certificate",
                hint="name the authority of the certificate: `tls: {ca: ca.pem}`",
            )
        files = [Path(path).read_bytes() if path else None for path in (target.tls.ca, target.tls.key, target.tls.cert)]
        made = grpc.secure_channel(address, grpc.ssl_channel_credentials(*files), options)
    with made as channel:
        yield channel


def _kind(code: str, detail: str) -> ErrorKind | None:
    """The kind of error of a call; None where the server answered with a code of its own."""
    if code in ("DEADLINE_EXCEEDED", "CANCELLED"):  # cancelled where the channel was closed
        return ErrorKind.TIMEOUT
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return ErrorKind.AUTH
    if code != "UNAVAILABLE":
        return None
    lower = detail.lower()
    for word, kind in (
        ("refused", ErrorKind.REFUSED),
        ("dns", ErrorKind.DNS),
        ("ssl", ErrorKind.TLS),
        ("tls", ErrorKind.TLS),
        ("certificate", ErrorKind.TLS),
        ("connection reset", ErrorKind.RESET),
        ("socket closed", ErrorKind.RESET),
    ):
        if word in lower:
            return kind
    return ErrorKind.UNREACHABLE
