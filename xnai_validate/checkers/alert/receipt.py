"""Whether an alert arrives: cause what it is about, wait for it, end it, wait for the word that it is over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

from xnai_validate.checkers._once import once
from xnai_validate.checkers._steps import perform
from xnai_validate.checkers.alert.inbox import Inbox, Receipt, fresh
from xnai_validate.kit import (
    Context,
    Count,
    Disturbance,
    Duration,
    Facts,
    Field,
    Milliseconds,
    NotApplicable,
    Observation,
    Params,
    Unmeasurable,
    checker,
)
from xnai_validate.model.marks import Ge, Le, model_validator
from xnai_validate.wire.failure import WireError

SKEW_S = 1.0
"""How far the clock of the stack may be behind ours."""
TOLD = 20
"""Payload faults that are told in words."""


class StreamInbox(Params):
    """A Redis stream that the alerts are written to."""

    target: str = "redis"
    """The target of the Redis server."""
    key: str = "xnai:alerts"


class ReceiptParams(Params):
    """What to break, what to expect, and where."""

    breach: Disturbance | None = None
    """What the alert is about, as a fault that is held until the alert has come, and taken back then."""
    cause: list[Observation] = Field(default_factory=list)
    """What the alert is about, as requests that bring it about; instead of `breach`."""
    cure: list[Observation] = Field(default_factory=list)
    """The requests that end it; they are made whatever happens."""
    stream: StreamInbox | None = None
    """Receive from a Redis stream."""
    webhook: str | None = None
    """Receive by HTTP on this `host:port`, where the stack has been told to post to; empty: skip the check."""
    match: dict[str, str] = Field(default_factory=dict)
    """Fields of the alerts that are meant, labels and annotations too: `{service: llm}`; `*` stands for any text."""
    required: list[str] = Field(default_factory=lambda: ["type", "service", "severity", "message", "timestamp"])
    """Fields that an alert of the stack's own shape must have; those of Alertmanager and Grafana have their own."""
    fire_within: Duration = 60.0
    """How long after the breach the alert may take on every channel."""
    resolve_within: Duration = 60.0
    """How long after the end of the breach the word that it is over may take on every channel."""
    hold: Duration = 0.0
    """How long the breach lasts at least, also when the alert has come: for what happens at later failures."""
    afterwards: bool = False
    """Whether the alert can only come when the breach is over, for what is broken is the way that it takes."""
    settle: Duration = 2.0
    """How long to look out for more afterwards: what comes twice comes late."""
    refuse: Annotated[int, Ge(0), Le(100)] = 0
    """Answer so many deliveries of the webhook with 503 first: a sender that gives up then has lost the alert."""

    @model_validator(mode="after")
    def _whole(self) -> ReceiptParams:
        if (self.breach is None) == (not self.cause):
            raise ValueError("name what the alert is about: either a breach (a fault) or a cause (requests)")
        if self.stream is None and "webhook" not in self.model_fields_set:
            raise ValueError("name where the alert arrives: stream, webhook or both")
        if self.cure and self.breach is not None:
            raise ValueError("a breach is taken back by itself; cure goes with cause")
        return self


class Received(Facts):
    """What arrived, by channel and in time."""

    received: bool
    """Whether the alert came in time on every channel."""
    resolved: bool | None
    """Whether the word that it is over came in time on every channel; null where the alert itself never came."""
    missed: list[str]
    """Channels on which the alert did not come in time."""
    delay_ms: Milliseconds | None
    """From the breach to the alert, on the channel where it came last."""
    resolved_delay_ms: Milliseconds | None
    """From the end of the breach to the word that it is over, on the channel where it came last."""
    firing_count: Count
    """Alerts that say that something is wrong, the most on any channel."""
    resolved_count: Count
    """Alerts that say that it is over, the most on any channel."""
    duplicates: Count
    """Alerts that say again what was said before, on the same channel."""
    in_order: bool
    """Whether on every channel the bad news came before the good."""
    order: list[str]
    """What came, in the order of arrival: `stream status_change firing` ..., the first 50."""
    types: dict[str, Count]
    """What the alerts call themselves (`type`, else `alertname`) -> how many came, the most on any channel."""
    delays_ms: dict[str, Milliseconds]
    """What the alerts call themselves -> when the first of them came, counted from the breach."""
    payload_valid: bool
    """Whether every alert has what it must have."""
    payload_faults: list[str]
    """What is wrong with them, in words."""
    unrelated_count: Count
    """Alerts that are about something else."""
    stale_count: Count
    """Alerts that say that they arose before the breach."""
    refused_count: Count
    """Deliveries that were answered with 503, as `refuse` asks for."""
    failed_steps: list[str]
    """Requests of `cause` and `cure` whose rules did not hold, in words."""
    channel_faults: list[str]
    """Channels on which nothing could be received at the end, and why."""


@checker(
    "alert.receipt",
    expect={"received": True, "failed_steps": [], "channel_faults": []},
    target=False,
    exclusive=True,
    preload=("redis.asyncio",),
)
async def receipt(params: ReceiptParams, ctx: Context) -> Received:
    """Cause what an alert is about, and prove that the alert arrives, once, in time, and is taken back afterwards.

    It is received where people receive it: from a Redis stream, or by a webhook of our own that takes the payloads of
    the stack, of Alertmanager and of Grafana. Alerts that say that they arose before the breach are left out. Equal
    checks of a run share one measurement.

        kind: alert.receipt
        with:
          breach: {fault: process.pause, target: llm}
          stream: {target: redis, key: "xnai:alerts"}
          match: {service: llm}
          fire_within: 30s
        expect: {resolved: true, duplicates: 0, in_order: true, payload_faults: [], types: {recovery: 1}}
    """
    return await once("alert.receipt", params, ctx, lambda: _measure(params, ctx))


async def _measure(params: ReceiptParams, ctx: Context) -> Received:
    inbox = Inbox(ctx, params.required, params.refuse)
    async with AsyncExitStack() as open_:
        channels = await _open(params, ctx, inbox, open_)
        course = _Course(params, ctx, inbox, channels)
        await course.run()
    return course.facts()


async def _open(params: ReceiptParams, ctx: Context, inbox: Inbox, open_: AsyncExitStack) -> tuple[str, ...]:
    """Begin to receive; the names of the channels. Raises NotApplicable, Unmeasurable."""
    channels = []
    if "webhook" in params.model_fields_set:
        if not params.webhook:
            raise NotApplicable("no address is known to which this stack posts its alerts; name it with --listen")
        host, _, port = params.webhook.rpartition(":")
        if not host or not port.isdecimal():
            raise Unmeasurable(f'"{params.webhook}" is no address to listen on', hint="write HOST:PORT")
        await open_.enter_async_context(inbox.webhook(host.strip("[]"), int(port)))
        channels.append("webhook")
    if params.stream is not None:
        target = ctx.target_named(params.stream.target)
        try:
            await open_.enter_async_context(inbox.stream(target, params.stream.key))
        except TimeoutError:
            raise Unmeasurable(f"the stream {params.stream.key} cannot be read: no answer in time") from None
        except WireError as failure:
            raise Unmeasurable(f"the stream {params.stream.key} cannot be read: {failure.detail}") from None
        channels.append("stream")
    return tuple(channels)


class _Course:
    """The course of one measurement."""

    def __init__(self, params: ReceiptParams, ctx: Context, inbox: Inbox, channels: tuple[str, ...]) -> None:
        self._params, self._ctx, self._inbox, self._channels = params, ctx, inbox, channels
        self._begun = self._over = 0.0
        self._since = 0.0
        self._received = False
        self._resolved: bool | None = None
        self._failed: list[str] = []

    async def run(self) -> None:
        """Break, wait, mend, wait."""
        clock, params = self._ctx.clock, self._params
        self._since = clock.time() - SKEW_S
        async with self._breach():
            self._begun = clock.monotonic()
            if not params.afterwards:
                await self._alert()
            left = params.hold - (clock.monotonic() - self._begun)
            if left > 0:
                await clock.sleep(left)
        self._over = clock.monotonic()
        if params.afterwards:
            await self._alert()
        if self._received:
            self._ctx.progress("waiting for the word that it is over")
            self._resolved = await self._inbox.wait(lambda: not self._missing("resolved"), params.resolve_within)
        await clock.sleep(params.settle)

    async def _alert(self) -> None:
        self._ctx.progress("waiting for the alert")
        within_s = self._params.fire_within
        self._received = await self._inbox.wait(lambda: not self._missing("firing"), within_s)

    @asynccontextmanager
    async def _breach(self) -> AsyncIterator[None]:
        if self._params.breach is not None:
            async with self._ctx.disturbed(self._params.breach):
                yield
            return
        try:
            self._failed += (await perform(self._ctx, self._params.cause, times=1, together=False)).failed
            yield
        finally:
            if self._params.cure:
                mending = asyncio.ensure_future(perform(self._ctx, self._params.cure, times=1, together=False))
                self._failed += (await asyncio.shield(mending)).failed

    def _missing(self, state: str) -> list[str]:
        """The channels on which no alert of this state has come."""
        return [channel for channel in self._channels if not self._of(channel, state)]

    def _of(self, channel: str, state: str | None = None) -> list[Receipt]:
        """The alerts that are meant and came on a channel."""
        return [
            one
            for one in self._inbox.receipts
            if one.channel == channel
            and state in (None, one.notice.state)
            and one.notice.fits(self._params.match)
            and fresh(one, self._since)
        ]

    def facts(self) -> Received:
        """What came of it."""
        meant = {channel: self._of(channel) for channel in self._channels}
        all_meant = sorted((one for found in meant.values() for one in found), key=lambda one: one.at_s)
        faults = [fault for one in self._inbox.receipts for fault in one.notice.faults if self._counts(one)]
        types = [Counter(_type(one.notice.fields) for one in found) for found in meant.values()]
        stale = sum(one.notice.fits(self._params.match) and not fresh(one, self._since) for one in self._inbox.receipts)
        return Received(
            received=self._received,
            resolved=self._resolved,
            missed=self._missing("firing"),
            delay_ms=self._delay_ms("firing", self._begun),
            resolved_delay_ms=self._delay_ms("resolved", self._over) if self._resolved else None,
            firing_count=max(len(self._of(channel, "firing")) for channel in self._channels),
            resolved_count=max(len(self._of(channel, "resolved")) for channel in self._channels),
            duplicates=sum(len(found) - len({one.notice.identity for one in found}) for found in meant.values()),
            in_order=all(_in_order(found) for found in meant.values()),
            order=[f"{one.channel} {_type(one.notice.fields)} {one.notice.state}" for one in all_meant[:50]],
            types={name: max(one[name] for one in types) for name in sorted({name for one in types for name in one})},
            delays_ms=self._delays_ms(all_meant),
            payload_valid=not faults,
            payload_faults=list(dict.fromkeys(faults))[:TOLD],
            unrelated_count=sum(not one.notice.fits(self._params.match) for one in self._inbox.receipts),
            stale_count=stale,
            refused_count=self._inbox.refused_count,
            failed_steps=self._failed,
            channel_faults=[f"{channel}: {why}" for channel, why in self._inbox.silent.items()],
        )

    def _counts(self, one: Receipt) -> bool:
        """Whether what is wrong with an alert is to be told: it is meant, or cannot be read at all."""
        return one.notice.fits(self._params.match) or not one.notice.fields

    def _delays_ms(self, meant: list[Receipt]) -> dict[str, float]:
        """The first of each type, by the time of its arrival."""
        delays: dict[str, float] = {}
        for one in meant:
            delays.setdefault(_type(one.notice.fields), round(max(0.0, one.at_s - self._begun) * 1000, 1))
        return delays

    def _delay_ms(self, state: str, since_s: float) -> float | None:
        """From a point in time to the first alert of a state, on the channel where that came last."""
        firsts = [self._of(channel, state)[:1] for channel in self._channels]
        if not all(firsts):
            return None
        return max(0.0, max(one.at_s - since_s for (one,) in firsts) * 1000)


def _type(fields: Mapping[str, str]) -> str:
    return fields.get("type") or fields.get("alertname") or "unnamed"


def _in_order(found: list[Receipt]) -> bool:
    """Whether no good news came before the first bad news."""
    states = [one.notice.state for one in found if one.notice.state != "other"]
    return "resolved" not in states or (states[0] == "firing")
