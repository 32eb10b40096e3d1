"""The models of a profile file and of a stack file: which suites run, how strict they are, where the stack is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from xnai_validate.config.files.auth import AuthEntry
from xnai_validate.config.files.defaults import DefaultsEntry
from xnai_validate.config.files.entry import Entry, Rules, Texts, listed
from xnai_validate.config.files.recipe import RecipeUse
from xnai_validate.kit import STEADY_WITHIN_S, Argument, Duration, Size
from xnai_validate.model.json import JsonObject
from xnai_validate.wire.http.request import verify_headers


class CandidateEntry(Entry):
    """One place of several where a target may be."""

    url: str | None
    """Its url; null (an unset environment variable) leaves the candidate out."""
    vars: JsonObject = Field(default_factory=dict)
    """Vars that hold if the target is there, such as the layout."""


class TlsEntry(Entry):
    """How the certificate of its server is verified, and the client certificate; files in PEM."""

    ca: str | None = None
    """The file of the authorities that are trusted; by default those of the system."""
    verify: bool = True
    """Whether the certificate is verified; every report shows that it is not."""
    cert: str | None = None
    """The file of the client certificate, with its key in it or in `key`."""
    key: str | None = None
    """The file of the key of the client certificate."""
    server_name: str | None = None
    """The name that the certificate must have; by default the host of the url."""
    key_password_env: str | None = None
    """The environment variable that holds the pass phrase of an encrypted key."""


class ProbeEntry(Entry):
    """The measurement that a candidate must pass to be taken."""

    kind: str
    """Its kind, such as `http.request`."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """Its parameters."""
    expect: Rules | None = None
    """The rules that must hold."""


def _as_candidates(value: object) -> object:
    """Return the candidates of a target's url, which may be written as one text or as a list."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [{"url": item} if isinstance(item, str) else item for item in items]


def _url_schema() -> dict[str, Any]:
    """Return the JSON Schema of `url`: one url, or a list of candidates."""
    text = {"type": ["string", "null"]}
    candidate = {
        "type": "object",
        "properties": {"url": text, "vars": {"type": "object"}},
        "required": ["url"],
        "additionalProperties": False,
    }
    return {"anyOf": [text, {"type": "array", "items": {"anyOf": [text, candidate]}}]}


class TargetReach(Entry):
    """How a part of the stack is reached besides its url, and the process or container that runs it."""

    root: str | None = None
    """The url below which the API's /docs, /openapi.json and (layout B) /metrics are; by default the url's origin."""
    container: str | None = None
    """The name of its container, or its compose project and service as `project/service`, for Docker or Podman
    (DOCKER_HOST): process faults and figures of the process."""
    pid: Annotated[int, Field(gt=0, strict=True)] | None = None
    """Its process on this host, where it runs in no container; a supervisor may start another meanwhile."""
    log: Argument | None = None
    """The file that this process writes its log to: a failure of the target shows its last lines. Relative paths begin
    in the folder of this file."""
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
    cookies: Literal["keep"] | None = None
    """`keep`: cookies that its HTTP responses set are sent with the requests of all checks from then on, while they
    last (RFC 6265); a check leaves them out with `keep_cookies: false`. By default no cookie is kept."""
    http2: bool = False
    """Whether HTTP/2 is offered in the TLS handshake, or spoken at once to an http url."""

    @field_validator("headers")
    @classmethod
    def _verify_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers. Raises ValueError if HTTP does not allow one of them."""
        verify_headers("GET", headers)
        return headers


class TargetEntry(TargetReach):
    """A part of the stack: its url, and the process behind it."""

    url: Annotated[tuple[CandidateEntry, ...], BeforeValidator(_as_candidates), WithJsonSchema(_url_schema())] = ()
    """Its url, or a list of candidates: the first that answers the probe is taken."""
    probe: ProbeEntry | None = None


class SteadyObservation(ProbeEntry):
    """A measurement of some part of the stack."""

    target: str | None = None


class SteadyEntry(Entry):
    """What must be as before after each fault, before the next begins; what did not hold before is not waited for."""

    within: Duration = STEADY_WITHIN_S
    """How long it may take."""
    observe: dict[str, SteadyObservation] = Field(default_factory=dict)
    """Name -> what is looked at; what this stack does not have is passed over."""
    calls: tuple[SteadyObservation, ...] = ()
    """What is asked meanwhile where something does not hold: an open breaker closes only by calls."""


class HostMemoryEntry(Entry):
    """Percent of the host's memory in use, and of the limit of the control group that the tool runs in."""

    warn: Annotated[float, Field(gt=0, le=100, strict=True)] = 94.0
    """No new load begins."""
    stop: Annotated[float, Field(gt=0, le=100, strict=True)] = 98.0
    """The run ends."""


class LimitsEntry(Entry):
    """The limits of a run."""

    concurrency: Annotated[int, Field(ge=1, le=1000, strict=True)] = 16
    per_target: Annotated[int, Field(ge=1, le=1000, strict=True)] = 8
    deadline: Duration = 0.0
    """When the run is stopped; 0s for well after the expected duration of its checks."""
    host_memory_percent: HostMemoryEntry = HostMemoryEntry()
    own_memory: Size = 512 * 2**20


class IntegrationEntry(Entry):
    """Which earlier runs a profile compiles into the integration report, instead of running checks."""

    phases: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of profiles; the newest run of each is taken."""
    whole: Texts = ()
    """Profiles whose run stands for all of these phases."""
    gaps: dict[str, str] = Field(default_factory=dict)
    """The knowledge gaps of the plan: id, as in `covers` of checks -> title."""


class ProfileFile(Entry):
    """A profile: which suites run, how strict they are, and where the stack is."""

    title: Annotated[str, Field(min_length=1)]
    extends: Texts = ()
    """Profiles whose content this one inherits; its own content comes on top."""
    integration: IntegrationEntry | None = None
    """The earlier runs that it compiles into the integration report; such a profile has no suites."""
    suites: Annotated[tuple[str | RecipeUse, ...], BeforeValidator(listed)] = ()
    """Globs on `<category>/<suite>`, and uses of recipes: `{recipe: redis, target: cache, with: {...}}`."""
    tags: Texts = ()
    """Of these suites, only the checks that have one of these tags, and what they need; empty takes all."""
    targets: dict[str, TargetEntry] = Field(default_factory=dict)
    vars_files: Texts = ()
    """Vars files among the suites, as `<category>/<name>`; the profile's own `vars` come on top."""
    vars: JsonObject = Field(default_factory=dict)
    """Nested values that checks refer to as `${dotted.path}`, and compute with as `${=2 * call_timeout_s + 5s}`."""
    defaults: DefaultsEntry = DefaultsEntry()
    thresholds: dict[str, Rules] = Field(default_factory=dict)
    """Glob on full ids -> fact -> rule; replaces the checks' own rules of these facts."""
    criteria: dict[str, Rules] = Field(default_factory=dict)
    """Category, or `total` -> count -> rule.

    `allow: disruptive` beside the counts marks them as those of disruptive checks: if these are not allowed, the
    criterion is reported as not judged.
    """
    strict: bool = False
    """Whether a check of a practice fails where it would warn."""
    limits: LimitsEntry = LimitsEntry()
    steady: SteadyEntry = SteadyEntry()
    allow: tuple[Literal["disruptive"], ...] = ()
    """Consents for the checks of this profile."""
