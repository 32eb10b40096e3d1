"""How much the application still does when the memory of the host runs short."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from xnai_validate.demo.settings import Settings


@dataclass(frozen=True, slots=True)
class Tier:
    """One level of degradation: passages retrieved, characters of context, tokens of an answer."""

    level: int
    name: str
    from_memory_percent: float
    top_k: int
    context_characters: int
    max_tokens: int


TIERS = (
    Tier(1, "Normal", 0, 5, 2048, 256),
    Tier(2, "Constrained", 85, 3, 1200, 150),
    Tier(3, "Critical", 92, 1, 500, 100),
    Tier(4, "Failover", 97, 0, 0, 50),
)


def memory_percent(settings: Settings) -> float:
    """The share of the host's memory that is in use."""
    if settings.memory_percent is not None:
        return settings.memory_percent
    return float(psutil.virtual_memory().percent)


def tier(percent: float) -> Tier:
    """The tier for a share of memory in use."""
    return max(
        (tier for tier in TIERS if percent >= tier.from_memory_percent), key=lambda tier: tier.level, default=TIERS[0]
    )
