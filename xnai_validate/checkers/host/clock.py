"""How far this machine's clock is from that of a server."""

from __future__ import annotations

from xnai_validate.checkers._http_fields import HttpPath
from xnai_validate.kit import (
    Context,
    Duration,
    ErrorKind,
    Facts,
    Milliseconds,
    NotApplicable,
    Params,
    Seconds,
    checker,
    http_date_s,
)
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient, HttpRequest

RESOLUTION_S = 1.0
"""The header carries whole seconds, cut off."""


class ClockParams(Params):
    """How the server is asked."""

    path: HttpPath = "/"
    """Any path of the target; the status does not matter."""
    timeout: Duration = 5.0
    """How long the answer may take."""


class ClockSkew(Facts):
    """Two clocks compared; null where the server gave no date."""

    error: ErrorKind | None = None
    """Why there was no answer with a date."""
    error_detail: str | None = None
    """The error in words."""
    skew_s: float | None = None
    """How far the server's clock is ahead of this machine's; negative where it is behind."""
    distance_s: Seconds | None = None
    """The absolute difference, less the uncertainty of the measurement: 0 means that the clocks may be equal."""
    uncertainty_s: Seconds | None = None
    """How far `skew_s` may be off: half of the header's whole second, and half of the time the answer took."""
    date: str | None = None
    """The header as it came."""
    age_s: Seconds | None = None
    """How long a cache has kept the answer, by its Age header (RFC 9111, 5.1); 0 without one."""
    rtt_ms: Milliseconds | None = None
    """How long the answer took."""


@checker("host.clock", expect={"error": None, "distance_s": {"max": 2}})
async def measure_clock(params: ClockParams, ctx: Context) -> ClockSkew:
    """Compare this machine's clock with the target's, by the Date header of an answer.

    Tokens, certificates and time series go wrong where clocks differ. Source: RFC 9110, 6.6.1; the age that a cache
    declares is added (RFC 9111, 5.1), and the offset is reckoned from the middle of the exchange, as RFC 5905 does.

        kind: host.clock
        target: api
        expect: {distance_s: {max: 5}}
    """
    if not ctx.target.scheme.startswith("http"):
        raise NotApplicable(f"target {ctx.target.name} is not reached by HTTP")
    request = HttpRequest.of(ctx.target.join(params.path), "HEAD", target=ctx.target)
    client = await ctx.shared(("http",), HttpClient)
    try:
        # The connection is made by a first request, so that its set-up is not taken for the way of the answer.
        await client.fetch(request, timeout_s=params.timeout)
        sent_s = ctx.clock.time()
        answer = await client.fetch(request, timeout_s=params.timeout)
    except WireError as error:
        return ClockSkew(error=error.kind, error_detail=error.detail)
    dates = {value for name, value in answer.head.raw if name.lower() == b"date"}
    date, rtt_s = answer.head.headers.get("date"), answer.total_ms / 1000
    date_s = http_date_s(next(iter(dates)).decode("latin-1")) if len(dates) == 1 else None  # which of two is right?
    if date_s is None:
        return ClockSkew(error=ErrorKind.PROTOCOL, error_detail=f"no usable Date header: {date!r}"[:300])
    age_s = _age_s(answer.head.headers.get("age"))
    skew_s = date_s + age_s + RESOLUTION_S / 2 - (sent_s + rtt_s / 2)
    uncertainty_s = RESOLUTION_S / 2 + rtt_s / 2
    return ClockSkew(
        skew_s=skew_s,
        distance_s=max(0.0, abs(skew_s) - uncertainty_s),
        uncertainty_s=uncertainty_s,
        date=(date or "")[:100],
        age_s=age_s,
        rtt_ms=rtt_s * 1000,
    )


def _age_s(header: str | None) -> float:
    """The seconds of an Age header; 0 where it is missing or no number of seconds, which is to be ignored.

    Of several the first counts (RFC 9111 section 5.1), and more than 2^31 are as many (section 1.2.2).
    """
    first = (header or "").partition(",")[0].strip()
    return float(min(int(first[:20]), 2**31)) if first.isascii() and first.isdecimal() else 0.0
