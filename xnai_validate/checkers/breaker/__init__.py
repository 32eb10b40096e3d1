"""Circuit breakers, seen from outside: whether they open, refuse, recover and keep their state as promised."""

from xnai_validate.checkers.breaker.concurrent import concurrent
from xnai_validate.checkers.breaker.cycle import cycle
from xnai_validate.checkers.breaker.forgive import forgive
from xnai_validate.checkers.breaker.outage import outage
from xnai_validate.checkers.breaker.refusal import refusal
from xnai_validate.checkers.breaker.reopen import reopen
from xnai_validate.checkers.breaker.shared import shared
from xnai_validate.checkers.breaker.state import state
from xnai_validate.checkers.breaker.survive import survive

__all__ = ["concurrent", "cycle", "forgive", "outage", "refusal", "reopen", "shared", "state", "survive"]
