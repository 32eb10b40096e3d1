"""Load: many requests, at the times of a schedule or one after the other, and how the stack bears them."""

from xnai_validate.checkers.load.http import http
from xnai_validate.checkers.load.redis import redis
from xnai_validate.checkers.load.sse import sse

__all__ = ["http", "redis", "sse"]
