"""Params and facts of `alert.receipt`."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.kit import (
    Count,
    Duration,
    Facts,
    FaultEntry,
    Field,
    Ge,
    Inner,
    Le,
    Milliseconds,
    Observation,
    Params,
    Waits,
    in_turn,
    model_validator,
)


class StreamInbox(Params):
    """A Redis stream that the alerts are written to."""

    target: str = "redis"
    """The target of the Redis server."""
    key: str = "xnai:alerts"


class ReceiptParams(Params):
    """What to break, what to expect, and where."""

    breach: FaultEntry | None = None
    """The problem, as a fault that is active until the alert has arrived."""
    cause: list[Observation] = Field(default_factory=list)
    """What the alert is about, as requests that bring it about; instead of `breach`."""
    cure: list[Observation] = Field(default_factory=list)
    """The requests that end it; they are made whatever happens."""
    stream: StreamInbox | None = None
    """Receive from a Redis stream."""
    webhook: str | None = None
    """Receive by HTTP on this `host:port`, to which the stack is configured to post; empty: skip the check."""
    match: dict[str, str] = Field(default_factory=dict)
    """Fields of the expected alerts, labels and annotations too: `{service: llm}`; `*` is any text."""
    required: list[str] = Field(default_factory=lambda: ["type", "service", "severity", "message", "timestamp"])
    """Fields that an alert of the stack's own shape must have; those of Alertmanager and Grafana have their own."""
    fire_within: Duration = 60.0
    """How long after the breach the alert may take on every channel."""
    resolve_within: Duration = 60.0
    """How long after the end of the breach the resolved message may take on every channel."""
    hold: Duration = 0.0
    """How long the breach lasts at least, also when the alert has come: for what happens at later failures."""
    bystanders: dict[str, Observation] = Field(default_factory=dict)
    """Another service, as alerts name it -> an observation that holds where it is well: an alert about it that is not
    resolved for `resolve_within` although it is well is a false one. Alerts about services without are not judged."""
    afterwards: bool = False
    """Whether the alert can only come when the breach is over, for what is broken is the way that it takes."""
    settle: Duration = 2.0
    """How long to look out for more afterwards: what comes twice comes late."""
    refuse: Annotated[int, Ge(0), Le(100)] = 0
    """Answer this number of deliveries of the webhook with 503 first: a sender that gives up loses the alert."""

    @model_validator(mode="after")
    def _verify_whole(self) -> ReceiptParams:
        """Raise ValueError for params that do not go together."""
        if (self.breach is None) == (not self.cause):
            raise ValueError("name what the alert is about: either a breach (a fault) or a cause (requests)")
        if self.stream is None and "webhook" not in self.model_fields_set:
            raise ValueError("name where the alert arrives: stream, webhook or both")
        if self.bystanders and self.afterwards:
            raise ValueError(
                "bystanders are observed during the breach, and with `afterwards` no alert comes then: leave out one"
            )
        if self.cure and self.breach is not None:
            raise ValueError("`cure` ends what `cause` began; a `breach` is reverted without it")
        return self


def receipt_waits(params: ReceiptParams, inner: Inner) -> Waits:
    """How long an alert takes: the failure, its alert, the end of the failure, and the resolved message."""
    requests = in_turn((*params.cause, *params.cure), inner)
    # An alert usually comes within a third of its limit.
    alert_s, over_s = params.fire_within / 3, params.resolve_within / 3
    held_s = params.hold if params.afterwards else max(params.hold, params.fire_within)
    held_s += params.resolve_within if params.bystanders else 0.0
    usual_s = params.hold + alert_s if params.afterwards else max(params.hold, alert_s)
    after_s = params.fire_within if params.afterwards else 0.0
    return Waits(
        usual_s=usual_s + over_s + params.settle + requests.usual_s,
        longest_s=held_s + after_s + params.resolve_within + params.settle + requests.most_s,
        held_s=held_s if params.breach is not None else 0.0,
        shared="alert.receipt",
    )


class Received(Facts):
    """What arrived, by channel and in time; null where no alert came that could show it."""

    received: bool
    """Whether the alert came in time on every channel."""
    resolved: bool | None
    """Whether the resolved message came in time on every channel; null where the alert itself did not come in time."""
    missed: list[str]
    """Channels on which the alert did not come in time."""
    delay_ms: Milliseconds | None
    """From the breach to the alert, on the channel where it came last."""
    resolved_delay_ms: Milliseconds | None
    """From the end of the breach to the resolved message, on the channel where it came last."""
    firing_count: Count
    """Firing alerts, the most on any channel."""
    resolved_count: Count
    """Resolved alerts, the most on any channel."""
    duplicates: Count | None
    """Repeated alerts on the same channel."""
    in_order: bool | None
    """Whether on every channel no resolved alert came before the first firing one."""
    order: list[str] | None
    """What came, in the order of arrival: `stream status_change firing` ..., the first 50."""
    types: dict[str, Count] | None
    """What the alerts call themselves (`type`, else `alertname`) -> how many came, the most on any channel."""
    delays_ms: dict[str, Milliseconds] | None
    """What the alerts call themselves -> when the first of them came, counted from the breach."""
    payload_valid: bool | None
    """Whether every alert has what it must have."""
    payload_faults: list[str] | None
    """What is wrong with the payloads of the alerts, in words."""
    unrelated_count: Count
    """Alerts that are about something else."""
    unrelated_services: list[str]
    """The services that these name as failed, by their field `service`, each once; those from before are left out."""
    false_alerts: list[str] | None
    """The services of `bystanders` that an alert named as failed, and that were well as long as it was not resolved;
    null without `bystanders`."""
    unjudged_alerts: dict[str, str]
    """A service of `bystanders` that an alert named as failed -> why that is not judged, in words."""
    stale_count: Count
    """Alerts whose own timestamp is before the breach."""
    refused_count: Count
    """Deliveries that were answered with 503, as `refuse` asks for."""
    failed_steps: list[str]
    """Requests of `cause` and `cure` whose rules did not hold, in words."""
    channel_faults: list[str]
    """Channels on which nothing could be received at the end, and why."""
