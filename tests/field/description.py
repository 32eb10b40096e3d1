"""The description of the running stack, for `xnai-validate run --stack FILE`."""

from __future__ import annotations

from tests.field.documents import CANARIES, DOCUMENTS
from tests.field.services.ui import ASSET
from tests.field.settings import BREAKERS, CALL_TIMEOUT_S, GAUGE_NUMBERS, HEARTBEAT_S, MONITOR_S, Settings


def description(settings: Settings, pids: dict[str, int]) -> dict[str, object]:
    """Return targets and vars; what differs from the defaults alone."""
    targets: dict[str, dict[str, object]] = {
        part: {"url": settings.url(part), "pid": pids[part]} for part in ("gateway", "ui", "docs", "vikunja")
    }
    origin = settings.url("api")
    targets["api"] = {"url": origin + settings.prefix, "pid": pids["api"], "root": origin}
    targets["metrics"] = {"url": settings.url("metrics"), "pid": pids["api"]}
    targets["redis"] = {
        "url": f"{'rediss' if settings.tls else 'redis'}://default@127.0.0.1:{settings.ports['redis']}/0",
        "password": settings.redis_password,
    }
    targets["redis"]["pid"] = pids["tls_front" if settings.tls else "redis"]
    if settings.tls:
        targets["redis"]["tls"] = {"ca": f"{settings.folder}/ca.pem"}
    canaries = [
        {"question": question, "expect": phrase, "source": source, "document": DOCUMENTS[source]}
        for question, phrase, source in CANARIES
    ]
    values = {
        "layout": settings.layout,
        "gateway_api_prefix": settings.prefix or "/api/v1",
        "breakers": {name: {"failures": count, "recovery_s": s} for name, (count, s) in BREAKERS.items()},
        "breaker_gauge": GAUGE_NUMBERS,
        "call_timeout_s": CALL_TIMEOUT_S,
        "heartbeat_s": HEARTBEAT_S,
        "monitor": {"interval_s": MONITOR_S, "exposed": True},
        "vikunja_token": settings.vikunja_token,
        "canaries": canaries,
        "long_question": "Tell me everything about the garden.",
        "search_word": "frost",
        "ui": {"asset": ASSET},
        "docs_page": "/tulips/",
        "host": {"data_path": settings.folder},
    }
    return {"layout": settings.layout, "targets": targets, "vars": values}
