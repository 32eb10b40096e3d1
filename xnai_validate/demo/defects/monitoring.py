"""Defects of health reports, of the monitor, of its alerts and of what it does to recover a service."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_TRUTH = "health/truth:"
_WATCH = "health/monitor:"
_SYNC = "health/sync:"
_TOLD = "alerts/delivery:"
_RECOVERY = "alerts/recovery:"

_REPORTS = (
    Defect(
        "health-always-healthy",
        "Health says healthy whatever is down: it looks at nothing.",
        checks=(f"{_TRUTH}no-false-green", f"{_TRUTH}notices"),
    ),
    Defect(
        "health-status-optimistic",
        "Health says healthy while it lists a component that does not work.",
        checks=(f"{_TRUTH}status-follows", f"{_WATCH}degraded-is-200"),
    ),
    Defect(
        "health-llm-unprobed",
        "Health says that the model works without asking it.",
        checks=(f"{_TRUTH}no-false-green",),
    ),
    Defect(
        "health-redis-unprobed",
        "Health says that Redis works although it does not.",
        checks=(f"{_TRUTH}no-false-green",),
    ),
    Defect(
        "health-fails-when-degraded",
        "Health answers 500 as soon as one component is down, and so takes the rest down.",
        checks=(f"{_WATCH}degraded-is-200",),
    ),
    Defect("health-hangs-with-model", "Health waits for a model server that hangs.", checks=("services/answers:api",)),
    Defect(
        "health-hangs-without-redis",
        "Health takes six seconds to say that Redis is gone.",
        checks=(f"{_TRUTH}always-answers",),
    ),
    Defect(
        "health-cached",
        "Health answers from what it found at its first report.",
        checks=(f"{_TRUTH}no-false-green", f"{_TRUTH}notices", f"{_TRUTH}not-stale", f"{_SYNC}all-say-gone"),
    ),
    Defect(
        "health-swapped",
        "Health gives the result of each probe under the name of another.",
        checks=(f"{_TRUTH}no-false-green", f"{_TRUTH}no-false-red"),
    ),
    Defect(
        "health-all-or-nothing",
        "Health blames Redis too when the model is gone.",
        checks=(f"{_TRUTH}no-false-red",),
    ),
    Defect(
        "health-never-recovers",
        "Health goes on to report a component as broken when it works again.",
        checks=(f"{_TRUTH}recovers", f"{_SYNC}all-say-back"),
    ),
    Defect(
        "health-generates",
        "Health has the model write a sentence to see whether it works.",
        checks=(f"{_WATCH}costs-no-tokens",),
    ),
    Defect(
        "health-leaks",
        "Every health report keeps a connection open.",
        checks=(f"{_WATCH}costs-no-memory",),
    ),
)

_PLACES = (
    Defect(
        "gateway-own-health",
        "The gateway answers for the API's health without asking it.",
        checks=(f"{_WATCH}same-everywhere", f"{_SYNC}all-say-gone"),
    ),
    Defect(
        "health-tier-wrong",
        "Health announces another degradation tier than the one that was recorded.",
        checks=(f"{_SYNC}tier-agrees",),
        layout="B",
    ),
)

_MONITOR = (
    Defect(
        "monitor-asleep",
        "The health monitor looks at nothing.",
        checks=(f"{_WATCH}gauge-up", f"{_TOLD}arrives"),
    ),
    Defect(
        "service-health-stuck",
        "The health of the services is not among the metrics.",
        checks=(f"{_WATCH}gauge-up",),
    ),
    Defect(
        "service-health-optimistic",
        "The metrics say of every service that it is up, whatever the monitor sees.",
        checks=(f"{_WATCH}gauge-falls",),
    ),
    Defect(
        "service-health-pessimistic",
        "The metrics never say again that a service is up once it was down.",
        checks=(f"{_WATCH}gauge-rises",),
    ),
)

_ALERTS = (
    Defect("alerts-missing", "Nobody is told when a service goes down.", checks=(f"{_TOLD}arrives",)),
    Defect("alerts-twice", "Every alert is sent twice.", checks=(f"{_TOLD}once",)),
    Defect("alerts-late", "Alerts come twenty seconds late.", checks=(f"{_TOLD}arrives",)),
    Defect(
        "alerts-never-resolved",
        "Nobody is told when a service is healthy again.",
        checks=(f"{_TOLD}resolved", f"{_TOLD}once"),
    ),
    Defect("alerts-all-clear-first", "Each alert is preceded by an all-clear.", checks=(f"{_TOLD}in-order",)),
    Defect(
        "alerts-bare",
        "Alerts say neither how bad it is nor when it was.",
        checks=(f"{_TOLD}complete", f"{_TOLD}webhook"),
    ),
    Defect("alerts-stream-silent", "Alerts are not written to Redis.", checks=(f"{_TOLD}arrives",)),
    Defect("alerts-webhook-silent", "Alerts are not posted to the webhook.", checks=(f"{_TOLD}webhook",)),
    Defect(
        "alerts-webhook-gives-up",
        "An alert whose webhook does not take it is never posted again.",
        checks=(f"{_TOLD}webhook",),
    ),
    Defect(
        "alerts-lost-without-redis",
        "Alerts that cannot be written to Redis are forgotten.",
        checks=(f"{_TOLD}redis-down",),
    ),
)

_RECOVERIES = (
    Defect(
        "recovery-never-begins",
        "A service that stays down is never recovered.",
        checks=(f"{_RECOVERY}begins",),
    ),
    Defect("recovery-at-once", "A service is restarted at its first failure.", checks=(f"{_RECOVERY}waits",)),
    Defect("recovery-endless", "A service that stays down is restarted again and again.", checks=(f"{_RECOVERY}ends",)),
    Defect("recovery-silent", "Nobody is told when a service is up again.", checks=(f"{_RECOVERY}told-once",)),
    Defect("recovery-told-twice", "That a service is up again is told twice.", checks=(f"{_RECOVERY}told-once",)),
)

MONITORING: tuple[Defect, ...] = (*_REPORTS, *_PLACES, *_MONITOR, *_ALERTS, *_RECOVERIES)
"""All of them."""
