"""What every part of the stack needs to know, passed through the environment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

VERSION = "v2.3.0-rc1"

# The stack's times, divided by twenty.
MONITOR_S = 1.5
CALL_TIMEOUT_S = 1.5
HEARTBEAT_S = 0.75
BREAKERS = {"rag_api": (3, 3.0), "redis_cache": (5, 1.5)}
"""Failures that open a breaker, and its recovery time in seconds."""
GAUGE_NUMBERS = {"closed": 0, "half_open": 1, "open": 2}
"""The numbers that the gauge of a breaker shows: other ones than those of the default stack file."""

_VARIABLE = "FIELD_STACK_SETTINGS"


@dataclass(frozen=True, slots=True)
class Settings:
    """Ports, secrets and paths; `ports` maps the name of a part to its port on 127.0.0.1."""

    layout: str
    ports: dict[str, int]
    redis_password: str
    vikunja_token: str
    folder: str
    defect: str = ""

    @property
    def prefix(self) -> str:
        """The path prefix of the API at its own port."""
        return "/xnai/api/v1" if self.layout == "B" else ""

    @property
    def tls(self) -> bool:
        """Whether Redis speaks TLS only."""
        return self.layout == "B"

    def url(self, part: str) -> str:
        """Return the origin of a part."""
        return f"http://127.0.0.1:{self.ports[part]}"

    def environment(self) -> dict[str, str]:
        """Return the environment for a part's process."""
        return {**os.environ, _VARIABLE: json.dumps(asdict(self))}


def from_environment() -> Settings:
    """Return the settings that the supervisor passed to this process."""
    return Settings(**json.loads(os.environ[_VARIABLE]))
