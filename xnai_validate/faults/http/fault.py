"""Answers that are spoiled on their way."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from xnai_validate.faults._proxy.front import Proxied, ProxyParams, ProxyUndo, reachable, to_target
from xnai_validate.kit import Duration, FaultContext, Ge, Gt, JsonValue, Le, NotApplicable, Size, fault, model_validator

SCHEMES = ("http", "https", "ws", "wss")
Spoiled = Literal["status", "drop", "corrupt", "truncate", "length", "headers"]
SENTENCE: dict[Spoiled, str] = {
    "status": "is answered with {status}",
    "drop": "gets no answer",
    "corrupt": "gets a corrupted body",
    "truncate": "gets {after} bytes of the body",
    "length": "gets a wrong Content-Length",
    "headers": "misses {remove}",
}


class HttpFaultParams(ProxyParams):
    """What is done to which answers."""

    do: Spoiled
    """`status`: answered in the target's place, which does not hear of it; `drop`: closed without an answer, of which
    the target does not hear either; `corrupt`: one byte of every 64 of the body is turned over; `truncate`: the body
    ends after so many bytes, and the connection with it; `length`: Content-Length says one byte less than there is,
    or 1 where the answer had none; `headers`: some are removed."""
    status: Annotated[int, Ge(200), Le(599)] = 503
    """For `status`."""
    retry_after: Duration | None = None
    """For `status`: the header Retry-After, in whole seconds."""
    after: Size = 0
    """For `truncate`: how many bytes of the body arrive. A body that is not longer arrives whole."""
    remove: tuple[str, ...] = ("Content-Type",)
    """For `headers`: their names, whatever their case."""
    share: Annotated[float, Gt(0), Le(1)] = 1.0
    """Of the requests that are meant; the others pass. Of any n in a row: share * n, give or take less than one."""
    methods: tuple[str, ...] = ()
    """Which requests are meant; by default those of every method."""
    paths: tuple[str, ...] = ()
    """The same by path, as the target sees it and without its query; `*` and `?` stand for anything."""

    @model_validator(mode="after")
    def _of_use(self) -> Self:
        for name, do in (("status", "status"), ("retry_after", "status"), ("after", "truncate"), ("remove", "headers")):
            if do != self.do and name in self.model_fields_set:
                raise ValueError(f"`{name}` says nothing where `do` is {self.do}")
        return self


@fault("http.fault", limit_s=300)
class HttpFault(Proxied):
    """Spoil a share of the answers of a target that speaks HTTP.

    A reverse proxy for HTTP/1.1 stands in front of it: a request that is meant gets an error, no answer, or one that is
    corrupted; every other passes as it is, event streams piece by piece and websockets too. Each request goes to the
    target by a connection of its own. The proxy speaks plain HTTP to its clients, and TLS to a target that does.

        under: [{fault: http.fault, target: llm, with: {do: status, status: 503, share: 0.3, paths: ["/v1/*"]}}]
    """

    def describe(self, params: HttpFaultParams, target: str) -> str:
        """Return what it does to the target."""
        what = SENTENCE[params.do].format(
            status=params.status, after=params.after, remove=", ".join(params.remove)[:80]
        )
        which = " ".join([*params.methods, *params.paths])
        asked = f" ({which[:80]})" if which else ""
        through = f" that comes by {params.listen}" if params.listen else " of this check"
        every = "every request" if params.share == 1 else f"one request in {1 / params.share:.3g}"
        return f"{every}{through} to {target}{asked} {what}"

    async def prepare(self, params: HttpFaultParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        if ctx.target.scheme not in SCHEMES:
            raise NotApplicable(f"target {ctx.target.name} does not speak HTTP by its url")
        return reachable(params, ctx)

    def told(self, params: HttpFaultParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Numbers, names, and the files that its TLS is made of."""
        target = ctx.target
        secure = target.scheme in ("https", "wss")
        return {
            "kind": "http",
            "spec": {
                **to_target(ctx),
                "authority": urlsplit(target.url or "").netloc.rpartition("@")[2],
                "do": params.do,
                "status": params.status,
                "retry_after_s": None if params.retry_after is None else math.ceil(params.retry_after),
                "after": params.after,
                "remove": list(params.remove),
                "methods": [one.upper() for one in params.methods],
                "paths": list(params.paths),
                "share": params.share,
                "seed": params.seed,
                "tls": asdict(target.tls) if secure else None,
            },
        }

    def moved(self, ctx: FaultContext, host: str, port: int) -> str:
        """Without TLS, for the proxy has no certificate of the target."""
        url = urlsplit(super().moved(ctx, host, port))
        return url._replace(scheme={"https": "http", "wss": "ws"}.get(url.scheme, url.scheme)).geturl()
