"""Parts that are reachable from other hosts."""

from __future__ import annotations

from collections.abc import Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.listeners import address_of
from xnai_validate.demo.processes.redis_server import options

REDIS_EXPOSED = Defect(
    "redis-exposed",
    "Redis listens on every address of the host.",
    checks=("environment/environment:redis-private",),
).changes(options, lambda named: named | {"bind": "0.0.0.0"})

LLM_EXPOSED = Defect(
    "llm-exposed",
    "The model server listens on every address of the host.",
    checks=("environment/environment:llm-private",),
)


@LLM_EXPOSED.wraps(address_of)
def any_address_for_llm(original: Callable[[str], str], /, name: str) -> str:
    """Return the address on which the model server listens: every address of the host."""
    return "0.0.0.0" if name == "llm" else original(name)
