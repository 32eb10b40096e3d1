"""The side of a proxy that the engine sees: the same for every fault that is one."""

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

CHILD = "xnai_validate.faults._proxy.child"
LOCAL = "127.0.0.1"


def _address(text: str | None) -> str | None:
    if text is not None:
        split_address(text)
    return text


class ListenParams(Params):
    """Where the proxy listens."""

    listen: Annotated[str | None, AfterValidator(_address)] = None
    """An address, as `127.0.0.1:16379`, that the stack's own configuration names, so that its traffic comes this way
    while the fault is in force; nobody listens there before and after. By default a free port of 127.0.0.1, which only
    the check itself comes by."""


class ProxyParams(ListenParams):
    """Which connections are disturbed."""

    share: Annotated[float, Gt(0), Le(1)] = 1.0
    """Of the connections; the others pass. Of any n in a row it is share * n, give or take less than one."""
    seed: int = 0
    """Whatever is drawn is the same for the same seed."""


class StreamParams(ProxyParams):
    """Which way is disturbed."""

    stream: Literal["downstream", "upstream", "both"] = "downstream"
    """`downstream`: what the target sends; `upstream`: what is sent to it."""


class ProxyUndo(Undo):
    """The proxy is found by the name of the injection."""


class Proxied:
    """A fault that is a proxy: it says what the child is told, and the rest is here."""

    def told(self, params: Any, ctx: FaultContext) -> dict[str, JsonValue]:
        """The kind of proxy and its spec."""
        raise NotImplementedError

    def moved(self, ctx: FaultContext, host: str, port: int) -> str:
        """The target's url, at the proxy."""
        parts = urlsplit(ctx.target.url or "")
        user, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}{at}{_bracketed(host)}:{port}"))

    async def inject(self, params: ListenParams, undo: ProxyUndo, ctx: FaultContext) -> ActiveFault | None:
        """Start the proxy; it is there when this returns."""
        host, port = split_address(params.listen) if params.listen else (LOCAL, 0)
        told: dict[str, JsonValue] = {"listen": [host, port], **self.told(params, ctx)}
        child = await start_child(CHILD, ctx.id, json.dumps(told))
        reached = LOCAL if host == "0.0.0.0" else host
        return ActiveFault(url=self.moved(ctx, reached, int(child.ready_line)), close=child.close)

    async def revert(self, undo: ProxyUndo, ctx: FaultContext) -> None:
        """End the proxy; the connections through it end with it."""
        await end_children(ctx.id, ctx.clock)

    async def fingerprint(self, undo: ProxyUndo, ctx: FaultContext) -> JsonValue:
        """How many proxies of this injection there are."""
        return {"proxies": len(children_of(ctx.id))}


def reachable(params: ListenParams, ctx: FaultContext) -> ProxyUndo:
    """Raises NotApplicable where there is nothing to stand in front of, Unmeasurable where `listen` is in use."""
    target = ctx.target
    if not target.host or not target.port:
        raise NotApplicable(f"target {target.name} has no url with a port, so no proxy can stand in front of it")
    if params.listen:
        try:
            bound(*split_address(params.listen)).close()
        except OSError as error:
            raise Unmeasurable(
                f"the proxy cannot listen at {params.listen}: {error.strerror or error}",
                hint="`listen` is an address of this machine at which nobody else listens",
            ) from None
    return ProxyUndo()


def to_target(ctx: FaultContext) -> dict[str, JsonValue]:
    """Where the proxy finds the target."""
    return {"host": ctx.target.host, "port": ctx.target.port}


def tcp(toxic: str, params: ListenParams, ctx: FaultContext, **numbers: JsonValue) -> dict[str, JsonValue]:
    """What a TCP proxy is told: a toxic and its attributes."""
    spec: dict[str, JsonValue] = {"toxic": toxic, "numbers": numbers}
    if isinstance(params, ProxyParams):
        spec |= {"share": params.share, "seed": params.seed}
    if isinstance(params, StreamParams):
        spec["stream"] = params.stream
    return {"kind": "tcp", "spec": {**to_target(ctx), **spec}}


def whom(params: ListenParams, target: str) -> str:
    """Whose traffic it is, for a sentence."""
    share = params.share if isinstance(params, ProxyParams) else 1.0
    which = "connections" if share == 1 else f"{100 * share:g} % of the connections"
    through = f" that come by {params.listen}" if params.listen else " of this check"
    return f"{which}{through} to {target}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
