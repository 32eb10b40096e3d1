"""One measurement of an alert: inject a fault, wait for the alert, end the fault, wait for the resolved message."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers.alert._false_alerts import FalseAlerts, find_false_alerts, standing_services
from xnai_validate.checkers.alert._inbox import Inbox, Receipt, fresh
from xnai_validate.checkers.alert._receipt_model import ReceiptParams, Received
from xnai_validate.kit import Context

SKEW_S = 1.0
"""How far the clock of the stack may be behind ours."""
FAULTS_CAP = 20
ORDER_CAP = 50
"""Payload faults that are reported as texts."""


class Course:
    """One measurement: `run` it, then read its `facts`."""

    def __init__(self, params: ReceiptParams, ctx: Context, inbox: Inbox, channels: tuple[str, ...]) -> None:
        self._params, self._ctx, self._inbox, self._channels = params, ctx, inbox, channels
        self._fault_began_s = self._fault_ended_s = 0.0
        self._since = 0.0  # alerts that arose before are stale; by the wall clock, as the alerts give their times
        self._received = False
        self._resolved: bool | None = None
        self._failed: list[str] = []
        self._false_alerts = FalseAlerts()

    async def run(self) -> None:
        """Inject the fault, wait for the alert, end the fault, wait for the message that it is resolved.

        With `afterwards` the alert is expected only after the end of the fault.
        """
        clock, params = self._ctx.clock, self._params
        self._since = clock.time() - SKEW_S
        async with self._breach():
            self._fault_began_s = clock.monotonic()
            if not params.afterwards:
                await self._wait_for_alert()
            left = params.hold - (clock.monotonic() - self._fault_began_s)
            if left > 0:
                await clock.sleep(left)
            if params.bystanders:
                self._false_alerts = await find_false_alerts(
                    self._ctx, params.bystanders, self._other_failed_services, params.resolve_within
                )
        self._fault_ended_s = clock.monotonic()
        if params.afterwards:
            await self._wait_for_alert()
        if self._received:
            self._ctx.progress("waiting for the resolved message")
            self._resolved = await self._inbox.wait(
                lambda: not self._missing_channels("resolved"), params.resolve_within
            )
        await clock.sleep(params.settle)

    async def _wait_for_alert(self) -> None:
        """Wait until all expected messages about the alert have arrived, or the time is over."""
        self._ctx.progress("waiting for the alert")
        within_s = self._params.fire_within
        self._received = await self._inbox.wait(lambda: not self._missing_channels("firing"), within_s)

    @asynccontextmanager
    async def _breach(self) -> AsyncIterator[None]:
        """A context in which the problem exists: a fault is in force, or `cause` was done and `cure` was not."""
        if self._params.breach is not None:
            async with self._ctx.injected(self._params.breach):
                yield
            return
        try:
            self._failed += (await perform(self._ctx, self._params.cause, times=1, together=False)).failed
            yield
        finally:
            if self._params.cure:
                # Shielded: a cancelled check must leave the stack as it was.
                curing = asyncio.ensure_future(perform(self._ctx, self._params.cure, times=1, together=False))
                self._failed += (await asyncio.shield(curing)).failed

    def _missing_channels(self, state: str) -> list[str]:
        """Return the channels on which no alert of this state has arrived."""
        return [channel for channel in self._channels if not self._expected_on(channel, state)]

    def _expected_on(self, channel: str, state: str | None = None) -> list[Receipt]:
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
        by_channel = {channel: self._expected_on(channel) for channel in self._channels}
        expected_receipts = sorted(
            (receipt for found in by_channel.values() for receipt in found), key=lambda receipt: receipt.at_s
        )
        faults = [
            fault for receipt in self._inbox.receipts if self._is_judged(receipt) for fault in receipt.notice.faults
        ]
        came = bool(expected_receipts)
        stale = sum(
            receipt.notice.fits(self._params.match) and not fresh(receipt, self._since)
            for receipt in self._inbox.receipts
        )
        return Received(
            received=self._received,
            resolved=self._resolved,
            missed=self._missing_channels("firing"),
            delay_ms=self._delay_ms("firing", self._fault_began_s),
            resolved_delay_ms=self._delay_ms("resolved", self._fault_ended_s) if self._resolved else None,
            firing_count=max(len(self._expected_on(channel, "firing")) for channel in self._channels),
            resolved_count=max(len(self._expected_on(channel, "resolved")) for channel in self._channels),
            duplicates=count_duplicates(by_channel) if came else None,
            in_order=all(_is_in_order(found) for found in by_channel.values()) if came else None,
            order=_order(expected_receipts) if came else None,
            types=_most_of_types(by_channel) if came else None,
            delays_ms=self._delays_ms(expected_receipts) if came else None,
            payload_valid=not faults if came or faults else None,
            payload_faults=list(dict.fromkeys(faults))[:FAULTS_CAP] if came or faults else None,
            unrelated_count=sum(not receipt.notice.fits(self._params.match) for receipt in self._inbox.receipts),
            unrelated_services=self._unrelated_services(),
            false_alerts=self._false_alerts.services if self._params.bystanders else None,
            unjudged_alerts=self._false_alerts.reasons,
            stale_count=stale,
            refused_count=self._inbox.refused_count,
            failed_steps=self._failed,
            channel_faults=[f"{channel}: {why}" for channel, why in self._inbox.silent.items()],
        ).not_reached(self._not_reached())

    def _not_reached(self) -> str | None:
        """Why facts about the alert are null; None if it came in time on every channel."""
        if self._received:
            return None
        within = f"within {self._params.fire_within:g} s"
        missing = " and ".join(self._missing_channels("firing"))
        # Nothing is missing by now if the alert came after the wait for it was over.
        if not missing:
            return f"the alert did not come {within} on every channel"
        return f"no alert came {within} on {missing}"

    def _is_judged(self, receipt: Receipt) -> bool:
        """Whether the payload faults of an alert are reported: it is an expected alert, or has no readable field."""
        return receipt.notice.fits(self._params.match) or not receipt.notice.fields

    def _others(self) -> list[Receipt]:
        """The alerts of this time that are about something else."""
        return [
            receipt
            for receipt in self._inbox.receipts
            if not receipt.notice.fits(self._params.match) and fresh(receipt, self._since)
        ]

    def _other_failed_services(self) -> set[str]:
        """Return the other services that alerts of this time report as failed and none reports as resolved."""
        return standing_services(self._others())

    def _unrelated_services(self) -> list[str]:
        """The services that other alerts of this time name as failed."""
        others = (
            receipt.notice.fields.get("service") for receipt in self._others() if receipt.notice.state == "firing"
        )
        return list(dict.fromkeys(service for service in others if service))[:FAULTS_CAP]

    def _delays_ms(self, receipts: list[Receipt]) -> dict[str, float]:
        """Type of alert -> milliseconds from the start of the fault to the first alert of that type."""
        delays: dict[str, float] = {}
        for receipt in receipts:
            delay_s = max(0.0, receipt.at_s - self._fault_began_s)
            delays.setdefault(_alert_type(receipt.notice.fields), round(delay_s * 1000, 1))
        return delays

    def _delay_ms(self, state: str, since_s: float) -> float | None:
        """Milliseconds from `since_s` to the first alert of a state, on the slowest channel; None if one has none."""
        firsts = [self._expected_on(channel, state)[:1] for channel in self._channels]
        if not all(firsts):
            return None
        return max(0.0, max(receipt.at_s - since_s for (receipt,) in firsts) * 1000)


def count_duplicates(by_channel: Mapping[str, list[Receipt]]) -> int:
    """How many alerts came again on their channel, without a change of state in between.

    A service that is lost twice, on a busy host for one check of the monitor, is rightly announced twice.
    """
    count = 0
    for found in by_channel.values():
        known: set[str] = set()
        state = "other"
        for notice in (receipt.notice for receipt in found):
            if notice.state not in ("other", state):
                known, state = set(), notice.state
            count += notice.identity in known
            known.add(notice.identity)
    return count


def _order(receipts: list[Receipt]) -> list[str]:
    """Describe the messages in the order of their arrival."""
    return [f"{each.channel} {_alert_type(each.notice.fields)} {each.notice.state}" for each in receipts[:ORDER_CAP]]


def _most_of_types(by_channel: Mapping[str, list[Receipt]]) -> dict[str, int]:
    """Type of alert -> how many came, the most on any channel."""
    counts = [Counter(_alert_type(receipt.notice.fields) for receipt in found) for found in by_channel.values()]
    return {name: max(of[name] for of in counts) for name in sorted({name for of in counts for name in of})}


def _alert_type(fields: Mapping[str, str]) -> str:
    """Return the type of an alert by its fields."""
    return fields.get("type") or fields.get("alertname") or "unnamed"


def _is_in_order(receipts: list[Receipt]) -> bool:
    """Whether no resolved alert came before the first firing one."""
    states = [receipt.notice.state for receipt in receipts if receipt.notice.state != "other"]
    return "resolved" not in states or (states[0] == "firing")
