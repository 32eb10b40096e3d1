"""The settings of one embedded stack, which each of its processes gets when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MODEL = "xnai-extract-1"
"""The name of the model."""
Layout = Literal["A", "B"]

API_PREFIX: dict[Layout, str] = {"A": "", "B": "/xnai/api/v1"}
"""Path prefix of the API's endpoints at the API itself; its documentation is at the root."""

GATEWAY_PREFIX: dict[Layout, str] = {"A": "/api/v1", "B": "/xnai/api/v1"}
"""Path prefix of the API's endpoints at the gateway."""

BREAKER_FAILURES: dict[str, int] = {
    "rag_api": 3,
    "redis_cache": 5,
    "voice_stt": 5,
    "voice_tts": 3,
    "voice_processing": 3,
}
"""Circuit breaker -> failures in a row that open it."""

MONITOR_FAILURES: dict[str, int] = {"redis": 3, "rag_api": 2, "chainlit_ui": 2, "vikunja": 3}
"""Monitored service -> failed checks in a row after which it is recovered."""

REDIS_MAXMEMORY_MB = 64
"""Memory limit of the stack's Redis, in MiB."""


@dataclass(frozen=True, slots=True)
class Times:
    """The stack's long times, scaled down so that a validation takes seconds. All in seconds."""

    call_timeout_s: float = 1.2
    heartbeat_s: float = 1.0
    monitor_interval_s: float = 1.0
    token_delay_s: float = 0.004
    breaker_recovery_s: dict[str, float] = field(
        default_factory=lambda: {
            "rag_api": 2.0,
            "redis_cache": 1.0,
            "voice_stt": 4.0,
            "voice_tts": 2.0,
            "voice_processing": 2.0,
        }
    )

    @classmethod
    def of_a_real_stack(cls, divisor: float) -> Times:
        """The times that a real stack has by default, divided by a number; tokens come as quickly as ever."""
        return cls(
            call_timeout_s=30 / divisor,
            heartbeat_s=15 / divisor,
            monitor_interval_s=30 / divisor,
            breaker_recovery_s={
                "rag_api": 60 / divisor,
                "redis_cache": 30 / divisor,
                "voice_stt": 120 / divisor,
                "voice_tts": 60 / divisor,
                "voice_processing": 60 / divisor,
            },
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """One running embedded stack."""

    layout: Layout
    run_dir: Path
    """A private directory of this stack: sockets, logs, the Redis data, certificates. Removed when the stack stops."""
    ports: dict[str, int]
    """Part name -> the loopback port it listens on. Parts: see `parts.PARTS`."""
    redis_password: str
    vikunja_token: str
    times: Times = field(default_factory=Times)
    memory_percent: float | None = None
    """The share of the host's memory that the degradation tiers follow instead of the measured one, for tests."""
    alert_webhook: str | None = None
    """Where the health monitor posts each alert besides the Redis stream `xnai:alerts`: a loopback URL."""

    worker: int = 0
    """The number of this process among the workers of its part; the first does the work that only one may do."""

    def url(self, part: str) -> str:
        """`http://127.0.0.1:port` of a part, without a path."""
        return f"http://127.0.0.1:{self.ports[part]}"

    @property
    def redis_port(self) -> int:
        """The port where Redis serves the stack's own parts over plain TCP, in both layouts."""
        return self.ports.get("redis_plain", self.ports["redis"])
