"""A profile file: which suites, how strict, where the stack is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from xnai_validate.config.files.common import DefaultsEntry, Entry, Rules, Texts
from xnai_validate.kit import Duration, Size
from xnai_validate.model.json import JsonObject


class CandidateEntry(Entry):
    """One place where a target may be."""

    url: str | None
    """Where it is reached; nothing (an unset environment variable) leaves the candidate out."""
    vars: JsonObject = Field(default_factory=dict)
    """What holds if it is there, such as the layout."""


class TlsEntry(Entry):
    """How its TLS server is to be trusted, and what is shown to it; files in PEM."""

    ca: str | None = None
    verify: bool = True
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None


class ProbeEntry(Entry):
    """What a candidate must answer to be taken."""

    kind: str
    with_: JsonObject = Field(default_factory=dict, alias="with")
    expect: Rules | None = None


def _candidates(value: object) -> object:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [{"url": item} if isinstance(item, str) else item for item in items]


def _url_schema() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    candidate = {
        "type": "object",
        "properties": {"url": text, "vars": {"type": "object"}},
        "required": ["url"],
        "additionalProperties": False,
    }
    return {"anyOf": [text, {"type": "array", "items": {"anyOf": [text, candidate]}}]}


class TargetEntry(Entry):
    """A part of the stack: where it is reached, and the process behind it."""

    url: Annotated[tuple[CandidateEntry, ...], BeforeValidator(_candidates), WithJsonSchema(_url_schema())] = ()
    """Its url, or a list of candidates: the first that answers the probe is taken."""
    root: str | None = None
    """Where what lives at the root is found; by default the url's origin."""
    container: str | None = None
    pid: Annotated[int, Field(gt=0)] | None = None
    password: str | None = None
    password_env: str | None = None
    """The environment variable that holds the password."""
    tls: TlsEntry | None = None
    probe: ProbeEntry | None = None


class HostMemoryEntry(Entry):
    """Percent of the host's memory in use."""

    warn: Annotated[float, Field(gt=0, le=100)] = 94.0
    """No new load begins."""
    stop: Annotated[float, Field(gt=0, le=100)] = 98.0
    """The run ends."""


class LimitsEntry(Entry):
    """What a run may take."""

    concurrency: Annotated[int, Field(ge=1, le=1000)] = 16
    per_target: Annotated[int, Field(ge=1, le=1000)] = 8
    deadline: Duration = 300.0
    host_memory_percent: HostMemoryEntry = HostMemoryEntry()
    own_memory: Size = 512 * 2**20


class ProfileFile(Entry):
    """A profile: which suites are run, how strict, and where the stack is."""

    title: Annotated[str, Field(min_length=1)]
    extends: Texts = ()
    """Profiles whose content this one takes over; what it says itself comes on top."""
    suites: Texts = ()
    """Globs on `<category>/<suite>`."""
    tags: Texts = ()
    """Of these suites, only the checks that have one of these tags, and what they need; empty takes all."""
    targets: dict[str, TargetEntry] = Field(default_factory=dict)
    vars_files: Texts = ()
    """Files of vars among the suites, as `<category>/<name>`; this profile's own `vars` come on top."""
    vars: JsonObject = Field(default_factory=dict)
    """Nested values that checks refer to as `${dotted.path}`."""
    defaults: DefaultsEntry = DefaultsEntry()
    thresholds: dict[str, Rules] = Field(default_factory=dict)
    """Glob on full ids -> fact -> rule; replaces the checks' own rules of these facts."""
    criteria: dict[str, Rules] = Field(default_factory=dict)
    """Category, or `total` -> count -> rule.

    `allow: disruptive` beside the counts says that they presuppose disruptive checks: where those are not allowed, the
    criterion is not judged, and the report says so.
    """
    limits: LimitsEntry = LimitsEntry()
    allow: tuple[Literal["disruptive"], ...] = ()
    """What checks of this profile may do."""


class HandoverTarget(Entry, extra="ignore"):
    """A target of a running stack."""

    url: str | None = None
    root: str | None = None
    container: str | None = None
    pid: Annotated[int, Field(gt=0)] | None = None
    password: str | None = None
    password_env: str | None = None
    tls: TlsEntry | None = None


class Handover(Entry, extra="ignore"):
    """A running stack, described."""

    layout: str | None = None
    targets: dict[str, HandoverTarget] = Field(default_factory=dict)
    vars: JsonObject = Field(default_factory=dict)
