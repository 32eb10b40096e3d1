"""Faults that put a proxy in front of a target: what all of them have in common."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from xnai_validate.faults._child import children_of, end_children, start_child
from xnai_validate.faults._proxy.address import bound, split_address
from xnai_validate.kit import (
    ActiveFault,
    AfterValidator,
    FaultContext,
    Gt,
    JsonValue,
    Le,
    NotApplicable,
    Params,
    Undo,
    Unmeasurable,
)
from xnai_validate.wire.net.names import ascii_host, tls_name

CHILD = "xnai_validate.faults._proxy.child"
LOCAL = "127.0.0.1"


def _verify_address(text: str | None) -> str | None:
    """Return the text. Raises ValueError if it is not HOST:PORT."""
    if text is not None:
        split_address(text)
    return text


class ListenParams(Params):
    """Where the proxy listens."""

    listen: Annotated[str | None, AfterValidator(_verify_address)] = None
    """An address, such as `127.0.0.1:16379`, that the stack's own configuration names, so that its traffic goes through
    the proxy while the fault is active; no program listens there before and after. By default a free port of 127.0.0.1,
    which only the check itself uses."""


class ProxyParams(ListenParams):
    """Which connections the fault affects."""

    share: Annotated[float, Gt(0), Le(1)] = 1.0
    """The share of the connections; the others pass. Of any n in a row, share * n are affected, rounded up or down."""
    seed: int = 0
    """The same seed gives the same random numbers."""


class StreamParams(ProxyParams):
    """Which direction the fault affects."""

    stream: Literal["downstream", "upstream", "both"] = "downstream"
    """`downstream`: what the target sends; `upstream`: what is sent to it."""


class ProxyUndo(Undo):
    """Empty: the proxy is found by the name of the injection."""


class ProxyFault:
    """A fault that is a proxy: it gives the settings of the proxy, and the rest is here."""

    def proxy_settings(self, params: Any, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the kind of proxy and its spec, as the child reads them."""
        raise NotImplementedError

    def proxy_url(self, ctx: FaultContext, host: str, port: int) -> str:
        """Return the target's url with the address of the proxy."""
        parts = urlsplit(ctx.target.url or "")
        user, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}{at}{_bracket_ipv6(host)}:{port}"))

    async def inject(self, params: ListenParams, undo: ProxyUndo, ctx: FaultContext) -> ActiveFault | None:
        """Start the proxy; it listens when this returns."""
        host, port = split_address(params.listen) if params.listen else (LOCAL, 0)
        settings: dict[str, JsonValue] = {"listen": [host, port], **self.proxy_settings(params, ctx)}
        child = await start_child(CHILD, ctx.id, json.dumps(settings))
        reachable_host = LOCAL if host == "0.0.0.0" else host
        return ActiveFault(url=self.proxy_url(ctx, reachable_host, int(child.ready_line)), close=child.close)

    async def revert(self, undo: ProxyUndo, ctx: FaultContext) -> None:
        """End the proxy; the connections through it end with it."""
        await end_children(ctx.id, ctx.clock)

    async def fingerprint(self, undo: ProxyUndo, ctx: FaultContext) -> JsonValue:
        """Return how many proxies of this injection run."""
        return {"proxies": len(children_of(ctx.id))}


def check_proxy(params: ListenParams, ctx: FaultContext) -> ProxyUndo:
    """Return the undo record.

    Raises NotApplicable if the target has no url, Unmeasurable if its host is not a name or `listen` is in use.
    """
    target = ctx.target
    if not target.host or not target.port:
        raise NotApplicable(f"target {target.name} has no url with a port, so no proxy can be put in front of it")
    try:
        tls_name(target.host)
    except ValueError as error:
        raise Unmeasurable(f"no proxy can connect to target {target.name}: {error}", hint="see its `url`") from None
    if params.listen:
        try:
            bound(*split_address(params.listen)).close()
        except OSError as error:
            raise Unmeasurable(
                f"the proxy cannot listen at {params.listen}: {error.strerror or error}",
                hint="`listen` is an address of this machine at which no other program listens",
            ) from None
    return ProxyUndo()


def target_address(ctx: FaultContext) -> dict[str, JsonValue]:
    """Return the address of the target, as the proxy connects to it: names in ASCII."""
    return {"host": ascii_host(ctx.target.host or ""), "port": ctx.target.port}


def tcp_settings(toxic: str, params: ListenParams, ctx: FaultContext, **numbers: JsonValue) -> dict[str, JsonValue]:
    """Return the settings of a TCP proxy: a toxic and its attributes."""
    spec: dict[str, JsonValue] = {"toxic": toxic, "numbers": numbers}
    if isinstance(params, ProxyParams):
        spec |= {"share": params.share, "seed": params.seed}
    if isinstance(params, StreamParams):
        spec["stream"] = params.stream
    return {"kind": "tcp", "spec": {**target_address(ctx), **spec}}


def traffic(params: ListenParams, target: str) -> str:
    """Return which connections are affected, for a sentence."""
    share = params.share if isinstance(params, ProxyParams) else 1.0
    which = "connections" if share == 1 else f"{100 * share:g} % of the connections"
    through = f" through {params.listen}" if params.listen else " of this check"
    return f"{which}{through} to {target}"


def _bracket_ipv6(host: str) -> str:
    """Return a host as it stands in a url: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
