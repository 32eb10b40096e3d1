"""The stream of a check: its request, when to leave, and the bounds."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers._stream import StreamedParams
from xnai_validate.kit import Duration, Ge, Le, Size


class StreamParams(StreamedParams):
    """The request, which events mean what, when to leave, and the bounds."""

    timeout: Duration = 20.0
    """How long the whole stream may take."""
    idle_timeout: Duration = 15.0
    """How long the server may stay silent: not one byte."""
    leave_after: Annotated[int, Ge(1)] | None = None
    """Disconnect on purpose after this many events."""
    leave_after_time: Duration | None = None
    """Disconnect on purpose this long after the beginning of the request."""
    max_events: Annotated[int, Ge(1), Le(1_000_000)] = 100_000
    """More events than this are not read: too_large."""
    max_bytes: Size = 64 * 1024 * 1024
    """More bytes than this are not read: too_large."""
    keep_events: Annotated[int, Ge(0), Le(1_000)] = 0
    """How many of the first events are kept as the fact `events`, for what other facts do not tell."""
