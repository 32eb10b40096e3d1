"""Health reports that are wrong about a component: not probed, out of date, or mixed up."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from pydantic import JsonValue

from xnai_validate.demo.api.answers.corpus import Document
from xnai_validate.demo.api.monitoring.health import HealthReport, report
from xnai_validate.demo.api.services import indexed_documents
from xnai_validate.demo.defects.defect import Defect

Components = dict[str, bool]
TryComponents = Callable[[HealthReport], Awaitable[Components]]
_NO_DOCUMENTS: list[Document] = []


def change_components(defect: Defect, change: Callable[[HealthReport, Components], Components]) -> Defect:
    """Let a defect change the components that a report has found."""

    @defect.wraps(HealthReport.components)
    async def changed(original: TryComponents, /, self: HealthReport) -> Components:
        return change(self, await original(self))

    return defect


LLM_UNPROBED = change_components(
    Defect(
        "health-llm-unprobed",
        "Health reports that the model works without asking it.",
        checks=("health/truth:no-false-green",),
    ),
    lambda _, components: components | {"llm": True},
)

REDIS_UNPROBED = change_components(
    Defect(
        "health-redis-unprobed",
        "Health reports that Redis works although it does not.",
        checks=("health/truth:no-false-green", "health/truth:redis-falls"),
    ),
    lambda _, components: components | {"health_redis": True},
)

SWAPPED = change_components(
    Defect(
        "health-swapped",
        "Health gives the result of each probe under the name of another.",
        checks=("health/truth:no-false-green", "health/truth:no-false-red"),
    ),
    lambda _, components: components | {"llm": components["health_redis"], "health_redis": components["llm"]},
)

ALL_OR_NOTHING = change_components(
    Defect(
        "health-all-or-nothing",
        "Health blames Redis too when the model is gone.",
        checks=("health/truth:no-false-red",),
    ),
    lambda _, components: components if components["llm"] else components | {"health_redis": False},
)

_FIRST: WeakKeyDictionary[HealthReport, Components] = WeakKeyDictionary()
_DOWN: WeakKeyDictionary[HealthReport, set[str]] = WeakKeyDictionary()

CACHED = change_components(
    Defect(
        "health-cached",
        "Health repeats the findings of its first report.",
        checks=("health/truth:no-false-green", "health/truth:redis-falls"),
    ),
    lambda health, components: _FIRST.setdefault(health, components),
)
_LATE_S = 7.0


def _late(health: HealthReport, components: Components) -> Components:
    """Report a failure only after a while, whichever worker is asked."""
    for name, works in components.items():
        since = health.services.settings.run_dir / f"failed-{name}-since"
        if works:
            since.unlink(missing_ok=True)
            continue
        if not since.exists():
            since.touch()
        if time.time() - since.stat().st_mtime < _LATE_S:
            components = components | {name: True}
    return components


LATE = change_components(
    Defect(
        "health-late",
        "Health reports a failure seven seconds after it has happened.",
        checks=("health/truth:notices", "health/truth:not-stale"),
    ),
    _late,
)


def _never_up_again(health: HealthReport, components: Components) -> Components:
    """Report each component that was ever down as down."""
    down = _DOWN.setdefault(health, set())
    down.update(name for name, works in components.items() if not works)
    return components | dict.fromkeys(down, False)


NEVER_RECOVERS = change_components(
    Defect(
        "health-never-recovers",
        "Health goes on to report a component as broken when it works again.",
        checks=("health/truth:recovers", "health/sync:all-say-back"),
    ),
    _never_up_again,
)


def _as_if_loaded(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Report the vector store as loaded and the whole API as healthy."""
    components = body["components"]
    assert isinstance(components, dict)
    loaded: dict[str, JsonValue] = components | {"vectorstore": True}
    return body | {"status": "healthy", "vectorstore_loaded": True, "components": loaded}


VECTORSTORE_LIE = (
    Defect(
        "health-vectorstore-lie",
        "Health reports that the vector store is loaded although it is empty.",
        checks=("api/query:canary",),
    )
    .changes(indexed_documents, lambda _: _NO_DOCUMENTS)
    .changes(report, _as_if_loaded)
)

VECTORSTORE_EMPTY = Defect(
    "vectorstore-empty",
    "No document was indexed; answers come without sources.",
    checks=("rag/ready:ladder", "api/query:canary", "api/query:cites", "streaming/stream:order"),
).changes(indexed_documents, lambda _: _NO_DOCUMENTS)
