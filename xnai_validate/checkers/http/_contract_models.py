"""The params and facts of `http.contract`."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers._http_fields import HttpHeaders, HttpPath
from xnai_validate.checkers.http._contract_requests import MEMORY_CAP
from xnai_validate.kit import (
    BodyCap,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    JsonObject,
    Le,
    Mebibytes,
    Milliseconds,
    Params,
    Size,
)


class Contract(Params):
    """Where the document is, which operations are tried, and how often."""

    path: HttpPath = "/openapi.json"
    """The path of the document, JSON or YAML."""
    root: bool = True
    """Whether the path is below the target's root instead of its url."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of every request, such as a token."""
    operations: list[str] = Field(default_factory=list)
    """Operations to try, `POST /query`; a prefix may stand before their paths. By default all with these methods."""
    methods: list[str] = Field(default_factory=lambda: ["GET", "POST"])
    """Methods that are tried where no operations are named: the others change or remove what may be there."""
    examples: Annotated[int, Ge(1), Le(200)] = 10
    """How many valid, and how many invalid, requests are generated for each operation."""
    seed: Annotated[int, Ge(0)] = 1
    """The same seed generates the same requests for the same document."""
    fixed: JsonObject = Field(default_factory=dict)
    """Fields that every valid JSON body gets: `{max_tokens: 4}` keeps a model from long answers."""
    timeout: Duration = 10.0
    """How long each request may take."""
    body_cap: BodyCap = 4 * 1024 * 1024
    """More bytes than this are not read: too_large."""
    memory_cap: Annotated[Size, Ge(32 * 1024 * 1024), Le(4 * 1024 * 1024 * 1024)] = MEMORY_CAP
    """What the process that generates the requests may have for its data.

    The check is skipped where the host has less than this, plus 64 MiB for the process that judges the answers.
    """


class Kept(Facts):
    """Where answers do not conform to the document; every list is capped at 20 and names the request.

    In `server_errors`, `nonconforming` and `unanswered`, requests of one operation that deviate alike are one item.
    """

    error: ErrorKind | None
    """Why the document could not be had."""
    error_detail: str | None
    """The error in words."""
    status: int | None
    """The status with which the document came."""
    problems: list[str]
    """Errors in the document, because of which nothing was tried unless they are patterns that cannot be read."""
    operations: Count
    """How many operations were tried."""
    untested: list[str]
    """Operations for which no request could be generated, and why."""
    valid_requests: Count
    """How many requests were made that the document allows."""
    invalid_requests: Count
    """How many were made that it does not."""
    server_errors: list[str]
    """Requests that were answered with 500 or above."""
    nonconforming: list[str]
    """Answers whose status, content type or body the document does not declare."""
    refused_valid: list[str]
    """Valid requests that were refused as wrong: 400, 415 or 422."""
    accepted_invalid: list[str]
    """Invalid requests that were answered with success."""
    unanswered: list[str]
    """Requests without a whole answer."""
    deviations: Count
    """How many requests are in one of these lists, those beyond the cap counted."""
    slowest_ms: Milliseconds | None
    """The longest answer."""
    making_peak_mib: Mebibytes | None
    """The most memory that generating the requests took; null where that was ended."""
