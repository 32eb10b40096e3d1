"""Health reports with wrong, missing or mistyped fields."""

from __future__ import annotations

from pydantic import JsonValue

from xnai_validate.demo.api.monitoring.health import report
from xnai_validate.demo.defects.defect import Defect

Body = dict[str, JsonValue]


def _components(body: Body) -> Body:
    """Return the components of a health report."""
    components = body["components"]
    assert isinstance(components, dict)
    return components


def _with_components(body: Body, **changed: JsonValue) -> Body:
    """Return a health report with some components changed."""
    return body | {"components": _components(body) | changed}


STATUS_STUCK = Defect(
    "health-status-stuck",
    "Health reports degraded although every component works.",
    checks=("api/health:status-follows", "services/answers:api-health"),
).changes(report, lambda body: body | {"status": "degraded"})

STATUS_OPTIMISTIC = Defect(
    "health-status-optimistic",
    "Health reports healthy while it lists a component that does not work.",
    checks=("health/truth:status-follows",),
).changes(report, lambda body: body | {"status": "healthy"})

FIELD_MISSING = Defect(
    "health-field-missing",
    "Health lacks memory_gb.",
    checks=("api/health:memory-true", "api/health:shape", "api/openapi:conforms"),
).changes(report, lambda body: {name: body[name] for name in body if name != "memory_gb"})

COMPONENT_STRINGS = Defect(
    "health-component-strings",
    "Health gives its components as text instead of booleans.",
    checks=(
        "api/contract:reads",
        "api/health:components-true",
        "api/health:status-follows",
        "api/openapi:conforms",
    ),
).changes(
    report,
    lambda body: _with_components(body, **{name: "ok" for name, works in _components(body).items() if works is True}),
)


def _without_redis(body: Body) -> Body:
    """Return a health report without the component Redis."""
    return body | {"components": {name: up for name, up in _components(body).items() if name != "health_redis"}}


COMPONENT_MISSING = Defect(
    "health-component-missing",
    "Health does not report on Redis.",
    checks=("dependencies/chain:api-redis-component",),
).changes(report, _without_redis)

VERSION_EMPTY = Defect(
    "health-version-empty",
    "Health has an empty version.",
    checks=("api/health:shape", "api/openapi:conforms"),
).changes(report, lambda body: body | {"version": ""})

MEMORY_BYTES = Defect(
    "health-memory-bytes",
    "Health gives memory_gb in bytes.",
    checks=("api/health:memory-true", "api/health:shape"),
).changes(report, lambda body: body | {"memory_gb": float(str(body["memory_gb"])) * 1024**3})

MEMORY_CONSTANT = Defect(
    "health-memory-constant",
    "Health gives the same memory_gb whatever is in use.",
    checks=("api/health:memory-true",),
).changes(report, lambda body: body | {"memory_gb": 0.1})


def _without_tier(body: Body) -> Body:
    """Return a health report without the degradation tier and its name."""
    tier = ("degradation_tier", "tier_name")
    return body | {"components": {name: works for name, works in _components(body).items() if name not in tier}}


TIER_MISSING = Defect(
    "health-tier-missing",
    "Health lacks the degradation tier.",
    checks=("api/openapi:conforms", "dependencies/chain:degradation-recorded"),
    layout="B",
).changes(report, _without_tier)

TIER_WRONG = Defect(
    "health-tier-wrong",
    "Health reports another degradation tier than the one that was recorded.",
    checks=("health/sync:tier-agrees",),
    layout="B",
).changes(
    report,
    lambda body: _with_components(body, degradation_tier=int(str(_components(body)["degradation_tier"])) % 4 + 1),
)

TIER_CONSTANT = Defect(
    "health-tier-constant",
    "Health shows tier three, however much memory is free.",
    checks=("api/health:tier-true",),
    layout="B",
).changes(report, lambda body: _with_components(body, degradation_tier=3, tier_name="Critical"))

ALWAYS_HEALTHY = Defect(
    "health-always-healthy",
    "Health reports healthy whatever is down: it tries no component.",
    checks=("health/truth:no-false-green", "health/truth:redis-falls"),
).changes(
    report,
    lambda body: _with_components(
        body | {"status": "healthy", "vectorstore_loaded": True},
        **{name: True for name, works in _components(body).items() if isinstance(works, bool)},
    ),
)
