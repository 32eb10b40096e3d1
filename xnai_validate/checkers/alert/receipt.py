"""`alert.receipt`: cause a problem, wait for its alert, end the problem, wait for the resolved message."""

from __future__ import annotations

from contextlib import AsyncExitStack

from xnai_validate.checkers._once import once
from xnai_validate.checkers.alert._course import Course
from xnai_validate.checkers.alert._inbox import Inbox
from xnai_validate.checkers.alert._receipt_model import ReceiptParams, Received, receipt_waits
from xnai_validate.kit import Context, NotApplicable, Unmeasurable, checker
from xnai_validate.wire.failure import WireError


@checker(
    "alert.receipt",
    target=False,
    exclusive=True,
    waits=receipt_waits,
)
async def receipt(params: ReceiptParams, ctx: Context) -> Received:
    """Cause a problem, and check that its alert arrives, once, in time, and is resolved afterwards.

    It is received where people receive it: from a Redis stream, or by a webhook of our own that takes the payloads of
    the stack, of Alertmanager and of Grafana. Alerts whose own timestamp is before the breach are left out.
    Where no alert comes, a rule about `received` fails, and rules about what the alert holds or what follows it are
    errors. Equal checks of a run share one measurement.

        kind: alert.receipt
        with:
          breach: {fault: process.pause, target: llm}
          stream: {target: redis, key: "xnai:alerts"}
          match: {service: llm}
          fire_within: 30s
        expect: {received: true, resolved: true, duplicates: 0, payload_faults: [], types: {recovery: 1}}
    """
    return await once("alert.receipt", params, ctx, lambda: _measure(params, ctx))


async def _measure(params: ReceiptParams, ctx: Context) -> Received:
    """Measure the whole course of an alert. Raises Unmeasurable if a step or a channel failed."""
    inbox = Inbox(ctx, params.required, params.refuse)
    async with AsyncExitStack() as open_:
        channels = await _open_channels(params, ctx, inbox, open_)
        course = Course(params, ctx, inbox, channels)
        await course.run()
    facts = course.facts()
    if facts.failed_steps or facts.channel_faults:
        raise Unmeasurable("; ".join([*facts.failed_steps, *facts.channel_faults]))
    return facts


async def _open_channels(params: ReceiptParams, ctx: Context, inbox: Inbox, open_: AsyncExitStack) -> tuple[str, ...]:
    """Begin to receive and return the names of the channels. Raises NotApplicable, Unmeasurable."""
    channels = []
    if "webhook" in params.model_fields_set:
        if not params.webhook:
            raise NotApplicable("no address is known to which this stack posts its alerts; name it with --listen")
        host, _, port = params.webhook.rpartition(":")
        if not host or not port.isdecimal():
            raise Unmeasurable(f'"{params.webhook}" is not an address to listen on', hint="write HOST:PORT")
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
