"""Circuit breakers, seen from outside: whether they open, refuse, recover and keep their state as promised."""

from xnai_validate.checkers.breaker.cycle import cycle
from xnai_validate.checkers.breaker.refusal import refusal
from xnai_validate.checkers.breaker.state import state

__all__ = ["cycle", "refusal", "state"]
