"""How calls to other services fail: the failures that breakers count, and their refusal."""

from __future__ import annotations


class ServiceFailure(Exception):
    """A call to a service failed: counts against its breaker."""


class ServiceTimeout(ServiceFailure):
    """A service did not answer in time: counts as any failure."""


class StoreUnavailable(ServiceFailure):
    """Redis cannot be reached now, or does not answer in time."""


class CacheFailure(ServiceFailure):
    """Redis answered a cache operation with an error."""


class ModelError(ServiceFailure):
    """The model server is gone, or answered with an error or with nothing."""


class ModelTimeout(ServiceTimeout):
    """The model server did not answer within the call's time limit."""


class CircuitOpen(Exception):
    """The breaker `name` refuses the call; it may be tried again in `retry_after_s` seconds."""

    def __init__(self, name: str, retry_after_s: float) -> None:
        super().__init__(name)
        self.name = name
        self.retry_after_s = retry_after_s
