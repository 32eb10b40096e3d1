"""Parameters and facts that all checks of Redis have."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.kit import Duration, ErrorKind, Facts, Ge, Params, Target, Unmeasurable
from xnai_validate.wire.redis.client import redis_address


def verify_redis_target(target: Target) -> None:
    """Raise ValueError for a target whose url is not one of Redis."""
    if target.url:
        try:
            redis_address(target)
        except Unmeasurable as error:
            raise ValueError(error.hint) from None


class RedisParams(Params):
    """Which database, and how long."""

    db: Annotated[int, Ge(0)] | None = None
    """The database; by default that of the target's url."""
    timeout: Duration = 5.0
    """How long the measurement may take, connecting included."""

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target whose url is not one of Redis."""
        verify_redis_target(target)


class RedisFacts(Facts):
    """Why there was no answer, if there was none; all other facts are null then."""

    error: ErrorKind | None = None
    """`auth` where the password is refused or missing, `protocol` where the server answers with an error of its own."""
    error_detail: str | None = None
    """The error in words: the server's own, if it answered."""
