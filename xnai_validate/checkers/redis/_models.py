"""Parameters and facts that all kinds of the family have."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.kit import Duration, ErrorKind, Facts, Ge, Params


class RedisParams(Params):
    """Which database, and how long."""

    db: Annotated[int, Ge(0)] | None = None
    """The database; by default that of the target's url."""
    timeout: Duration = 5.0
    """How long the measurement may take, connecting included."""


class RedisFacts(Facts):
    """Why there was no answer, if there was none; all other facts are null then."""

    error: ErrorKind | None = None
    """`auth` where the password is refused or missing, `protocol` where the server answers with an error of its own."""
    error_detail: str | None = None
    """The error in words: the server's own, if it answered."""
