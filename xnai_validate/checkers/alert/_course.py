"""The course of one measurement of an alert: break, wait for it, mend, wait for the word that it is over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers.alert._inbox import Inbox, Receipt, fresh
from xnai_validate.checkers.alert._receipt_model import ReceiptParams, Received
from xnai_validate.kit import Context

SKEW_S = 1.0
"""How far the clock of the stack may be behind ours."""
FAULTS_CAP = 20
ORDER_CAP = 50
"""Payload faults that are reported as texts."""


class Course:
    """The course of one measurement."""

    def __init__(self, params: ReceiptParams, ctx: Context, inbox: Inbox, channels: tuple[str, ...]) -> None:
        self._params, self._ctx, self._inbox, self._channels = params, ctx, inbox, channels
        self._begun = self._over = 0.0
        self._since = 0.0
        self._received = False
        self._resolved: bool | None = None
        self._failed: list[str] = []

    async def run(self) -> None:
        """Inject the fault, wait for the alert, end the fault, wait for the message that it is resolved.

        With `afterwards` the alert is expected only after the end of the fault.
        """
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
            async with self._ctx.injected(self._params.breach):
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
        """Return the expected alerts that came on a channel."""
        return [
            receipt
            for receipt in self._inbox.receipts
            if receipt.channel == channel
            and state in (None, receipt.notice.state)
            and receipt.notice.fits(self._params.match)
            and fresh(receipt, self._since)
        ]

    def facts(self) -> Received:
        """Return what was received."""
        by_channel = {channel: self._of(channel) for channel in self._channels}
        expected_receipts = sorted(
            (receipt for found in by_channel.values() for receipt in found), key=lambda receipt: receipt.at_s
        )
        faults = [fault for receipt in self._inbox.receipts for fault in receipt.notice.faults if self._counts(receipt)]
        came = bool(expected_receipts)
        stale = sum(
            receipt.notice.fits(self._params.match) and not fresh(receipt, self._since)
            for receipt in self._inbox.receipts
        )
        return Received(
            received=self._received,
            resolved=self._resolved,
            missed=self._missing("firing"),
            delay_ms=self._delay_ms("firing", self._begun),
            resolved_delay_ms=self._delay_ms("resolved", self._over) if self._resolved else None,
            firing_count=max(len(self._of(channel, "firing")) for channel in self._channels),
            resolved_count=max(len(self._of(channel, "resolved")) for channel in self._channels),
            duplicates=_duplicates(by_channel) if came else None,
            in_order=all(_in_order(found) for found in by_channel.values()) if came else None,
            order=_order(expected_receipts) if came else None,
            types=_most_of_types(by_channel) if came else None,
            delays_ms=self._delays_ms(expected_receipts) if came else None,
            payload_valid=not faults if came or faults else None,
            payload_faults=list(dict.fromkeys(faults))[:FAULTS_CAP] if came or faults else None,
            unrelated_count=sum(not receipt.notice.fits(self._params.match) for receipt in self._inbox.receipts),
            stale_count=stale,
            refused_count=self._inbox.refused_count,
            failed_steps=self._failed,
            channel_faults=[f"{channel}: {why}" for channel, why in self._inbox.silent.items()],
        ).not_reached(self._not_reached())

    def _not_reached(self) -> str | None:
        """Why what follows the alert was not reached, in words; None where the alert came on every channel."""
        if self._received:
            return None
        channels = " and ".join(self._missing("firing")) or "every channel"
        return f"no alert came within {self._params.fire_within:g} s on {channels}"

    def _counts(self, receipt: Receipt) -> bool:
        """Whether faults of an alert are reported: it is an expected one, or cannot be read at all."""
        return receipt.notice.fits(self._params.match) or not receipt.notice.fields

    def _delays_ms(self, receipts: list[Receipt]) -> dict[str, float]:
        """The first of each type, by the time of its arrival."""
        delays: dict[str, float] = {}
        for receipt in receipts:
            delays.setdefault(_type(receipt.notice.fields), round(max(0.0, receipt.at_s - self._begun) * 1000, 1))
        return delays

    def _delay_ms(self, state: str, since_s: float) -> float | None:
        """From a point in time to the first alert of a state, on the channel where that came last."""
        firsts = [self._of(channel, state)[:1] for channel in self._channels]
        if not all(firsts):
            return None
        return max(0.0, max(receipt.at_s - since_s for (receipt,) in firsts) * 1000)


def _duplicates(by_channel: Mapping[str, list[Receipt]]) -> int:
    """How many alerts came again on their channel."""
    return sum(len(found) - len({receipt.notice.identity for receipt in found}) for found in by_channel.values())


def _order(receipts: list[Receipt]) -> list[str]:
    """What came, in the order of arrival, in words."""
    return [f"{each.channel} {_type(each.notice.fields)} {each.notice.state}" for each in receipts[:ORDER_CAP]]


def _most_of_types(by_channel: Mapping[str, list[Receipt]]) -> dict[str, int]:
    """Type of alert -> how many came, the most on any channel."""
    counts = [Counter(_type(receipt.notice.fields) for receipt in found) for found in by_channel.values()]
    return {name: max(of[name] for of in counts) for name in sorted({name for of in counts for name in of})}


def _type(fields: Mapping[str, str]) -> str:
    return fields.get("type") or fields.get("alertname") or "unnamed"


def _in_order(found: list[Receipt]) -> bool:
    """Whether no good news came before the first bad news."""
    states = [receipt.notice.state for receipt in found if receipt.notice.state != "other"]
    return "resolved" not in states or (states[0] == "firing")
