"""`http.fault`: answers that are changed on their way, or replaced."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from xnai_validate.faults._proxy.front import ProxyFault, ProxyParams, ProxyUndo, check_proxy, target_address
from xnai_validate.kit import Duration, FaultContext, Ge, Gt, JsonValue, Le, NotApplicable, Size, fault, model_validator

SCHEMES = ("http", "https", "ws", "wss")
Change = Literal["status", "drop", "corrupt", "truncate", "length", "headers"]
EFFECTS: dict[Change, str] = {
    "status": "is answered with {status}",
    "drop": "gets no answer",
    "corrupt": "gets a corrupted body",
    "truncate": "gets {after} bytes of the body",
    "length": "gets a wrong Content-Length",
    "headers": "lacks {remove}",
}


class HttpFaultParams(ProxyParams):
    """Which answers are changed, and how."""

    do: Change
    """`status`: the proxy answers, and the target does not get the request; `drop`: the connection is closed without an
    answer, and the target does not get the request either; `corrupt`: one byte of every 64 of the body is inverted;
    `truncate`: the body ends after `after` bytes, and the connection with it; `length`: Content-Length is one byte less
    than the body, or 1 if the answer had none; `headers`: some headers are removed."""
    status: Annotated[int, Ge(200), Le(599)] = 503
    """For `status`."""
    retry_after: Duration | None = None
    """For `status`: the header Retry-After, in whole seconds."""
    after: Size = 0
    """For `truncate`: how many bytes of the body arrive. A body that is not longer arrives whole."""
    remove: tuple[str, ...] = ("Content-Type",)
    """For `headers`: their names, in any case."""
    share: Annotated[float, Gt(0), Le(1)] = 1.0
    """The share of the matching requests; the others pass. Of any n in a row it is share * n, rounded up or down."""
    methods: tuple[str, ...] = ()
    """Methods of the matching requests; by default every method."""
    paths: tuple[str, ...] = ()
    """Paths of the matching requests, without query; `*` is any text and `?` one character. By default every path."""

    @model_validator(mode="after")
    def _refuse_unused(self) -> Self:
        """Raise ValueError for a parameter that has no effect with `do`."""
        for name, do in (("status", "status"), ("retry_after", "status"), ("after", "truncate"), ("remove", "headers")):
            if do != self.do and name in self.model_fields_set:
                raise ValueError(f"`{name}` has no effect with `do: {self.do}`")
        return self


@fault("http.fault", limit_s=300)
class HttpFault(ProxyFault):
    """Change or replace a share of the answers of a target that speaks HTTP.

    A reverse proxy for HTTP/1.1 is put in front of it: a matching request gets an error, no answer, or a changed one;
    every other passes unchanged, event streams piece by piece and WebSockets too. Each request gets a connection of its
    own to the target. The proxy speaks plain HTTP to its clients, and TLS to a target that does.

        under: [{fault: http.fault, target: llm, with: {do: status, status: 503, share: 0.3, paths: ["/v1/*"]}}]
    """

    def describe(self, params: HttpFaultParams, target: str) -> str:
        """Return what it does to the target."""
        what = EFFECTS[params.do].format(status=params.status, after=params.after, remove=", ".join(params.remove)[:80])
        which = " ".join([*params.methods, *params.paths])
        matching = f" ({which[:80]})" if which else ""
        through = f" through {params.listen}" if params.listen else " of this check"
        every = "every request" if params.share == 1 else f"one request in {1 / params.share:.3g}"
        return f"{every}{through} to {target}{matching} {what}"

    async def prepare(self, params: HttpFaultParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        if ctx.target.scheme not in SCHEMES:
            raise NotApplicable(f"target {ctx.target.name} does not speak HTTP by its url")
        return check_proxy(params, ctx)

    def proxy_settings(self, params: HttpFaultParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy, with the files of the target's TLS."""
        target = ctx.target
        secure = target.scheme in ("https", "wss")
        return {
            "kind": "http",
            "spec": {
                **target_address(ctx),
                "authority": urlsplit(target.url or "").netloc.rpartition("@")[2],
                "do": params.do,
                "status": params.status,
                "retry_after_s": None if params.retry_after is None else math.ceil(params.retry_after),
                "after": params.after,
                "remove": list(params.remove),
                "methods": [method.upper() for method in params.methods],
                "paths": list(params.paths),
                "share": params.share,
                "seed": params.seed,
                "tls": asdict(target.tls) if secure else None,
            },
        }

    def proxy_url(self, ctx: FaultContext, host: str, port: int) -> str:
        """Return the url with the address of the proxy, without TLS: it has no certificate of the target."""
        url = urlsplit(super().proxy_url(ctx, host, port))
        return url._replace(scheme={"https": "http", "wss": "ws"}.get(url.scheme, url.scheme)).geturl()
