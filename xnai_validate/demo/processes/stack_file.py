"""The stack file of a running embedded stack: its targets, and the vars that differ from a real stack."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from xnai_validate.demo.processes.machine import machine_vars
from xnai_validate.demo.processes.parts import ALERTS, parts_of
from xnai_validate.demo.settings import (
    API_PREFIX,
    BREAKER_FAILURES,
    GATEWAY_PREFIX,
    MODEL,
    MONITOR_FAILURES,
    REDIS_MAXMEMORY_MB,
    Layout,
    Settings,
)

BUDGET = {
    "connect_ms": 1000,
    "ping_ms": 900,
    "health_ms": 2000,
    "query_ms": 10_000,
    "first_token_ms": 2000,
    "gap_ms": 1500,
    "tokens_after_leave": 60,
    "wait_after_leave_ms": 1500,
    "silence_ms": 1900,
    "page_ms": 1800,
    "token_rate_tps": 15,
    "silent_model_ms": 8000,
}
"""Bounds that a busy machine with two cores keeps while everything runs on it; a real stack has tighter ones."""

LOAD: dict[str, object] = {
    "rps": 125,
    "peak_rps": 250,
    "query_rps": 40,
    "callers": 100,
    "some_callers": 16,
    "query_callers": 16,
    "streams": 30,
    "max_tokens": 8,
    "question": "Tell me everything about Xoe-NovAi, in detail.",
    "for": "500ms",
    "step": "250ms",
    "warmup": "100ms",
    "soak": "1500ms",
    "beside": "1500ms",
    "timeout": "10s",
    "error_ratio": 0.001,
    "health_p99_ms": 2500,
    "health_beside_ms": 1200,
    "api_p99_ms": 2500,
    "query_p99_ms": 3500,
    "peak_p99_ms": 4000,
    "callers_p99_ms": 5000,
    "first_event_ms": 5000,
    "token_gap_ms": 700,
    "throughput_rps": 12,
    "speedup": 2,
    "gateway_ratio": 0.25,
    "breaker_callers": 12,
    "breaker_settle": "500ms",
    "crowd_settle": "100ms",
    "breaker_early_ms": 300,
    "breaker_late_ms": 1500,
    "retry_after_early_s": 1,
    "retry_after_late_s": 3,
    "refusal_ms": 1500,
    "refusal_crowd_ms": 2500,
    "call_without_redis_ms": 3000,
    "counted": {"rps": 60, "for": "500ms", "requests": 30},
}
"""Loads that a small stack gets in a short time, and bounds that it keeps on a busy machine."""


class Target(TypedDict, total=False):
    """How one part is reached: `url` (not for the worker), `root` (of the API), and the process behind it."""

    url: str
    root: str
    pid: int
    log: str
    password: str
    tls: dict[str, str]


class StackFile(TypedDict):
    """A running stack, as printed by `demo` and read by `run --stack`."""

    layout: Layout
    targets: dict[str, Target]
    vars: dict[str, object]


def describe(settings: Settings, pids: Mapping[str, int], canaries: Sequence[dict[str, str]]) -> StackFile:
    """Describe the stack of `settings` whose parts run as `pids` (part name -> process id)."""
    targets: dict[str, Target] = {}
    for part in parts_of(settings.layout):
        if part.kind == "apps" or part.name == "gateway":
            for port in part.ports:
                targets[port] = {"url": settings.url(port)}
                _add_process(targets[port], settings, pids, part.name)
    targets["api"]["root"] = settings.url("api")
    targets["api"]["url"] = settings.url("api") + API_PREFIX[settings.layout]
    targets["redis"] = _redis(settings)
    targets["worker"] = {}
    for name in ("redis", "worker"):
        _add_process(targets[name], settings, pids, name)
    return {"layout": settings.layout, "targets": targets, "vars": _vars(settings, canaries)}


def _add_process(target: Target, settings: Settings, pids: Mapping[str, int], part: str) -> None:
    """Add the process of a running part, and the file with its output."""
    if part in pids:
        target["pid"] = pids[part]
        target["log"] = str(settings.run_dir / f"{part}.log")


def _redis(settings: Settings) -> Target:
    """Return the target of Redis; layout B reaches it by TLS."""
    scheme = "redis" if settings.layout == "A" else "rediss"
    target: Target = {
        "url": f"{scheme}://127.0.0.1:{settings.ports['redis']}/0",
        "password": settings.redis_password,
    }
    if settings.layout == "B":
        target["tls"] = {"ca": str(settings.run_dir / "ca.pem")}
    return target


def _vars(settings: Settings, canaries: Sequence[dict[str, str]]) -> dict[str, object]:
    """The vars of `profiles/stack.yaml` with this stack's values; times in seconds."""
    times = settings.times
    return {
        "layout": settings.layout,
        "gateway_api_prefix": GATEWAY_PREFIX[settings.layout],
        "breakers": {
            name: {"failures": failures, "recovery_s": times.breaker_recovery_s[name]}
            for name, failures in BREAKER_FAILURES.items()
        },
        "call_timeout_s": times.call_timeout_s,
        "heartbeat_s": times.heartbeat_s,
        "monitor": {
            "interval_s": times.monitor_interval_s,
            "exposed": True,
            "rules": {service: {"failures": failures} for service, failures in MONITOR_FAILURES.items()},
        },
        "redis": {"maxmemory_mb": REDIS_MAXMEMORY_MB},
        "redis_key_prefix": "",
        "vikunja_token": settings.vikunja_token,
        "canaries": canaries,
        "question": canaries[0]["question"],
        "llm": {"embedding_model": MODEL},
        "injected": {"question": "What do visitors of the workshop find?", "source": "workshop.md"},
        "vikunja_redis": True,
        "search_word": "breaker",
        "breakers_used": len(BREAKER_FAILURES),
        "budget": BUDGET,
        "load": LOAD,
        "alerts": {
            "listen": f"127.0.0.1:{settings.ports[ALERTS]}",
            "actions_max": 2,
            "announces_recovery": True,
        },
        "restart_s": 15,
        "health": {"slowest_ms": 2500},
        "worker_probe": True,
        "vikunja_probe": True,
        "long_question": "Tell me everything about Xoe-NovAi, in detail.",
        "docs_page": "/operations/",
        "settle": "500ms",
        "settle_short": "150ms",
        "quiet": "500ms",
        "job": "500ms",
        **machine_vars(settings),
    }


def replace_file(path: Path, text: str) -> None:
    """Replace the file in one step, so that a reader gets the old text or the new one; readable by its owner only."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(aside, path)


def as_line(stack: StackFile) -> str:
    """The stack file as one line of JSON."""
    return json.dumps(stack, separators=(",", ":")) + "\n"
