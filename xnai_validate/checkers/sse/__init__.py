"""Streams of server-sent events: what a client sees of one, and of many at once."""

from xnai_validate.checkers.sse.many import streams
from xnai_validate.checkers.sse.stream import stream

__all__ = ["stream", "streams"]
