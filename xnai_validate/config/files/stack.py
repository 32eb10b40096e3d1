"""The model of a stack file: a running stack, its targets and the vars that differ from the defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from xnai_validate.config.files.common import Entry
from xnai_validate.config.files.profile import AuthEntry, TlsEntry
from xnai_validate.model.json import JsonObject


class StackTarget(Entry):
    """One part of a running stack: where it is reached, and the process or container that runs it."""

    url: str | None = None
    """Its url with its path prefix: http, https, redis, rediss, tcp, wyoming, or unix:///run/x.sock."""
    root: str | None = None
    """The url below which the API's /docs, /openapi.json and (layout B) /metrics are; by default the url's origin."""
    container: str | None = None
    """The name of its container, for Docker or Podman (DOCKER_HOST): process faults and figures of the process."""
    pid: Annotated[int, Field(gt=0, strict=True)] | None = None
    """Its process on this host, where it runs in no container; a supervisor may start another meanwhile."""
    password: str | None = None
    """The password of Redis; better named by `password_env`."""
    password_env: str | None = None
    """The environment variable that holds the password of Redis."""
    tls: TlsEntry | None = None
    """How its certificate is verified, and the client certificate."""
    auth: AuthEntry | None = None
    """The credentials of HTTP requests; an environment variable holds the secret."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of every HTTP and WebSocket request to it, unless a check sends its own; values are not shown."""
    proxy: str | None = None
    """The url of the proxy of HTTP requests (http, https, socks5, socks5h), or `environment`."""
    http2: bool = False
    """Whether HTTP/2 is offered in the TLS handshake, or spoken at once to an http url."""


class StackDescription(Entry):
    """A running stack, as `init` and `demo` write it and `run --stack` reads it; a target that it lacks is skipped."""

    layout: Literal["A", "B"] | None = None
    """A: February 2026, compose file at the root. B: March 2026, infra/docker."""
    targets: dict[str, StackTarget] = Field(default_factory=dict)
    """Name (api, gateway, metrics, redis, ui, docs, vikunja, llm, voice, worker, crawler) -> how it is reached."""
    vars: JsonObject = Field(default_factory=dict)
    """What differs from the defaults in profiles/stack.yaml, such as `canaries`, `breakers` or `monitor`."""
